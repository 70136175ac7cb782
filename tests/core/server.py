"""Web servers on 127.0.0.1; `FileServer` has a switch for each way in which real ones go wrong."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

# a proxy of the machine must not come between the tests and their own server
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
PAGE = b"<!DOCTYPE html><html><body>Sorry, this is not the file you are looking for.</body></html>"


@dataclass
class Traps:
    """Simulated faults; lists are consumed from the front, one entry per request."""

    ranges: bool = True
    etag: str | None = None  # default: a strong one made from the content
    cut_after: int | None = None  # body bytes after which the connection is closed
    cuts: int = 10**9  # how many answers are cut
    claimed_size: int | None = None  # a Content-Length that is not true
    statuses: list[int] = field(default_factory=list)  # answers before the real one, e.g. [503, 503]
    page: int | None = None  # status under which an HTML page is sent instead of the file
    page_type: str = "text/html; charset=utf-8"
    refuse_ranges: bool = False  # 416 to every range
    shift: int = 0  # ranges that begin so many bytes before what was asked for
    seconds_per_piece: float = 0.0  # pause before each 64 kB


class LocalServer:
    """Answers by a handler, on a free port, until the `with` block ends; `server.owner` of the handler is this."""

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self.http = _Quiet(("127.0.0.1", 0), handler)
        self.http.owner = self
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"


class FileServer(LocalServer):
    """Serves `files` (path → bytes, or a file on disk) until the `with` block ends; counts requests and body bytes."""

    def __init__(self, files: Mapping[str, bytes | Path], traps: Traps | None = None) -> None:
        self.files, self.traps = dict(files), traps or Traps()
        self.requests: list[tuple[str, str | None]] = []
        self.bytes = 0
        self.lock = threading.Lock()
        super().__init__(_Handler)

    def url(self, path: str = "/file.bin") -> str:
        return super().url(path)

    def forget(self) -> None:
        with self.lock:
            self.requests, self.bytes = [], 0


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: Any

    def handle_error(self, request, client_address) -> None:
        """A client that goes away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Quiet  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        owner, traps = self.server.owner, self.server.owner.traps
        wanted = self.headers.get("Range")
        with owner.lock:
            owner.requests.append((self.path, wanted))
            status = traps.statuses.pop(0) if traps.statuses else None
        if status is not None:
            return self._answer(status, b"later", {"Retry-After": "0"})
        if traps.page is not None:
            return self._answer(traps.page, PAGE, {"Content-Type": traps.page_type})
        content = owner.files.get(self.path)
        if content is None:
            return self._answer(404, PAGE, {"Content-Type": "text/html"})
        return self._file(content, wanted)

    def _file(self, content: bytes | Path, wanted: str | None) -> None:
        traps = self.server.owner.traps
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        etag = traps.etag or _etag(content)
        headers = {"ETag": etag, "Content-Type": "application/octet-stream"}
        valid = self.headers.get("If-Range") in (None, etag)
        if not wanted or not traps.ranges or not valid:
            return self._send(200, headers, content, 0, size)
        start, end = _bounds(wanted, size)
        if traps.refuse_ranges or start >= size:
            return self._answer(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
        start = max(0, start - traps.shift)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{traps.claimed_size or size}"
        return self._send(206, headers, content, start, end)

    def _send(self, status: int, headers: dict[str, str], content: bytes | Path, start: int, end: int) -> None:
        owner, traps = self.server.owner, self.server.owner.traps
        length = traps.claimed_size if status == 200 and traps.claimed_size is not None else end - start
        self._head(status, headers, length)
        with owner.lock:
            is_cut = traps.cut_after is not None and traps.cuts > 0
            traps.cuts -= is_cut
        stop = min(end, start + (traps.cut_after or 0)) if is_cut else end
        while start < stop:
            time.sleep(traps.seconds_per_piece)
            piece = _piece(content, start, min(stop, start + (1 << 16)))
            start += len(piece)
            with owner.lock:
                owner.bytes += len(piece)
            self.wfile.write(piece)
        if is_cut or length > end:
            self.close_connection = True
            with suppress(OSError):
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _bounds(wanted: str, size: int) -> tuple[int, int]:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    assert match, wanted
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _piece(content: bytes | Path, start: int, stop: int) -> bytes:
    if isinstance(content, bytes):
        return content[start:stop]
    with content.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def _etag(content: bytes | Path) -> str:
    text = str(content.stat().st_mtime_ns).encode() if isinstance(content, Path) else content
    return f'"{hashlib.md5(text).hexdigest()}"'
