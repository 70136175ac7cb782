"""A web server on 127.0.0.1 that accepts messages as a webhook does."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.core.server import LocalServer


class Inbox(LocalServer):
    """Stores the JSON documents that are posted to `url`; `answers` are the first status codes, then 200."""

    def __init__(self, *answers: int) -> None:
        super().__init__(_Handler)
        self.answers, self.documents, self.num_requests = list(answers), list[dict[str, Any]](), 0

    def url(self, path: str = "/services/secret-token") -> str:
        return super().url(path)


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        inbox: Inbox = self.server.owner  # pyright: ignore[reportAttributeAccessIssue]
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        inbox.num_requests += 1
        status = inbox.answers.pop(0) if inbox.answers else 200
        if status == 200:
            inbox.documents.append(document)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
