"""What a Ray cluster says: of a job, how it ended, and of its machines, which of them could take one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ray.exceptions import RayError
from ray.job_submission import JobSubmissionClient

NO_ANSWER = (OSError, RuntimeError, RayError)  # what a call may raise while the dashboard restarts or is overloaded
SECONDS = 30  # for an answer
RUN = "dagster/run-id"  # which run a job of the cluster belongs to
LOST, NO_ROOM = "its machine is lost", "it found no room"
OVER = {"FAILED", "STOPPED", "SUCCEEDED"}
OWN_END = {"JOB_ENTRYPOINT_COMMAND_ERROR", "JOB_ENTRYPOINT_COMMAND_START_ERROR"}  # rather than with its machine
TIMEOUT = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"


def details(client: JobSubmissionClient, job: str) -> dict[str, Any] | None:
    """What the cluster knows of a job, `None` where it knows of none; raises one of `NO_ANSWER`."""
    answer = client._do_request("GET", f"/api/jobs/{job}", timeout=SECONDS)
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise RuntimeError(f"status {answer.status_code}")
    return answer.json()


def is_over(found: Mapping[str, Any] | None) -> bool:
    """Whether a job runs no more, or was forgotten (a head that began anew)."""
    return found is None or found["status"] in OVER


def ending(found: Mapping[str, Any] | None) -> str:
    """Why a job is over although its step said nothing; begins with `LOST` or `NO_ROOM` when another may do better."""
    if found is None:
        return f"{LOST}: the cluster knows nothing of its job"
    kind, words = found["error_type"], f"{found['error_type'] or found['status']}: {found['message']}"
    if found["status"] != "FAILED" or kind in OWN_END:
        return f"its job ended without a word of the step: {words}"
    return f"{NO_ROOM if kind == TIMEOUT else LOST}: {words}"


def machines(client: JobSubmissionClient) -> list[dict[str, float]]:
    """What each living machine has, free or not, by Ray's names (CPU, GPU); raises one of `NO_ANSWER`."""
    answer = client._do_request("GET", "/api/v0/nodes?limit=10000", timeout=SECONDS)
    if answer.status_code != 200:
        raise RuntimeError(f"status {answer.status_code}")
    return [row["resources_total"] for row in answer.json()["data"]["result"]["result"] if row["state"] == "ALIVE"]


def waiting_for(needs: Mapping[str, float], machines: Sequence[Mapping[str, float]]) -> str:
    """What a job that needs so many of "CPU" and "GPU" waits for."""
    if any(all(machine.get(name, 0.0) >= number for name, number in needs.items()) for machine in machines):
        return f"waiting until a machine of the cluster has {said(needs)} free"
    known = "; ".join(sorted({said({name: machine.get(name, 0.0) for name in needs}) for machine in machines}))
    return (
        f"no machine of the cluster has {said(needs)}, what they have is: {known}; waiting until one joins, or cancel"
    )


def said(needs: Mapping[str, float]) -> str:
    """`4 CPU, 1 GPU`."""
    return ", ".join(f"{number:g} {name}" for name, number in needs.items())
