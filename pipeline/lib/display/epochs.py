"""Training curves in Dagster's Plots tab while the step still runs."""

from __future__ import annotations

from typing import Any

import dagster as dg


class EpochTracker:
    """Logs the record of each finished epoch as an observation of the asset.

    `phases` name the trainings that follow each other in one step, as in "perception/val/loss"; the engine closes its
    trackers at the end of each. `partition` is that of the asset that is trained, where it has some.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, phases: tuple[str, ...] = (), partition: str | None = None
    ) -> None:
        self._context = context
        self._phases = list(phases)
        self._partition = partition

    def epoch(self, record: dict[str, Any]) -> None:
        """Take the record of a finished epoch: its numbers become metadata, and what was measured one plot each."""
        prefix = f"{self._phases[0]}/" if self._phases else ""
        numbers = {name: value for name, value in record.items() if isinstance(value, (int, float))}
        # Text is not plotted: a page of curves is not to begin with clocks and counters.
        shown = {f"{prefix}{k}": v if "/" in k or k == "lr" else f"{v:g}" for k, v in numbers.items()}
        self._context.log_event(dg.AssetObservation(self._context.asset_key, partition=self._partition, metadata=shown))

    def close(self) -> None:
        """The phase under way is over."""
        self._phases = self._phases[1:]
