"""The web server of a real `dagster dev`: what pages of other sites try is refused, what its own pages do works."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.pipeline.live.services import LAUNCH, live, until

pytestmark = pytest.mark.live
ASK, CHANGE = "{ version }", "mutation { setNuxSeen }"
EVIL = "http://evil.example"
RUN_LOG = """subscription { pipelineRunLogs(runId: "%s") { __typename
  ... on PipelineRunLogsSubscriptionSuccess { messages { __typename } } } }"""


@pytest.fixture(scope="module")
def dagster(tmp_path_factory):
    with live(tmp_path_factory.mktemp("guarded"), "tests.pipeline.coins") as running:
        yield running


@pytest.fixture
def ask(dagster):
    """The status and the text of an answer to a request."""

    def ask(path="/graphql", query=None, body=None, **headers):
        url = dagster.url + path + (f"?{urllib.parse.urlencode({'query': query})}" if query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, named), timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return ask


def test_pages_of_other_sites_are_refused(dagster, ask):
    body = json.dumps({"query": CHANGE}).encode()
    assert ask(query=CHANGE)[0] == 405
    for headers in ({"Host": "evil.example"}, {"Origin": EVIL}, {"Origin": "null"}):
        assert ask(query=ASK, **headers)[0] == 403
        assert ask(body=body, Content_Type="application/json", **headers)[0] == 403
    assert ask("/", Host="evil.example", Accept="text/html")[0] == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert ask(query=CHANGE, body=body, Content_Type=kind)[0] == 415
    with pytest.raises(InvalidStatus), connect(f"ws{dagster.url[4:]}/graphql", origin=EVIL):
        pass


def test_the_pages_of_the_ui_work(dagster, ask):
    assert ask(query=ASK)[0] == 200
    for host in ("127.0.0.1", "localhost"):
        status, page = ask("/", Accept="text/html", Host=f"{host}:{dagster.port}")
        assert (status, "/_next/static/" in page) == (200, True)
    body, origin = json.dumps({"query": CHANGE}).encode(), dagster.url
    assert ask(body=body, Content_Type="application/json", Origin=origin)[0] == 200


def test_a_run_without_assets_fails_with_the_reason_and_its_log_reaches_the_ui(dagster):
    selector = dagster.repository() | {"jobName": "__ASSET_JOB", "assetSelection": []}
    made = dagster.graphql(LAUNCH, params={"selector": selector, "runConfigData": {}})["launchPipelineExecution"]
    run = made["run"]["runId"]
    until(lambda: dagster.run(run)["status"] == "FAILURE")
    assert "this run selects no asset, and Dagster would build all of them" in dagster.story(run)
    with connect(f"ws{dagster.url[4:]}/graphql", origin=dagster.url, subprotocols=["graphql-ws"]) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": RUN_LOG % run}}))
        kinds = [json.loads(socket.recv(60))["type"] for _ in range(2)]
    assert kinds == ["connection_ack", "data"]
