"""Supervision in the process of a run: registers it, ends it on a signal, closes dead runs while it waits for a pool.

Without a daemon nothing else closes dead runs: one killed while holding a pool slot would block the next for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.plan.active import ActiveExecution
from dagster._utils.interrupts import raise_interrupts_as

from nsmodels.core import interrupts
from pipeline.lib.runs import launcher, liveness
from pipeline.lib.runs.requests.run import require_assets, require_known_configuration

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode
    from dagster._core.execution.step_dependency_config import StepDependencyConfig

INTERVAL = 20.0  # seconds between two checks of the other runs
ENDS = (
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
)


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
            yield from stoppable(plan_context, events) if self._is_in_process else events


@dg.executor(name=dg.in_process_executor.name, config_schema=dg.in_process_executor.config_schema.as_field())
def in_process(context: dg.InitExecutorContext) -> SupervisedExecutor:
    """Executes all steps in the process of their run."""
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None
    return SupervisedExecutor(cast("dg.Executor", create(context)), is_in_process=True)


def stoppable(context: PlanOrchestrationContext, events: Iterator[dg.DagsterEvent]) -> Iterator[dg.DagsterEvent]:
    """The events of a run; after SIGINT or SIGTERM no step starts, and the run ends as canceled.

    A step may end in any way by a signal: as failed, as interrupted, or in spite of it; Dagster then starts the next.
    """
    with interrupts.watch(), interrupts.at_abandonment(lambda: report_canceled(context.instance, context.run_id)):
        try:
            require_no_stop()
            for event in events:
                yield event
                if event.event_type in ENDS:
                    require_no_stop()
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            report_canceling(context.instance, context.run_id)  # otherwise Dagster records the run as failed
            context.instance.event_log_storage.free_concurrency_slots_for_run(context.run_id)
            raise


def require_no_stop() -> None:
    """Raise `DagsterExecutionInterruptedError` after a request to stop."""
    if interrupts.requested():
        raise DagsterExecutionInterruptedError(interrupts.LINE)


def report_canceling(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record that a run was asked to stop, unless it is recorded."""
    run = instance.get_run_by_id(run_id)
    if run and run.status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED):
        instance.report_run_canceling(run, "The process of the run received a signal to stop.")


def report_canceled(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record a run as canceled and free its pool slots: for a process that ends before Dagster records it."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished:
        instance.report_run_canceled(run, "The run was stopped before its step had ended.")
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _interruptible(sleep: Callable[[ActiveExecution], None]) -> Callable[[ActiveExecution], None]:
    """`ActiveExecution.sleep_til_ready` that a signal ends: between steps Dagster only takes note of signals."""

    def interruptible_sleep(self: ActiveExecution) -> None:
        with raise_interrupts_as(DagsterExecutionInterruptedError):
            sleep(self)

    return interruptible_sleep


ActiveExecution.sleep_til_ready = _interruptible(ActiveExecution.sleep_til_ready)  # pyright: ignore[reportAttributeAccessIssue]


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
