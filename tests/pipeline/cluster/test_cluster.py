"""Rules of steps on a Ray cluster that hold without one: how jobs end, what they need, addresses that are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.pipeline.live.services import ROOT

IS_INSTALLED = find_spec("ray") is not None and find_spec("dagster_ray") is not None
pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="the extra is not installed: pip install 'nsmodels[ray]'")

# One process for all: Ray takes seconds to import, and the last part takes a package away.
PROGRAM = """
import json, sys
from pipeline.lib.cluster import executor
from pipeline.lib.cluster.jobs import failure_reason, waiting_for
from pipeline.lib.cluster.steps import PAUSE, processes_of

jobs = [None, *({"status": status, "error_type": kind, "message": "why"} for status, kind in json.loads(sys.argv[1]))]
machines = [{"CPU": 2.0, "GPU": 1.0}, {"CPU": 2.0, "GPU": 1.0}, {"CPU": 4.0}]
needs = [{"CPU": 4.0, "GPU": 0.0}, {"CPU": 4.0, "GPU": 1.0}]
config = {"ops": {"nav_model": {"config": {"training": {"num_processes": 3}}}, "mazes": {}}}

def refusal(address):
    try:
        executor.connect(address)
    except executor.InputError as error:
        return str(error)

refusals = [refusal(address) for address in ("127.0.0.1:6379", "http://127.0.0.1:1")]
sys.modules["dagster_ray"] = None
refusals.append(refusal("http://127.0.0.1:1"))
print(json.dumps({
    "reasons": [failure_reason(job) for job in jobs],
    "waiting": [waiting_for(each, machines) for each in needs],
    "processes": [processes_of(config, step) for step in ("nav_model", "mazes", "nav_evaluation")],
    "pause": PAUSE,
    "refusals": refusals,
}))
"""
ENDED = [
    ("FAILED", "JOB_SUPERVISOR_ACTOR_DIED"),
    ("FAILED", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"),
    ("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR"),
    ("STOPPED", None),
]


@pytest.fixture(scope="module")
def found() -> dict:
    words = [sys.executable, "-c", PROGRAM, json.dumps(ENDED)]
    environment = os.environ | {"NSMODELS_LOCK_SECONDS": "90"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_only_failures_that_a_retry_may_resolve_are_marked_as_such(found: dict) -> None:
    assert found["reasons"] == [
        "its machine is lost: the cluster has no record of its job",
        "its machine is lost: JOB_SUPERVISOR_ACTOR_DIED: why",
        "no machine had free resources: JOB_SUPERVISOR_ACTOR_START_TIMEOUT: why",
        "its job ended without a result of the step: JOB_ENTRYPOINT_COMMAND_ERROR: why",
        "its job ended without a result of the step: STOPPED: why",
    ]
    assert found["waiting"] == [
        "waiting until a machine of the cluster has 4 CPU, 0 GPU free",
        "no machine of the cluster has 4 CPU, 1 GPU, only 2 CPU, 1 GPU; 4 CPU, 0 GPU; "
        "waiting for one to join, or cancel the run",
    ]


def test_an_invalid_address_is_one_line(found: dict) -> None:
    assert found["refusals"] == [
        "RAY_ADDRESS: expected the address of Ray's dashboard (http://host:8265), got '127.0.0.1:6379'",
        "RAY_ADDRESS=http://127.0.0.1:1: no Ray cluster responds; start it, or unset RAY_ADDRESS",
        "RAY_ADDRESS is set, but 'dagster_ray' is not installed: pip install 'nsmodels[ray]', or unset RAY_ADDRESS",
    ]


def test_a_training_has_one_cpu_per_process_and_a_retry_waits_for_the_locks_of_a_dead_machine(found: dict) -> None:
    assert found["processes"] == [3, 1, 1]
    assert found["pause"] == 95
