"""A hub of repositories on 127.0.0.1, as far as the client of the Hugging Face hub asks it for files and commits."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.core.server import LocalServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(LocalServer):
    """Repositories by name, each a mapping from file names to contents; those of datasets begin with `datasets/`."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Any  # its `owner` is the hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            about = json.loads(body)
            name = f"{about.get('organization') or 'me'}/{about['name']}"
            kind = "datasets/" if about.get("type") == "dataset" else ""
            self.server.owner.repositories.setdefault(kind + name, {".gitattributes": b""})
            return self._json({"url": f"{self.server.owner.url()}/{kind}{name}", "name": name})
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            return self._json(
                {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
            )
        if "/commit/" in path:
            name = self._repository(path, "/commit/")
            self._commit(name, body)
            return self._json(
                {"commitUrl": f"{self.server.owner.url()}/{name}/commit/{COMMIT}", "commitOid": COMMIT, "success": True}
            )
        return self._json({"error": f"unknown: {path}"}, 404)

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def _answer(self, has_body: bool) -> None:
        path = unquote(self.path.partition("?")[0])
        if "/resolve/" in path:
            name, _, rest = path.strip("/").partition("/resolve/")
            content = self.server.owner.repositories.get(name, {}).get(rest.partition("/")[2])
            return self._file(content, has_body)
        if "/tree/" in path and (files := self.server.owner.repositories.get(self._repository(path, "/tree/"))):
            found = [{"type": "file", "path": n, "size": len(c), "oid": COMMIT} for n, c in files.items()]
            return self._json(found)
        if path.startswith("/api/") and (
            files := self.server.owner.repositories.get(self._repository(path, "/revision/"))
        ):
            about = {"id": path, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
            return self._json(about)
        return self._missing("RepoNotFound")

    def _repository(self, path: str, before: str) -> str:
        kind, _, name = path.removeprefix("/api/").partition(before)[0].partition("/")
        return ("datasets/" if kind == "datasets" else "") + name

    def _commit(self, name: str, body: bytes) -> None:
        files = self.server.owner.repositories[name]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]

    def _file(self, content: bytes | None, has_body: bool) -> None:
        if content is None:
            return self._missing("EntryNotFound")
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return self._send(200, content, headers, has_body)

    def _missing(self, code: str) -> None:
        self._send(404, b"", {"X-Error-Code": code}, True)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"}, True)

    def _send(self, status: int, content: bytes, headers: dict[str, str], has_body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if has_body:
            self.wfile.write(content)
