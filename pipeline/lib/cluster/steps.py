"""Steps as jobs of a Ray cluster, on top of dagster-ray: their resources, their health, and retries of lost steps.

Uses private names of Dagster and dagster-ray: both are pinned, and a test kills a worker.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_ray.configs import RayExecutionConfig
from dagster_ray.core.executor import RayStepHandler
from ray.job_submission import JobSubmissionClient

from nsmodels.core import hardware
from nsmodels.core.artifact import data_root
from pipeline.internals import (
    CheckStepHealthResult,
    DagsterEvent,
    IStepContext,
    RetryMode,
    StepDelegatingExecutor,
    StepHandlerContext,
    StepRetryData,
)
from pipeline.lib import policy
from pipeline.lib.cluster import jobs, step

HEALTH_INTERVAL = 5  # seconds between two health checks of the jobs
MAX_LOSSES = 5  # machines that a step may lose in one run
# Seconds before a lost step is retried: its lock must be free, and shared storage keeps one of a dead machine a while.
PAUSE = 5 + int(os.environ.get("NSMODELS_LOCK_SECONDS", "0"))
STOP_SECONDS = 60  # to save a checkpoint; Ray's own default is 3
# Environment variables of the steps. Never a password: Ray's dashboard shows the environment of its jobs.
PASSED = ("DAGSTER_HOME", "PYTHONPATH", "OMP_NUM_THREADS", *hardware.WAITING, "NSMODELS_EXTENSIONS")


class RayExecutor(StepDelegatingExecutor):
    """An executor that retries a step on a different machine when its machine is lost."""

    def __init__(self, client: JobSubmissionClient) -> None:
        super().__init__(
            RaySteps(client),
            retries=RetryMode.ENABLED,
            check_step_health_interval_seconds=HEALTH_INTERVAL,
            should_verify_step=True,
        )
        self._num_unstarted: Counter[str] = Counter()  # attempts of a step that never started

    def log_failure_or_retry_event_after_error(self, step_context: Any, err_info: Any, known_state: Any) -> Any:
        """Retry a step that was lost or never got resources, whatever its policy; treat others as Dagster does."""
        key, reason = step_context.step.key, err_info.message.partition(" failed health check: ")[2]
        self._num_unstarted[key] += reason.startswith(jobs.NO_RESOURCES)
        losses = known_state.get_retry_state().get_attempt_count(key) - self._num_unstarted[key]
        if reason.startswith(jobs.NO_RESOURCES) or (reason.startswith(jobs.LOST) and losses < MAX_LOSSES):
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=err_info, seconds_to_wait=PAUSE))
        return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)


class RaySteps(RayStepHandler):
    """Starts each step in the project's folder with the CPUs and GPUs that it needs."""

    def __init__(self, client: JobSubmissionClient) -> None:
        super().__init__(client, None, None, None, None, None, None)
        self._has_gpus = False
        self._needs: dict[str, dict[str, float]] = {}
        self._over: set[str] = set()  # jobs found to be over before their step reported its end
        self._logged: set[tuple[str, str]] = set()  # (job, message)

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Submit the step as a job; Ray queues it until a machine has room."""
        key, job = self._get_step_key(step_handler_context), self._get_ray_job_submission_id(step_handler_context)
        context = step_handler_context.get_step_context(key)
        num_processes = processes_of(step_handler_context.dagster_run.run_config, key)
        tagged = RayExecutionConfig.from_tags(dict(step_handler_context.step_tags[key]))
        try:
            self._needs[job] = self.needs(context.step.pool, num_processes, tagged)
            message = f"Ray job {job} ({jobs.describe(self._needs[job])})"
            yield DagsterEvent.step_worker_starting(context, message, {"ray_job": dg.TextMetadataValue(job)})
            self._submit(job, step_handler_context)
        except jobs.UNAVAILABLE as error:  # the next health check finds out whether the job exists
            context.log.warning(f"Ray job {job}: not confirmed by the cluster: {_first_line(error)}")

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Unhealthy if the job is over at two checks in a row: the last event of the step may still be in transit.

        A step counts as healthy while the cluster is unavailable.
        """
        key, job = self._get_step_key(step_handler_context), self._get_ray_job_submission_id(step_handler_context)
        context = step_handler_context.get_step_context(key)
        try:
            found = jobs.details(self.client, job)
            if found and found["status"] == "PENDING":
                self._log_once(context, job, jobs.waiting_for(self._needs[job], jobs.machines(self.client)))
        except jobs.UNAVAILABLE as error:
            self._log_once(context, job, "no valid response from the cluster; assumed alive", _first_line(error))
            return CheckStepHealthResult.healthy()
        was_over = job in self._over
        (self._over.add if jobs.is_over(found) else self._over.discard)(job)
        if not (was_over and jobs.is_over(found)):
            return CheckStepHealthResult.healthy()
        return CheckStepHealthResult.unhealthy(jobs.failure_reason(found))

    def needs(self, pool: str | None, num_processes: int, tagged: RayExecutionConfig) -> dict[str, float]:
        """Number of "CPU" and "GPU" of a step: as tagged, or one CPU per process.

        A step of the training pool also gets one GPU per process if the cluster has GPUs. The tag is that of
        dagster-ray: `op_tags={"dagster-ray/config": {"num_cpus": 4}}`. Raises one of `jobs.UNAVAILABLE`.
        """
        # Remembered: a training that lost its GPU waits for a new one instead of training on the CPU.
        self._has_gpus = self._has_gpus or any(machine.get("GPU") for machine in jobs.machines(self.client))
        num_gpus = float(num_processes) if pool == policy.TRAINING and self._has_gpus else 0.0
        return {
            "CPU": float(num_processes) if tagged.num_cpus is None else tagged.num_cpus,
            "GPU": num_gpus if tagged.num_gpus is None else tagged.num_gpus,
        }

    def _submit(self, job: str, context: StepHandlerContext) -> None:
        self.client.submit_job(
            entrypoint=entrypoint(),
            submission_id=job,
            metadata={jobs.RUN: context.execute_step_args.run_id, "dagster/op": self._get_step_key(context)},
            runtime_env={"env_vars": environment(context)},
            entrypoint_num_cpus=self._needs[job]["CPU"],
            entrypoint_num_gpus=self._needs[job]["GPU"],
        )

    def _log_once(self, context: IStepContext, job: str, message: str, details: str = "") -> None:
        """Log a message about a job once, whatever its details."""
        if (job, message) not in self._logged:
            self._logged.add((job, message))
            context.log.warning(f"Ray job {job}: {message}" + (f" ({details})" if details else ""))


def processes_of(run_config: Mapping[str, Any], step: str) -> int:
    """Number of processes of a training in the configuration of its run; 1 by default."""
    given = run_config.get("ops", {}).get(step, {}).get("config", {})
    return (given.get("training") or {}).get("num_processes") or 1


def entrypoint() -> str:
    """Shell command that executes a step in this folder, which must exist on every machine."""
    words = [sys.executable, "-m", step.__name__]
    return f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(words)}"


def environment(context: StepHandlerContext) -> dict[str, str]:
    """Environment variables of a step in addition to those with which `ray start` was called."""
    given = {variable["name"]: variable["value"] for variable in context.execute_step_args.get_command_env()}
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return passed | given | {"NSMODELS_DATA": str(data_root()), "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
