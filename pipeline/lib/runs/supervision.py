"""Supervision in the process of a run: registers it, ends it on a signal, closes dead runs while it waits for a pool.

Without a daemon nothing else closes dead runs: one killed while holding a pool slot would block the next for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

import dagster as dg

from pipeline.lib.runs import launcher, liveness, stopping
from pipeline.lib.runs.requests.run import require_assets, require_known_configuration

if TYPE_CHECKING:
    from pipeline.internals import ExecutionPlan, PlanOrchestrationContext, RetryMode, StepDependencyConfig

INTERVAL = 20.0  # seconds between two checks of the other runs


class SupervisedExecutor(dg.Executor):
    """An executor that also registers the process of its run and closes dead runs that block it.

    In the process of the run, a request to stop ends the whole run. Steps elsewhere are ended by their executor.
    """

    def __init__(self, executor: dg.Executor, is_in_process: bool = False) -> None:
        self._executor, self._is_in_process = executor, is_in_process

    @property
    def retries(self) -> RetryMode:
        """Retry mode of the wrapped executor."""
        return self._executor.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """Step dependency configuration of the wrapped executor."""
        return self._executor.step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Register the process of the run, then execute the plan.

        Raises `InputError` before the first step for a run without assets and for a configuration of unknown ones.
        """
        require_assets(plan_context.dagster_run)
        require_known_configuration(plan_context.dagster_run, plan_context.job.get_definition())
        liveness.register(plan_context.instance, plan_context.run_id)
        events = self._executor.execute(plan_context, execution_plan)
        with monitored_pools(plan_context.instance, plan_context.run_id):
            yield from stopping.stoppable(plan_context, events) if self._is_in_process else events


@dg.executor(name=dg.in_process_executor.name, config_schema=dg.in_process_executor.config_schema.as_field())
def in_process(context: dg.InitExecutorContext) -> SupervisedExecutor:
    """Executes all steps in the process of their run."""
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None
    return SupervisedExecutor(cast("dg.Executor", create(context)), is_in_process=True)


@contextmanager
def monitored_pools(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Close dead runs in the background, but only while the run waits for a pool slot."""
    is_over = Event()

    def monitor() -> None:
        while not is_over.wait(INTERVAL):
            with suppress(Exception):  # a history that is unavailable now is queried again
                if is_waiting(instance, run_id):
                    launcher.close_dead_runs(instance)

    thread = Thread(target=monitor, name="pools", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def is_waiting(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a step of the run waits for a pool slot."""
    log = instance.event_log_storage
    return any(run_id in log.get_concurrency_info(pool).pending_run_ids for pool in log.get_concurrency_keys())
