"""What the process of a run does beside its steps: it signs the run, and closes dead runs that it waits for.

Where only the command line is used nobody else would: a run killed while another waits for its place in a pool kept
that one waiting for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

import dagster as dg

from pipeline.lib.runs import launcher, liveness

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode
    from dagster._core.execution.step_dependency_config import StepDependencyConfig

INTERVAL = 20.0  # seconds between two looks at the others


class Attended(dg.Executor):
    """Any executor, in the process of its run."""

    def __init__(self, executor: dg.Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> RetryMode:
        """As the executor has it."""
        return self._executor.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """As the executor has it."""
        return self._executor.step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Sign the run, then execute its plan."""
        liveness.sign(plan_context.instance, plan_context.run_id)
        with looking_after(plan_context.instance, plan_context.run_id):
            yield from self._executor.execute(plan_context, execution_plan)


@dg.executor(name=dg.in_process_executor.name, config_schema=dg.in_process_executor.config_schema.as_field())
def in_process(context: dg.InitExecutorContext) -> Attended:
    """All steps in the process of their run."""
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None
    return Attended(cast("dg.Executor", create(context)))


@contextmanager
def looking_after(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """While inside, and only while the run waits for a place in a pool, close the runs that have died meanwhile."""
    is_over = Event()

    def look() -> None:
        while not is_over.wait(INTERVAL):
            with suppress(Exception):  # a history that does not answer now is asked again
                if is_waiting(instance, run_id):
                    launcher.close_dead_runs(instance)

    thread = Thread(target=look, name="pools", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def is_waiting(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a step of the run waits for a place in a pool."""
    log = instance.event_log_storage
    return any(run_id in log.get_concurrency_info(pool).pending_run_ids for pool in log.get_concurrency_keys())
