"""Queries to a Ray cluster: the state of a job, the reason why it ended, and the resources of the machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ray.exceptions import RayError
from ray.job_submission import JobSubmissionClient

UNAVAILABLE = (OSError, RuntimeError, RayError)  # raised by calls while the dashboard restarts or is overloaded
TIMEOUT = 30  # seconds, of a request
RUN = "dagster/run-id"  # metadata key of a job: id of its run
LOST, NO_RESOURCES = "its machine is lost", "no machine had free resources"
ENDED = {"FAILED", "STOPPED", "SUCCEEDED"}
COMMAND_ERRORS = {"JOB_ENTRYPOINT_COMMAND_ERROR", "JOB_ENTRYPOINT_COMMAND_START_ERROR"}  # not errors of the machine
START_TIMEOUT = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"


def details(client: JobSubmissionClient, job: str) -> dict[str, Any] | None:
    """State of a job as Ray reports it, None if the cluster has no record of it; raises one of `UNAVAILABLE`."""
    response = client._do_request("GET", f"/api/jobs/{job}", timeout=TIMEOUT)
    if response.status_code == 404:
        return None
    if response.status_code != 200:
        raise RuntimeError(f"status {response.status_code}")
    return response.json()


def is_over(found: Mapping[str, Any] | None) -> bool:
    """Whether a job has ended, or its record is lost (the head was restarted)."""
    return found is None or found["status"] in ENDED


def failure_reason(found: Mapping[str, Any] | None) -> str:
    """Reason why a job ended before its step; begins with `LOST` or `NO_RESOURCES` if a retry may succeed."""
    if found is None:
        return f"{LOST}: the cluster has no record of its job"
    kind, error = found["error_type"], f"{found['error_type'] or found['status']}: {found['message']}"
    if found["status"] != "FAILED" or kind in COMMAND_ERRORS:
        return f"its job ended without a result of the step: {error}"
    return f"{NO_RESOURCES if kind == START_TIMEOUT else LOST}: {error}"


def machines(client: JobSubmissionClient) -> list[dict[str, float]]:
    """Total resources of each live machine by Ray's names (number of "CPU", "GPU"); raises one of `UNAVAILABLE`."""
    response = client._do_request("GET", "/api/v0/nodes?limit=10000", timeout=TIMEOUT)
    if response.status_code != 200:
        raise RuntimeError(f"status {response.status_code}")
    return [row["resources_total"] for row in response.json()["data"]["result"]["result"] if row["state"] == "ALIVE"]


def waiting_for(needs: Mapping[str, float], machines: Sequence[Mapping[str, float]]) -> str:
    """Message about the resources that a pending job waits for; `needs` maps "CPU" and "GPU" to numbers."""
    if any(all(machine.get(name, 0.0) >= number for name, number in needs.items()) for machine in machines):
        return f"waiting until a machine of the cluster has {describe(needs)} free"
    known = "; ".join(sorted({describe({name: machine.get(name, 0.0) for name in needs}) for machine in machines}))
    return f"no machine of the cluster has {describe(needs)}, only {known}; waiting for one to join, or cancel the run"


def describe(resources: Mapping[str, float]) -> str:
    """Resources as text: `4 CPU, 1 GPU`."""
    return ", ".join(f"{number:g} {name}" for name, number in resources.items())
