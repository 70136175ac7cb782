"""What a tracker is: it receives the record of each finished epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

Record = dict[str, Any]


@runtime_checkable
class Tracker(Protocol):
    """Receives the record of each finished epoch.

    An optional method `step(step: int, values: dict[str, float])` receives values every few optimizer steps.
    """

    def epoch(self, record: Record) -> None:
        """Record a finished epoch: metrics by name; "epoch" counts from 1."""
        ...

    def close(self) -> None:
        """Release resources at the end of the run, however it ended."""
        ...


def numbers(record: Record) -> dict[str, float]:
    """The metrics of a record: its numbers, without the epoch itself."""
    return {k: v for k, v in record.items() if k != "epoch" and isinstance(v, int | float)}


def report_step(trackers: Sequence[Tracker], step: int, values: dict[str, float]) -> None:
    """Pass `values` after optimizer step `step` to the trackers that have a `step` method."""
    for tracker in trackers:
        report = getattr(tracker, "step", None)
        if report is not None:
            report(step, values)
