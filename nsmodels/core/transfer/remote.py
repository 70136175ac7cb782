"""HTTP requests for a file or a part of it: retries, permanent failures, and the meaning of each response."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import requests
from requests import exceptions as failures

from nsmodels.core.errors import InputError, TryLater

log = logging.getLogger(__name__)
PIECE = 1 << 16
LONGEST_WAIT = 60.0
CONNECT_TIMEOUT = 10.0
Result = TypeVar("Result")

# Failures of the connection, not of the request: retried. InvalidSchema and the like are not.
LINE_FAULTS = (failures.ConnectionError, failures.Timeout, failures.ChunkedEncodingError, failures.ContentDecodingError)


class Unreachable(TryLater):
    """The host did not answer, or only with server errors; nothing was transferred."""


class Transient(Exception):
    """A temporary failure; `wait` is the number of seconds in the server's Retry-After, if any."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class RemoteFile:
    """Properties of a file on a server: size in bytes and ETag are None when its headers lack them."""

    url: str
    size: int | None
    etag: str | None
    accepts_ranges: bool


@dataclass
class RetryPolicy:
    """Number of attempts after consecutive failures, and the wait between them: `backoff` seconds, doubled each time.

    `failed` counts consecutive failures; callers reset it after progress.
    """

    attempts: int = 5
    backoff: float = 0.5
    failed: int = 0

    def wait(self, url: str, fault: Transient) -> bool:
        """Sleep and return True; False at once when no attempt is left."""
        self.failed += 1
        if self.failed >= self.attempts:
            return False
        seconds = min(LONGEST_WAIT, fault.wait if fault.wait is not None else self.backoff * 2 ** (self.failed - 1))
        log.warning("%s: %s; retrying in %.1f s", url, fault, seconds)
        time.sleep(seconds)
        return True


def probe(url: str, attempts: int = 3, backoff: float = 0.5, timeout: float = 30.0) -> RemoteFile:
    """Request the first byte of `url`; returns size, ETag and whether byte ranges are served.

    Raises `Unreachable` when the host does not answer, `InputError` when it has no such file.
    """

    def once() -> RemoteFile:
        with requests.Session() as session, request(session, url, {"Range": "bytes=0-0"}, timeout) as response:
            return remote_file(url, response)

    return retry(url, once, RetryPolicy(attempts, backoff))


def retry(url: str, once: Callable[[], Result], policy: RetryPolicy) -> Result:
    """The result of `once`, called again after a `Transient` as often as `policy` allows; then raises `Unreachable`."""
    while True:
        try:
            return once()
        except Transient as fault:
            if not policy.wait(url, fault):
                raise Unreachable(
                    f"{url}: not reachable after {policy.failed} attempts ({fault}); check the connection, or "
                    "configure a mirror or a local copy"
                ) from None


def request(
    session: requests.Session, url: str, headers: Mapping[str, str], timeout: float = 30.0
) -> requests.Response:
    """An open response with status 200, 206 or 416 whose body has not been read yet.

    Raises `Transient` for temporary failures, `InputError` for permanent ones.
    """
    try:
        # identity: byte counts and ranges of a compressed transfer would not refer to the file
        sent = {"Accept-Encoding": "identity", **headers}
        response = session.get(url, headers=sent, stream=True, timeout=(CONNECT_TIMEOUT, timeout))
    except LINE_FAULTS as error:
        raise Transient(reason_of(error)) from None
    except failures.RequestException as error:
        raise InputError(f"{url}: not a usable URL ({error}); correct the configured URL") from None
    try:
        _raise_for_status(url, response)
    except BaseException:
        response.close()
        raise
    return response


def remote_file(url: str, response: requests.Response) -> RemoteFile:
    """Properties of the whole file from the headers of a response to a range request."""
    etag = response.headers.get("ETag")
    if response.status_code == 200:
        return RemoteFile(url, _number(response.headers.get("Content-Length")), etag, False)
    return RemoteFile(url, total_size(response), etag, True)


def total_size(response: requests.Response) -> int | None:
    """Size of the whole file in bytes: from Content-Range, or from Content-Length of a full response."""
    if response.status_code == 200:
        return _number(response.headers.get("Content-Length"))
    return _number(response.headers.get("Content-Range", "").rpartition("/")[2])


def range_start(response: requests.Response) -> int | None:
    """Offset in the file of the first byte of a 206 response."""
    return _number(response.headers.get("Content-Range", "").removeprefix("bytes").strip().partition("-")[0])


def reason_of(error: Exception) -> str:
    """A short reason for a connection failure, without the library's nested message."""
    if isinstance(error, failures.ConnectTimeout):
        return "no answer to the connection"
    if isinstance(error, failures.Timeout) or "timed out" in str(error):
        return "the server stopped sending"
    text = str(error)
    for sign, reason in (
        ("NameResolution", "host name not found"),
        ("refused", "connection refused"),
        ("ProxyError", "the proxy refused the connection"),
        ("CERTIFICATE", "its certificate is not accepted"),
        ("IncompleteRead", "the connection broke before the end"),
        ("unreachable", "network unreachable"),
    ):
        if sign in text or sign in type(error).__name__:
            return reason
    return "the connection broke"


def _raise_for_status(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        wait = _number(response.headers.get("Retry-After"))
        raise Transient(f"the server answered {status} {response.reason}", wait)
    if status not in (200, 206, 416):
        raise InputError(
            f"{url}: the server answered {status} {response.reason} instead of the file; check the configured URL"
        )
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status != 416 and kind in ("text/html", "application/xhtml+xml"):
        raise InputError(
            f"{url}: the server sent a web page ({kind}) instead of the file; open the URL in a browser for the "
            "reason, then correct the configured URL"
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
