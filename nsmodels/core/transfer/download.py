"""Download of one large file: resumed by byte range, verified by size and checksum, complete or absent."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import requests

from nsmodels.core import locks
from nsmodels.core.disk import require_space, sha256_of, writing
from nsmodels.core.errors import InputError, TryLater
from nsmodels.core.progress import Progress, readable
from nsmodels.core.transfer.remote import (
    LINE_FAULTS,
    PIECE,
    RemoteFile,
    RetryPolicy,
    Transient,
    Unreachable,
    probe,
    range_start,
    reason_of,
    remote_file,
    request,
)

__all__ = ["Download", "RemoteFile", "Unreachable", "download", "probe"]
log = logging.getLogger(__name__)
PAGE_SIGNS = (b"<!doctype html", b"<html")


@dataclass(frozen=True)
class Download:
    """A finished download; `requests` and `bytes` count the transfers of this call, 0 when the file was present."""

    path: Path
    url: str
    size: int
    sha256: str
    etag: str | None = None
    requests: int = 0
    bytes: int = 0


def download(
    url: str | Sequence[str],
    target: Path,
    size: int | None = None,
    sha256: str | None = None,
    progress: bool = True,
    attempts: int = 5,
    backoff: float = 0.5,
    timeout: float = 30.0,
) -> Download:
    """Fetch `url` (or the first of several mirrors that delivers) to `target`.

    Bytes are appended to `<target>.partial`, with URL, ETag and size of the server's file in `<target>.partial.json`; a
    later call resumes there. `target` exists only when size and checksum are right.

    Args:
        url: URL, or mirrors in order of preference.
        target: path of the file.
        size: expected size in bytes; None: unknown.
        sha256: expected checksum in hex digits; None: unknown.
        progress: whether to report progress on standard error.
        attempts: consecutive failures without a byte gained before giving up.
        backoff: seconds before the second attempt, doubled for each further one.
        timeout: longest silence of the server in seconds.

    Raises `Unreachable` when no mirror answers, `TryLater` when a transfer breaks off too often, and `InputError` for
    every other failure.
    """
    mirrors = [url] if isinstance(url, str) else list(url)
    if not mirrors:
        raise InputError(f"{target}: no URL configured for its download; configure at least one")
    if target.exists():
        return _present(target, mirrors[0], size, sha256)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    policy = RetryPolicy(attempts, backoff)
    return _delivered([_Transfer(mirror, target, size, sha256, progress, policy, timeout) for mirror in mirrors])


def _delivered(transfers: Sequence[_Transfer]) -> Download:
    """The file of the first mirror that delivers it."""
    failures: list[InputError] = []
    for transfer in transfers:
        try:
            return transfer.run()
        except _MirrorFailure as failure:
            failures.append(failure.error)
            if transfer is not transfers[-1]:
                log.warning("%s; trying the next mirror", failure.error)
    raise _combined(failures)


class _MirrorFailure(Exception):
    """A failure of one mirror, which the next one may not have."""

    def __init__(self, error: InputError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class _Transfer:
    """Transfer of one file from one mirror; attributes as of `download`, `total` is the size known so far."""

    url: str
    target: Path
    size: int | None
    sha256: str | None
    progress: bool
    policy: RetryPolicy
    timeout: float
    requests: int = 0
    bytes: int = 0
    etag: str | None = None
    total: int | None = None
    bar: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.partial = self.target.with_name(self.target.name + ".partial")
        self.sidecar = self.target.with_name(self.target.name + ".partial.json")

    def run(self) -> Download:
        with writing(self.partial), self.partial.open("ab") as file:
            self._lock(file)
            kept = self._resumable(file)
            if kept:
                log.info("%s: resuming at %s", self.target.name, readable(kept))
            with Progress(self.target.name, self.size, kept, self.progress) as self.bar, requests.Session() as session:
                self._fill(session, file)
            digest = self._verify(file)
            self.partial.replace(self.target)
        self.sidecar.unlink(missing_ok=True)
        return Download(self.target, self.url, self.total or 0, digest, self.etag, self.requests, self.bytes)

    def _lock(self, file: BinaryIO) -> None:
        if not locks.try_lock(file):
            raise InputError(f"{self.partial}: another process is downloading this file; wait for it")
        # Between opening and locking, the process that held the lock may have finished and moved the file away.
        if not self.partial.exists() or not os.path.samestat(os.fstat(file.fileno()), self.partial.stat()):
            raise InputError(f"{self.partial}: another process has just finished this file; run again")

    def _resumable(self, file: BinaryIO) -> int:
        """Number of bytes on disk that this URL can continue; an unusable file is emptied, with a warning."""
        known = self._read_sidecar()
        have = file.tell()
        is_ours = known.get("url") == self.url
        is_recognisable = is_ours and (known.get("etag") or known.get("size"))
        # Bytes of a different mirror, or of an unknown version, are kept only if a checksum verifies the whole file.
        if have and not is_recognisable and self.sha256 is None:
            self._restart(file, "the partial file cannot be matched with the server's")
        elif is_ours:
            self.etag, self.total = known.get("etag"), known.get("size")
        return file.tell()

    def _read_sidecar(self) -> dict:
        try:
            known = json.loads(self.sidecar.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _fill(self, session: requests.Session, file: BinaryIO) -> None:
        furthest = file.tell()
        while True:
            try:
                if self._attempt(session, file):
                    return
            except Transient as fault:
                if file.tell() > furthest:
                    furthest, self.policy.failed = file.tell(), 0
                if not self.policy.wait(self.url, fault):
                    raise _MirrorFailure(self._gave_up(file, fault)) from None
            except InputError as error:
                raise _MirrorFailure(error) from None

    def _attempt(self, session: requests.Session, file: BinaryIO) -> bool:
        """Request the missing bytes once; True when the file is complete."""
        have = file.tell()
        if have and have == self.total:
            return True
        self.requests += 1
        with request(session, self.url, self._headers(have), self.timeout) as response:
            if response.status_code == 416:
                return self._past_the_end(file, remote_file(self.url, response))
            self._accept(file, response)
            self._receive(file, response)
        if self.total is not None and file.tell() < self.total:
            raise Transient(f"the connection broke at {readable(file.tell())} of {readable(self.total)}")
        self.total = file.tell() if self.total is None else self.total
        return True

    def _headers(self, have: int) -> dict[str, str]:
        if not have:
            return {}
        strong = self.etag and not self.etag.startswith("W/")
        return {"Range": f"bytes={have}-", **({"If-Range": self.etag or ""} if strong else {})}

    def _accept(self, file: BinaryIO, response: requests.Response) -> None:
        """Compare the response with the partial file, and restart at zero where they do not match."""
        have, remote = file.tell(), remote_file(self.url, response)
        self._require_size(remote)  # before anything on disk is discarded
        changed = self.etag is not None and remote.etag not in (None, self.etag)
        changed = changed or (self.total is not None and remote.size not in (None, self.total))
        if have and changed:
            self._restart(file, "the file has changed on the server")
        elif have and response.status_code == 200:
            self._restart(file, "the server has no range support and sends the whole file")
        if response.status_code == 206 and range_start(response) != file.tell():
            self.etag = self.total = None
            raise Transient("the response does not start where the partial file ends")
        self._expect(file, remote)

    def _require_size(self, remote: RemoteFile) -> None:
        if self.size is not None and remote.size not in (None, self.size):
            raise InputError(
                f"{self.url}: the server's file has {remote.size} bytes, expected {self.size}; it is a different file "
                "or an error page: check the configured URL"
            )

    def _expect(self, file: BinaryIO, remote: RemoteFile) -> None:
        self.etag, self.total = remote.etag, remote.size if remote.size is not None else self.size
        self.bar.expect(self.total)
        if self.total is not None:
            require_space(self.target.parent, self.total - file.tell(), self.target.name)
        self.sidecar.write_text(json.dumps({"url": self.url, "etag": self.etag, "size": self.total}), encoding="utf-8")

    def _receive(self, file: BinaryIO, response: requests.Response) -> None:
        pieces = response.iter_content(PIECE)
        try:
            for piece in pieces:
                if file.tell() == 0 and piece[:64].lstrip().lower().startswith(PAGE_SIGNS):
                    raise InputError(f"{self.url}: the server sent a web page instead of the file; check the URL")
                file.write(piece)
                self.bytes += len(piece)
                self.bar.add(len(piece))
        except LINE_FAULTS as error:
            raise Transient(reason_of(error)) from None
        finally:
            file.flush()

    def _past_the_end(self, file: BinaryIO, remote: RemoteFile) -> bool:
        """After status 416: True when the file is complete, else restart, since it is longer than the server's."""
        have = file.tell()
        if have == 0:
            if remote.size == 0:
                self.total = 0
                return True
            raise InputError(f"{self.url}: the server answered 416 to a request for the whole file; check the URL")
        if remote.size == have and remote.etag in (None, self.etag):
            self.total = have
            return True
        self._restart(file, "the partial file does not match the server's (416)")
        return False

    def _restart(self, file: BinaryIO, why: str) -> None:
        log.warning("%s: %s; restarting from zero", self.url, why)
        file.truncate(0)
        file.seek(0)
        self.etag = self.total = None
        if hasattr(self, "bar"):
            self.bar.restart()

    def _verify(self, file: BinaryIO) -> str:
        """The file's SHA-256, after a comparison of size and checksum with the expected ones."""
        file.flush()
        have, expected = file.tell(), self.size if self.size is not None else self.total
        digest = sha256_of(self.partial)
        if have == expected and (self.sha256 is None or digest == self.sha256):
            return digest
        self._restart(file, "the received file is not the expected one")
        found = f"{have} bytes, expected {expected}" if have != expected else f"sha256 {digest}, expected {self.sha256}"
        raise _MirrorFailure(
            InputError(f"{self.url}: wrong content: {found}; the partial file was deleted: run again, or use a mirror")
        )

    def _gave_up(self, file: BinaryIO, fault: Transient) -> InputError:
        if self.bytes == 0:
            return Unreachable(
                f"{self.url}: not reachable after {self.policy.failed} attempts ({fault}); check the connection, "
                "or configure a mirror or a local copy"
            )
        return TryLater(
            f"{self.url}: stopped at {readable(file.tell())} after {self.policy.failed} attempts without progress "
            f"({fault}); run again to resume from there"
        )


def _present(target: Path, url: str, size: int | None, sha256: str | None) -> Download:
    have = target.stat().st_size
    digest = sha256_of(target)
    if (size is None or have == size) and (sha256 is None or digest == sha256):
        return Download(target, url, have, digest)
    found = f"{have} bytes, expected {size}" if size not in (None, have) else f"sha256 {digest}, expected {sha256}"
    raise InputError(f"{target}: the existing file is not the expected one ({found}); move it away and run again")


def _combined(failures: list[InputError]) -> InputError:
    if len(failures) == 1:
        return failures[0]
    kind = next((k for k in (Unreachable, TryLater) if all(isinstance(f, k) for f in failures)), InputError)
    return kind(f"no mirror delivered: {' | '.join(str(f) for f in failures)}")
