"""Steps as jobs of a Ray cluster, on top of dagster-ray: what they need, and what happens when their machine dies.

Uses names that Dagster and dagster-ray do not promise to keep: both are pinned, and a test kills a worker.
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
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import IStepContext
from dagster._core.execution.plan.objects import StepRetryData
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepDelegatingExecutor, StepHandlerContext
from dagster_ray.configs import RayExecutionConfig
from dagster_ray.core.executor import RayStepHandler
from ray.job_submission import JobSubmissionClient

from nsmodels.core.artifact import data_root
from pipeline.lib import policy
from pipeline.lib.cluster import jobs, step

HEALTH_INTERVAL = 5  # seconds between two looks whether the jobs live
MAX_LOSSES = 5  # machines that a step may lose in one run
# Before a lost step starts again its lock must be free: shared storage holds those of a dead machine for a while.
PAUSE = 5 + int(os.environ.get("NSMODELS_LOCK_SECONDS", "0"))
STOP_SECONDS = 60  # for a checkpoint; Ray's own default is 3
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
        self._without_room: Counter[str] = Counter()  # attempts of a step that never began

    def log_failure_or_retry_event_after_error(self, step_context: Any, err_info: Any, known_state: Any) -> Any:
        """A step that was lost, or never found room, is to be retried, whatever its policy; others as Dagster does."""
        key, why = step_context.step.key, err_info.message.partition(" failed health check: ")[2]
        self._without_room[key] += why.startswith(jobs.NO_ROOM)
        losses = known_state.get_retry_state().get_attempt_count(key) - self._without_room[key]
        if why.startswith(jobs.NO_ROOM) or (why.startswith(jobs.LOST) and losses < MAX_LOSSES):
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=err_info, seconds_to_wait=PAUSE))
        return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)


class RaySteps(RayStepHandler):
    """Starts each step in the project's folder with what it needs of CPUs and GPUs."""

    def __init__(self, client: JobSubmissionClient) -> None:
        super().__init__(client, None, None, None, None, None, None)
        self._has_gpus = False
        self._needs: dict[str, dict[str, float]] = {}
        self._over: set[str] = set()  # jobs that were seen to be over, by steps that have not said so
        self._told: set[tuple[str, str]] = set()

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Submit the step as a job; Ray queues it until a machine has room."""
        key, job = self._get_step_key(step_handler_context), self._get_ray_job_submission_id(step_handler_context)
        context = step_handler_context.get_step_context(key)
        num_processes = processes_of(step_handler_context.dagster_run.run_config, key)
        asked = RayExecutionConfig.from_tags(dict(step_handler_context.step_tags[key]))
        try:
            self._needs[job] = self.needs(context.step.pool, num_processes, asked)
            message = f"Ray job {job} ({jobs.said(self._needs[job])})"
            yield DagsterEvent.step_worker_starting(context, message, {"ray_job": dg.TextMetadataValue(job)})
            self._submit(job, step_handler_context)
        except jobs.NO_ANSWER as error:  # whether the job is there, the next look at it says
            context.log.warning(f"Ray job {job}: the cluster did not confirm it: {_short(error)}")

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Unhealthy is a step whose job is over, at two looks in a row: its last event may be on its way.

        A cluster that does not answer says nothing of a step.
        """
        key, job = self._get_step_key(step_handler_context), self._get_ray_job_submission_id(step_handler_context)
        context = step_handler_context.get_step_context(key)
        try:
            found = jobs.details(self.client, job)
            if found and found["status"] == "PENDING":
                self._tell(context, job, jobs.waiting_for(self._needs[job], jobs.machines(self.client)))
        except jobs.NO_ANSWER as error:
            self._tell(context, job, "the cluster does not answer as it should; taken to live", _short(error))
            return CheckStepHealthResult.healthy()
        was_over = job in self._over
        (self._over.add if jobs.is_over(found) else self._over.discard)(job)
        if not (was_over and jobs.is_over(found)):
            return CheckStepHealthResult.healthy()
        return CheckStepHealthResult.unhealthy(jobs.ending(found))

    def needs(self, pool: str | None, num_processes: int, asked: RayExecutionConfig) -> dict[str, float]:
        """A CPU per process; a GPU each for what waits in the pool of trainings, where there are any; or as tagged.

        The tag is dagster-ray's own: `op_tags={"dagster-ray/config": {"num_cpus": 4}}`.
        """
        # Once seen: a training that has lost its GPU waits for another, it does not go on for weeks without.
        self._has_gpus = self._has_gpus or any(machine.get("GPU") for machine in jobs.machines(self.client))
        num_gpus = float(num_processes) if pool == policy.TRAINING and self._has_gpus else 0.0
        return {
            "CPU": float(num_processes) if asked.num_cpus is None else asked.num_cpus,
            "GPU": num_gpus if asked.num_gpus is None else asked.num_gpus,
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

    def _tell(self, context: IStepContext, job: str, line: str, more: str = "") -> None:
        """Log a line of a job once, whatever more there is to it."""
        if (job, line) not in self._told:
            self._told.add((job, line))
            context.log.warning(f"Ray job {job}: {line}" + (f" ({more})" if more else ""))


def processes_of(run_config: Mapping[str, Any], step: str) -> int:
    """How many processes the launchpad gives a training."""
    given = run_config.get("ops", {}).get(step, {}).get("config", {})
    return (given.get("training") or {}).get("num_processes") or 1


def entrypoint() -> str:
    """The command of a step, in this folder: it must be the same on every machine."""
    words = [sys.executable, "-m", step.__name__]
    return f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(words)}"


def environment(context: StepHandlerContext) -> dict[str, str]:
    """What a step must know beyond the environment in which `ray start` was called."""
    given = {variable["name"]: variable["value"] for variable in context.execute_step_args.get_command_env()}
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return passed | given | {"NSMODELS_DATA": str(data_root()), "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}


def _short(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
