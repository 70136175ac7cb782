"""Pages of other sites cannot use the web UI of this machine; a browser on the UI itself, and programs, can."""

import json
import subprocess
import sys
import types

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from nsmodels.core.errors import InputError
from pipeline.lib.runs import webserver

LAUNCH = "mutation { launchRun(executionParams: {}) { __typename } }"
ASK = "query { version }"
PAGE = {"accept": "text/html"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def browser():
    """Requests to an application behind the guard; it answers everything that passes."""

    async def answer(request):
        return PlainTextResponse("passed")

    async def connect(socket):
        await socket.accept(subprotocol="graphql-ws")
        await socket.send_text("passed")
        await socket.close()

    methods = ["GET", "POST", "PUT"]
    routes = [WebSocketRoute("/graphql", connect), Route("/{path:path}", answer, methods=methods)]
    app = Starlette(routes=routes)
    app.add_middleware(webserver.Guard, hosts=["box.lab.org", "10.0.0.5"])
    return TestClient(app, base_url="http://localhost:3000")


OWN = ["localhost", "localhost:1", "LOCALHOST:3000", "localhost.", "127.0.0.1:3000", "[::1]:3000", "[0:0:0:0:0:0:0:1]"]
OWN += ["box.lab.org", "box.lab.org:443", "10.0.0.5:3000", "[::ffff:10.0.0.5]"]
FOREIGN = ["evil.example", "evil.example:3000", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example"]
FOREIGN += ["localhost@evil.example", "evil.example#localhost", "localhost:3000:3000", "127.0.0.2", "10.0.0.6", "[::2]"]
FOREIGN += ["", " ", "localhost,evil.example", "localhost/", "http://localhost", "[localhost]", "null", "*", "0.0.0.0"]


@pytest.mark.parametrize("host", OWN)
def test_its_own_hosts_and_origins_are_accepted(browser, host):
    assert browser.get("/", headers={**PAGE, "host": host}).text == "passed"
    for scheme in ("http", "https"):
        headers = {**JSON, "host": host, "origin": f"{scheme}://{host}"}
        assert browser.post("/graphql", headers=headers, content=json.dumps({"query": LAUNCH})).text == "passed"


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts_are_refused_whatever_they_ask(browser, host):
    for path in ("/", "/graphql", "/server_info", "/logs/run/compute/out.out"):
        done = browser.get(path, headers={**PAGE, "host": host})
        assert done.status_code == 403
        assert webserver.VARIABLE in done.text
        assert done.headers["content-type"].startswith("text/plain")
    assert browser.post("/graphql", headers={**JSON, "host": host}, json={"query": ASK}).status_code == 403


@pytest.mark.parametrize("origin", ["null", "", "file://", "localhost", "ftp://localhost", "//localhost"])
def test_origins_that_are_no_page_of_the_ui_are_refused(browser, origin):
    assert browser.post("/graphql", headers={**JSON, "origin": origin}, json={"query": ASK}).status_code == 403


@pytest.mark.parametrize("origin", [f"https://{host}" for host in FOREIGN])
def test_foreign_origins_are_refused_whatever_they_ask(browser, origin):
    assert browser.post("/graphql", headers={**JSON, "origin": origin}, json={"query": ASK}).status_code == 403
    assert browser.get("/graphql", params={"query": ASK}, headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        browser.websocket_connect("/graphql", headers={"origin": origin}),
    ):
        pass
    assert caught.value.code == 1008


def test_several_hosts_or_origins_are_refused_unless_all_are_own(browser):
    two = [("host", "localhost"), ("host", "evil.example")]
    assert browser.get("/", headers=two).status_code == 403
    two = [("origin", "http://localhost:3000"), ("origin", "http://evil.example")]
    assert browser.get("/", headers=two).status_code == 403


def test_the_websocket_of_the_ui_connects(browser):
    for headers in ({"origin": "http://localhost:3000"}, {}):  # a browser, a program
        with browser.websocket_connect("/graphql", ["graphql-ws"], headers=headers) as socket:
            assert socket.receive_text() == "passed"
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/graphql", headers={"host": "evil.example"}):
        pass


@pytest.mark.parametrize(
    "query",
    [LAUNCH, f"{ASK.replace('query', 'query a')} {LAUNCH.replace('mutation', 'mutation b')}", f"# a\n\t{LAUNCH}",
     "fragment f on Mutation { __typename } mutation { ...f }"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/prefix/graphql", "/graphql/"])
def test_no_mutation_by_a_get(browser, query, path):
    for params in ({"query": query}, [("query", query), ("query", ASK)], [("query", ASK), ("query", query)]):
        for method in ("GET", "HEAD", "PUT"):
            assert browser.request(method, path, params=params).status_code == 405
    assert browser.get(path, params={"query": query, "operationName": "a"}, headers=PAGE).status_code == 405


def test_questions_by_a_get_are_answered(browser):
    for query in (
        ASK,
        "{ version }",
        "mutation",
        "subscription { a }",
        "{ mutation }",
        'query { a(b: "mutation {c}") }',
    ):
        assert browser.get("/graphql", params={"query": query}).text == "passed"
    assert browser.get("/assets", params={"query": "nav"}, headers=PAGE).text == "passed"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a",
     "text/plain;application/json", "application/graphql", "application/jsonp", "",
     "text/plain; charset=application/json"],
)  # fmt: skip
def test_a_post_that_needs_no_permission_from_the_browser_is_refused(browser, kind):
    body = json.dumps({"query": LAUNCH})
    for path in ("/graphql", "/prefix/graphql"):
        headers = {"content-type": kind} if kind else {}
        done = browser.post(path, params={"query": LAUNCH}, headers=headers, content=body)
        assert done.status_code == 415
    two = [("content-type", "text/plain"), ("content-type", "application/json")]
    assert browser.post("/graphql", headers=two, content=body).status_code == 415


def test_json_is_accepted_with_its_encoding_and_events_are_reported_without_a_body(browser):
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert browser.post("/graphql", headers={"content-type": kind}, content="{}").text == "passed"
    assert browser.post("/report_asset_materialization/a", params={"data_version": "1"}).text == "passed"
    assert (
        browser.post("/report_asset_check/a", content="a=b", headers={"content-type": "text/plain"}).status_code == 415
    )


def test_the_address_at_which_a_request_arrives_is_its_own():
    guard = webserver.Guard(lambda *_: None)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"192.168.1.7:3000")],
    }
    assert guard.refusal({**scope, "server": ("192.168.1.7", 3000)}) is None
    assert guard.refusal({**scope, "server": ("::ffff:192.168.1.7", 3000)}) is None
    assert guard.refusal({**scope, "server": ("127.0.0.1", 3000)}) is not None
    assert guard.refusal({**scope, "server": None}) is not None
    assert guard.refusal({**scope, "headers": [], "server": ("127.0.0.1", 3000)}) is not None


