"""Random access to bytes by offset and length, in a file on disk or on a server with byte ranges."""

from __future__ import annotations

import io
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import requests

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.remote import (
    LINE_FAULTS,
    PIECE,
    RetryPolicy,
    Transient,
    range_start,
    reason_of,
    remote_file,
    request,
    retry,
)

LARGEST_READ = 1 << 27  # bytes of a directory, about a million members
TAIL = 1 << 18  # bytes; enough for the end records of a zip, and for the whole directory of a small one


class Source(ABC):
    """A sequence of `size` bytes called `name`; thread-safe. `requests` and `bytes` count the reads so far."""

    name: str
    size: int

    def __init__(self) -> None:
        self.requests = self.bytes = 0
        self._lock = threading.Lock()

    @abstractmethod
    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Bytes from `offset` on in pieces; fewer than `length` only where the source ends."""

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer only where the source ends."""
        return b"".join(self.stream(offset, length))

    def _count(self, requests: int = 0, num_bytes: int = 0) -> None:
        with self._lock:
            self.requests += requests
            self.bytes += num_bytes


class DiskSource(Source):
    """A file on disk; raises `InputError` when it does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        if not path.is_file():
            raise InputError(f"{path}: no such file; give the path of an existing one")
        self._path, self.name, self.size = path, str(path), path.stat().st_size

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """See `Source.stream`."""
        with self._path.open("rb") as file:
            file.seek(offset)
            while length > 0 and (piece := file.read(min(1 << 20, length))):
                self._count(num_bytes=len(piece))
                length -= len(piece)
                yield piece


class HttpSource(Source):
    """A file on a server; a broken connection is resumed where it stopped.

    Raises `Unreachable` when the host does not answer, `InputError` when it does not serve ranges or the file changes
    while it is read.
    """

    def __init__(self, url: str, attempts: int = 5, backoff: float = 0.5, timeout: float = 30.0) -> None:
        super().__init__()
        self.name, self.attempts, self.backoff, self.timeout = url, attempts, backoff, timeout
        self._sessions = threading.local()
        self._tail_offset, self._tail = 0, b""
        self.etag: str | None = None
        self.size = -1
        retry(url, self._open, RetryPolicy(min(3, attempts), backoff))

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """See `Source.stream`; raises `InputError` when the connection breaks too often or the file changes."""
        end, policy = min(self.size, offset + length), RetryPolicy(self.attempts, self.backoff)
        while offset < end:
            try:
                for piece in self._once(offset, end):
                    offset, policy.failed = offset + len(piece), 0
                    yield piece
            except Transient as fault:
                if not policy.wait(self.name, fault):
                    raise InputError(
                        f"{self.name}: stopped after {policy.failed} attempts without progress ({fault}); "
                        "run again to fetch the rest"
                    ) from None

    def _once(self, offset: int, end: int) -> Iterator[bytes]:
        if offset >= self._tail_offset and self._tail:
            yield self._tail[offset - self._tail_offset : end - self._tail_offset]
            return
        with self._request(f"bytes={offset}-{end - 1}") as response:
            if response.status_code != 206 or response.headers.get("ETag") not in (None, self.etag):
                raise InputError(f"{self.name}: the file has changed on the server while it was read; run again")
            if range_start(response) != offset:
                raise Transient("the server sent a different range than requested")
            yield from self._pieces(response, end - offset)

    def _pieces(self, response: requests.Response, length: int) -> Iterator[bytes]:
        received = 0
        try:
            for piece in response.iter_content(PIECE):
                kept = piece[: length - received]
                received += len(kept)
                self._count(num_bytes=len(kept))
                yield kept
        except LINE_FAULTS as error:
            raise Transient(reason_of(error)) from None
        if received < length:
            raise Transient("the connection broke before the end")

    def _open(self) -> None:
        """Request the last bytes once: the headers give size and ETag, the body contains the end records of a zip."""
        with self._request(f"bytes=-{TAIL}") as response:
            remote = remote_file(self.name, response)
            if not remote.accepts_ranges or remote.size is None:
                raise InputError(
                    f"{self.name}: the server has no range support, so single members cannot be fetched; download the "
                    "whole archive and use it as a local source"
                )
            if response.status_code == 416:
                raise InputError(
                    f"{self.name}: the server answered 416 to a request for its last bytes; the file is empty"
                )
            self.size, self.etag = remote.size, remote.etag
            offset = range_start(response) or 0
            self._tail = b"".join(self._pieces(response, self.size - offset))
            self._tail_offset = offset

    def _request(self, wanted: str) -> requests.Response:
        self._count(requests=1)
        headers = {"Range": wanted}
        if self.etag and not self.etag.startswith("W/"):
            headers["If-Range"] = self.etag
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        return request(self._sessions.session, self.name, headers, self.timeout)


class SeekableSource(io.RawIOBase):
    """A source as a read-only file object, for readers that seek."""

    def __init__(self, source: Source) -> None:
        self._source, self._offset = source, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` bytes from the start, the current position or the end; returns the new position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._source.size}[whence]
        if start + offset < 0:
            raise OSError("seek before the start")
        self._offset = start + offset
        return self._offset

    def tell(self) -> int:
        """Current position in bytes from the start."""
        return self._offset

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises `InputError` for a directory that would not fit into memory."""
        if size > LARGEST_READ:
            raise InputError(
                f"{self._source.name}: its directory has {size:,} bytes, expected at most {LARGEST_READ:,}"
            )
        return super().read(size) or b""

    def readinto(self, buffer) -> int:
        """Fill `buffer` from the current position on; returns the number of bytes."""
        data = self._source.read(self._offset, len(buffer))
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)
