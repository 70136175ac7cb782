"""Notifications are sent in up to three attempts and never reveal the URL; a failed run is reported in one line."""

import dagster as dg
import pytest

from nsmodels.core.errors import InputError
from pipeline.lib import step
from pipeline.lib.automation import webhook
from pipeline.lib.automation.webhook import Webhook
from pipeline.sensors import tell_failures
from tests.core.server import free_port
from tests.pipeline.automation.inbox import Inbox


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """No pauses between attempts."""
    monkeypatch.setattr(webhook, "PAUSES", (0.0, 0.0))
    monkeypatch.delenv("NSMODELS_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("NSMODELS_UI_URL", raising=False)


@pytest.fixture
def address(monkeypatch):
    """Sets the address of the webhook."""
    return lambda url: monkeypatch.setenv("NSMODELS_WEBHOOK_URL", url)


def test_a_message_is_a_json_document_without_empty_fields(address):
    with Inbox() as inbox:
        address(inbox.url())
        Webhook().send("hello", job="demo", partition=None, assets=[], error="", low=0.0, n=0)
    assert inbox.documents == [{"text": "hello", "job": "demo", "low": 0.0, "n": 0}]


@pytest.mark.parametrize("answers", [(503,), (500, 429)])
def test_a_transient_error_is_retried(address, answers):
    with Inbox(*answers) as inbox:
        address(inbox.url())
        Webhook().send("hello")
    assert inbox.documents == [{"text": "hello"}]
    assert inbox.num_requests == len(answers) + 1


@pytest.mark.parametrize(("answers", "num_requests"), [((503, 503, 503), 3), ((404,), 1), ((302,), 1)])
def test_a_refusal_is_one_line_without_the_address(address, answers, num_requests):
    with Inbox(*answers) as inbox:
        address(inbox.url())
        with pytest.raises(InputError) as refused:
            Webhook().send("hello")
    status = answers[-1]
    assert str(refused.value) == f"the webhook in NSMODELS_WEBHOOK_URL does not accept messages: HTTP status {status}"
    assert inbox.num_requests == num_requests


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/secret-token", "secret-token", "http://[secret-token"])
def test_the_error_without_a_server_or_a_valid_url_does_not_reveal_it_either(address, url):
    address(url.format(port=free_port()))
    with pytest.raises(InputError) as refused:
        Webhook().send("hello")
    assert refused.value.__context__ is None  # Dagster shows that too
    assert "secret" not in str(refused.value)


def test_the_configuration_in_the_ui_contains_no_address(address):
    address("http://127.0.0.1/secret-token")
    assert "secret" not in repr(Webhook())
    assert Webhook().is_set


# --- failed runs ------------------------------------------------------------------------------------------------------


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["7"]))
def broken() -> None:
    """Ends with one line."""
    with step.one_line_errors():
        raise InputError("data/mazes: no such folder;\n  make it first")


@dg.asset
def raises() -> None:
    """Has a bug."""
    raise ZeroDivisionError("division by zero")


def reported(instance, asset, partition=None):
    """Id of a failed run, and the result of the sensor for it."""
    job = dg.Definitions([asset], jobs=[dg.define_asset_job("job", [asset])]).resolve_job_def("job")
    done = job.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)
    run = instance.get_run_by_id(done.run_id)
    (event,) = [event for event in done.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    context = dg.build_run_status_sensor_context(
        sensor_name="tell_failures",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        partition_key=partition,
        resources={"webhook": Webhook()},
    )
    return done.run_id, tell_failures(context.for_run_failure())


def test_a_failed_run_is_reported_with_its_error_in_one_line(address, monkeypatch, instance):
    monkeypatch.setenv("NSMODELS_UI_URL", "http://box:3000/")
    with Inbox() as inbox:
        address(inbox.url())
        run, _ = reported(instance, broken, "7")
    (document,) = inbox.documents
    assert document["error"] == "broken: data/mazes: no such folder; make it first"
    assert (document["run_id"], document["job"], document["partition"]) == (run, "job", "7")
    assert document["link"] == f"http://box:3000/runs/{run}"
    assert document["text"] == f"Run {run[:8]} of job failed. {document['error']} {document['link']}"


def test_a_bug_is_reported_with_its_exception(address, instance):
    with Inbox() as inbox:
        address(inbox.url())
        reported(instance, raises)
    assert inbox.documents[0]["error"] == "raises: ZeroDivisionError: division by zero"
    assert "link" not in inbox.documents[0]


def test_without_an_address_the_tick_says_so(instance):
    _, result = reported(instance, raises)
    assert result.skip_message.startswith("not sent, NSMODELS_WEBHOOK_URL is not set: Run ")