def test_further_hosts_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv(webserver.VARIABLE, "a.lab.org, B.lab.org:8443  [fd00::5]:3000")
    monkeypatch.setenv(webserver.UI_VARIABLE, "https://ui.lab.org:8443/dagster")
    assert list(webserver.configured_hosts()) == ["a.lab.org", "b.lab.org", "fd00::5", "ui.lab.org"]
    monkeypatch.setenv(webserver.VARIABLE, "https://ui.lab.org")
    with pytest.raises(InputError, match="NSMODELS_UI_HOSTS: expected names of hosts"):
        list(webserver.configured_hosts())


def test_the_guard_is_added_to_the_application_that_dagster_creates():
    module = types.SimpleNamespace(create_app_from_workspace_process_context=lambda *_, **__: Starlette())
    webserver.protect(module)  # type: ignore[arg-type]
    app = module.create_app_from_workspace_process_context("context", path_prefix="")
    with TestClient(app) as client:
        assert client.get("/", headers={"host": "evil.example"}).status_code == 403
        assert client.get("/", headers={"host": "localhost"}).status_code == 404


@pytest.mark.parametrize("hosts", ["", "http://wrong"], ids=["nothing to guard", "wrong hosts"])
def test_no_server_without_a_guard(hosts, monkeypatch, capsys):
    monkeypatch.setenv(webserver.VARIABLE, hosts)
    names = {"create_app_from_workspace_process_context": None} if hosts else {}
    with pytest.raises(SystemExit) as caught:
        webserver.protect(types.SimpleNamespace(**names))  # type: ignore[arg-type]
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the web server is not started without its guard: ")


def test_whose_server_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not webserver.is_of_project(["-m", "dagster_webserver", "--port", "3000"], None)
    assert webserver.is_of_project(["-m", "pipeline.definitions"], None)
    assert webserver.is_of_project(["--module-name=pipeline.definitions"], None)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("run_launcher:\n  module: pipeline.lib.runs.launcher\n")
    assert webserver.is_of_project([], str(home))
    (tmp_path / "pyproject.toml").write_text('[tool.dagster]\nmodule_name = "pipeline.definitions"\n')
    assert webserver.is_of_project([], None)


def test_the_programs_of_the_web_server_refuse_what_the_guard_cannot_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.dagster]\nmodule_name = "pipeline.definitions"\n')
    environment = {"PATH": "/usr/bin:/bin", webserver.VARIABLE: "http://wrong"}
    words = [sys.executable, "-W", "ignore", "-m", "dagster_webserver", "--version"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("error: the web server is not started without its guard: NSMODELS")
