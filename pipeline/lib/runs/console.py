"""Log of a run on the terminal: one line for what a person did, a traceback for a bug, once.

The event log and the web UI keep the stack of every error. Dagster has no setting for this: its own console logger is
wrapped, by a private name; the version is pinned and tested.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from nsmodels.core import interrupts
from pipeline.internals import (
    LOG_RECORD_METADATA_ATTR,
    colored_console_logger,
    compute_logs,
    context_creation_job,
    default_system_loggers,
    execute_posix_tail,
)

FOR_USERS = {dg.Failure.__name__, "InputError", "TryLater", "Busy", "Interrupted"}
RETRY = dg.RetryRequested.__name__  # begins the name of the class for retries by policy, too
Loggers = Sequence[tuple[dg.LoggerDefinition, Mapping[str, object]]]


def _console(context: dg.InitLoggerContext) -> logging.Logger:
    create: Callable[..., logging.Logger] = colored_console_logger.logger_fn
    logger = create(context)
    for handler in logger.handlers:
        handler.addFilter(shorten)
    return logger


console = dg.LoggerDefinition(_console, colored_console_logger.config_schema, "Console without stacks of user errors.")


def shorten(record: logging.LogRecord) -> bool:
    """Replace the stack in the message of an event by the line of its error where the rest has no use on a terminal.

    Always true: a filter that drops nothing.
    """
    event: dg.DagsterEvent | None = getattr(record, LOG_RECORD_METADATA_ATTR, {}).get("dagster_event")
    error = getattr(event.event_specific_data, "error", None) if event else None
    line = None if event is None or error is None else "" if is_repeated(event) else line_of(error)
    if line is not None:
        head = record.getMessage().partition("\n\n")[0]
        record.msg, record.args = f"{head} {line}".rstrip(), ()
    return True


def is_repeated(event: dg.DagsterEvent) -> bool:
    """Whether the error of an event is that of an event before, or the consequence of a request to stop."""
    is_of_step = getattr(event.event_specific_data, "first_step_failure_event", None) is not None
    return is_of_step or event.event_type == dg.DagsterEventType.RUN_CANCELED or bool(interrupts.requested())


def line_of(error: SerializableErrorInfo) -> str | None:
    """The line of an error that was raised for the user; None for a bug."""
    while error.cls_name and error.cls_name.startswith(RETRY) and error.cause:
        error = error.cause
    is_bug = error.cls_name not in FOR_USERS or error.cause is not None
    return None if is_bug else error.message.partition(": ")[2].strip()


def default_loggers(instance: dg.DagsterInstance | None) -> Loggers:
    """Dagster's default loggers, with this console in place of its own."""
    return [
        (console if logger is colored_console_logger else logger, config)
        for logger, config in default_system_loggers(instance)
    ]


@contextmanager
def tail(path: str, stream: Any) -> Iterator[tuple[int | None, int | None]]:
    """Dagster's processes that copy the output of a step to the terminal, which do not receive Ctrl-C.

    They would die of it with tracebacks of their own, before the last lines. They end with their run in any case.
    """
    with ExitStack() as stack:
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited by a process that starts
        try:
            pids = stack.enter_context(execute_posix_tail(path, stream))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        yield pids


def install() -> None:
    """Make this console that of all runs whose configuration has no loggers of its own."""
    compute_logs.execute_posix_tail = tail
    context_creation_job.default_system_loggers = default_loggers  # pyright: ignore[reportPrivateImportUsage]
