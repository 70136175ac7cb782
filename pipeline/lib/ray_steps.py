"""Steps as jobs of a Ray cluster, on top of dagster-ray: what they need, and what happens when their machine dies.

Uses names that Dagster and dagster-ray do not promise to keep: both are pinned, and a test kills a worker.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.execution.plan.objects import StepRetryData
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.step_delegating import StepDelegatingExecutor, StepHandlerContext
from dagster_ray.configs import RayExecutionConfig
from dagster_ray.core.executor import RayStepHandler
from ray.job_submission import JobSubmissionClient

from nsmodels.core.artifact import data_root
from pipeline.lib import policy, ray_step

HEALTH_INTERVAL = 5  # seconds between two looks whether the jobs live
MAX_LOSSES = 5  # machines that a step may lose in one run
PAUSE = 5  # seconds before a lost step starts again: its lock must be free
STOP_SECONDS = 60  # for a checkpoint; Ray's own default is 3
# What says that a job ended by itself, rather than with its machine.
OWN_END = "JOB_ENTRYPOINT_COMMAND_ERROR"
# Passed on to the steps. Never a password: Ray's dashboard shows the environment of its jobs.
PASSED = ("DAGSTER_HOME", "PYTHONPATH", "OMP_NUM_THREADS")


class RayExecutor(StepDelegatingExecutor):
    """Starts a step again, on another machine, when the one that it ran on is gone."""

    def __init__(self, client: JobSubmissionClient) -> None:
        super().__init__(
            RaySteps(client),
            retries=RetryMode.ENABLED,
            check_step_health_interval_seconds=HEALTH_INTERVAL,
            should_verify_step=True,
        )

    def log_failure_or_retry_event_after_error(self, step_context: Any, err_info: Any, known_state: Any) -> Any:
        """A step that was lost is to be retried, whatever its policy; others as Dagster does."""
        losses = known_state.get_retry_state().get_attempt_count(step_context.step.key)
        is_lost = "failed health check" in err_info.message and OWN_END not in err_info.message
        if is_lost and losses < MAX_LOSSES:
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=err_info, seconds_to_wait=PAUSE))
        return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)


class RaySteps(RayStepHandler):
    """Starts each step in the project's folder with what it needs of CPUs and GPUs."""

    def __init__(self, client: JobSubmissionClient) -> None:
        super().__init__(client, None, None, None, None, None, None)
        self._has_gpus = False

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Submit the step as a job; Ray queues it until a machine has room."""
        key, job = self._get_step_key(step_handler_context), self._get_ray_job_submission_id(step_handler_context)
        context = step_handler_context.get_step_context(key)
        num_processes = processes_of(step_handler_context.dagster_run.run_config, key)
        asked = RayExecutionConfig.from_tags(dict(step_handler_context.step_tags[key]))
        needs = self.needs(context.step.pool, num_processes, asked)
        said = ", ".join(f"{value:g} {name.rsplit('_', 1)[-1]}" for name, value in needs.items())
        yield DagsterEvent.step_worker_starting(
            context, f"Ray job {job} ({said})", {"ray_job": dg.TextMetadataValue(job)}
        )
        self.client.submit_job(
            entrypoint=entrypoint(),
            submission_id=job,
            metadata={"dagster/run-id": step_handler_context.execute_step_args.run_id, "dagster/op": key},
            runtime_env={"env_vars": environment(step_handler_context)},
            **needs,
        )

    def needs(self, pool: str | None, num_processes: int, asked: RayExecutionConfig) -> dict[str, Any]:
        """A CPU per process; a GPU each for what waits in the pool of trainings, where there are any; or as tagged.

        The tag is dagster-ray's own: `op_tags={"dagster-ray/config": {"num_cpus": 4}}`.
        """
        # Once seen: a training that has lost its GPU waits for another, it does not go on for weeks without.
        self._has_gpus = self._has_gpus or num_gpus_of(self.client) > 0
        num_gpus = float(num_processes) if pool == policy.TRAINING and self._has_gpus else 0.0
        return {
            "entrypoint_num_cpus": float(num_processes) if asked.num_cpus is None else asked.num_cpus,
            "entrypoint_num_gpus": num_gpus if asked.num_gpus is None else asked.num_gpus,
        }


def processes_of(run_config: Mapping[str, Any], step: str) -> int:
    """How many processes the launchpad gives a training."""
    given = run_config.get("ops", {}).get(step, {}).get("config", {})
    return (given.get("training") or {}).get("num_processes") or 1


def entrypoint() -> str:
    """The command of a step, in this folder: it must be the same on every machine."""
    words = [sys.executable, "-m", ray_step.__name__]
    return f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(words)}"


def environment(context: StepHandlerContext) -> dict[str, str]:
    """What a step must know beyond the environment in which `ray start` was called."""
    given = {variable["name"]: variable["value"] for variable in context.execute_step_args.get_command_env()}
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return passed | given | {"NSMODELS_DATA": str(data_root()), "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}


def num_gpus_of(client: JobSubmissionClient) -> float:
    """GPUs of the whole cluster, free or not."""
    status = client._do_request("GET", "/api/cluster_status").json()
    usage = ((status["data"].get("clusterStatus") or {}).get("loadMetricsReport") or {}).get("usage", {})
    return usage.get("GPU", [0.0, 0.0])[1]
