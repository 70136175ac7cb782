"""Guard of the web UI against pages of other sites: hosts, origins, and the requests that may change something.

Dagster's server accepts any Host header and executes GraphQL mutations by GET, so that a page in a browser on this
machine could start runs. Other programs are not affected: they send no Origin header, and whoever reaches the port may
use the UI.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nsmodels.core.errors import InputError

VARIABLE, UI_VARIABLE = "NSMODELS_UI_HOSTS", "NSMODELS_UI_URL"
LOCAL = ("localhost", "127.0.0.1", "::1")
ADDRESS = re.compile(
    r"(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?))(?::\d{1,5})?"
)
REPORTS = "/report_asset_"  # Dagster's endpoints for events of other systems, whose fields may be in the URL
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware that answers 403, 405 or 415 to requests that a page of another site may have caused.

    Args:
        app: the application behind it.
        hosts: names and addresses under which the UI is reached, without ports; those of `LOCAL` are added.
    """

    def __init__(self, app: App, hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset(map(_normal, (*LOCAL, *hosts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        refusal = self.refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:120]})
        else:
            await _answer(send, *refusal)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and one line for a request that is refused; None for any other."""
        hosts, origins = _headers(scope, "host"), _headers(scope, "origin")
        if len(hosts) != 1 or not self._is_own(host_of(hosts[0]), scope):
            return 403, f"host {_shown(hosts)} is not this server's; to allow it, add its name to {VARIABLE}"
        if any(not self._is_own(_host_of_origin(origin), scope) for origin in origins):
            return 403, f"origin {_shown(origins)} is not this server's; to allow it, add its host to {VARIABLE}"
        return _refused_method(scope) if scope["type"] == "http" else None

    def _is_own(self, host: str | None, scope: Scope) -> bool:
        """Whether a host is one of this server, or the address at which the request has arrived."""
        address = (scope.get("server") or ("",))[0]
        return host is not None and (host in self.hosts or host == _normal(str(address)))


def host_of(header: str) -> str | None:
    """Name or address in a Host header, without port; None for anything else."""
    found = ADDRESS.fullmatch(header)
    return _normal(found["ip"] or found["name"]) if found else None


def _host_of_origin(origin: str) -> str | None:
    scheme, _, host = origin.partition("://")
    return host_of(host) if scheme.lower() in ("http", "https") else None


def _normal(host: str) -> str:
    """A host in the form in which hosts are compared."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _refused_method(scope: Scope) -> tuple[int, str] | None:
    if scope["method"] != "POST":
        queries = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        is_change = any(name == "query" and _is_mutation(text) for name, text in queries)
        return (405, "a mutation is accepted by POST only") if is_change else None
    kinds = {kind.partition(";")[0].strip().lower() for kind in _headers(scope, "content-type")}
    if kinds == {"application/json"} or (not kinds and REPORTS in scope["path"]):
        return None
    return 415, "expected the header Content-Type: application/json"


def _is_mutation(text: str) -> bool:
    """Whether a GraphQL document contains a mutation; one that is not valid is left to the server, which refuses it."""
    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

    try:
        parts = parse(text).definitions
    except (GraphQLError, RecursionError):
        return False
    return any(isinstance(part, OperationDefinitionNode) and part.operation == OperationType.MUTATION for part in parts)


def _headers(scope: Scope, name: str) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.decode("latin-1").lower() == name]


def _shown(values: list[str]) -> str:
    return ", ".join(value[:80] for value in values) or "(none)"


async def _answer(send: Send, status: int, line: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{line}\n".encode()})


# --- where the server is started --------------------------------------------------------------------------------------


def configured_hosts() -> Iterator[str]:
    """Hosts in `NSMODELS_UI_HOSTS` (names with or without ports) and `NSMODELS_UI_URL`; `InputError` for other text."""
    for word in os.environ.get(VARIABLE, "").replace(",", " ").split():
        if (host := host_of(word)) is None:
            raise InputError(f"{VARIABLE}: expected names of hosts as in ui.lab.org 10.0.0.5, got '{word}'")
        yield host
    if address := os.environ.get(UI_VARIABLE):
        yield urlsplit(address if "://" in address else f"//{address}").hostname or ""


def is_of_project(arguments: Sequence[str], home: str | None) -> bool:
    """Whether a web server started here serves this project, by its target, `pyproject.toml` or `dagster.yaml`."""
    if any(word.rpartition("=")[2].partition(".")[0] == "pipeline" for word in arguments):
        return True
    texts = [_text(Path("pyproject.toml")), *(_text(Path(folder) / "dagster.yaml") for folder in (home, ".") if folder)]
    return any(name in text for text in texts for name in ("pipeline.definitions", "pipeline.lib.runs.launcher"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def protect(module: ModuleType) -> None:
    """Put the guard in front of the application that `dagster_webserver.cli` creates, which shows our pages.

    The process ends with status 2 and one line where that is not possible: no server without the guard.
    """
    from pipeline.lib.display import webpages  # here: only the web server imports what it needs

    try:
        create = module.create_app_from_workspace_process_context
        hosts = list(configured_hosts())
    except (AttributeError, InputError) as error:
        print(f"error: the web server is not started without its guard: {error}", file=sys.stderr)
        raise SystemExit(2) from None

    @functools.wraps(create)
    def create_guarded(*arguments: Any, **options: Any) -> Any:
        webpages.install()
        app = create(*arguments, **options)
        app.add_middleware(Guard, hosts=[*hosts, *_bound_host()])
        return app

    module.create_app_from_workspace_process_context = create_guarded  # type: ignore[attr-defined]


def _bound_host() -> list[str]:
    """The host in `--host` of the running command."""
    import click

    context = click.get_current_context(silent=True)
    host = context.params.get("host") if context else None
    return [host] if host else []
