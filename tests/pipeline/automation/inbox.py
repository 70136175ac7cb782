"""A web server on 127.0.0.1 that accepts messages as a webhook does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.core import server  # noqa: F401, it disables proxies


class Inbox:
    """Stores the JSON documents that are posted to `url`; `answers` are the first status codes, then 200."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.documents, self.num_requests = list(answers), list[dict[str, Any]](), 0
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.http.inbox = self  # type: ignore[attr-defined]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"http://127.0.0.1:{self.http.server_port}/services/secret-token"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        inbox: Inbox = self.server.inbox  # type: ignore[attr-defined]
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        inbox.num_requests += 1
        status = inbox.answers.pop(0) if inbox.answers else 200
        if status == 200:
            inbox.documents.append(document)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
