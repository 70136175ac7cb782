"""Training curves in Dagster's Plots tab while the step is running."""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipeline.lib.display import curves


class EpochTracker:
    """Logs the record of each finished epoch as an observation of the asset.

    Args:
        context: of the step.
        phases: names of the trainings of the step, in order; the engine closes its trackers at the end of each.
        partition: of the asset, if it is partitioned.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, phases: tuple[str, ...] = (), partition: str | None = None
    ) -> None:
        self._context = context
        self._phases = phases
        self._place = 0
        self._partition = partition

    def epoch(self, record: dict[str, Any]) -> None:
        """Log the numbers of a finished epoch as metadata; losses, metrics and the learning rate are plotted."""
        phase = self._phases[self._place] if self._place < len(self._phases) else ""
        shown: dict[str, Any] = {}
        for metric, value in record.items():
            if isinstance(value, (int, float)):
                curve = curves.name(self._place + 1, phase, metric)
                # Text is not plotted: times and counters are logged as text.
                shown |= {curve: value} if curve else {f"{phase}/{metric}" if phase else metric: f"{value:g}"}
        self._context.log_event(dg.AssetObservation(self._context.asset_key, partition=self._partition, metadata=shown))

    def close(self) -> None:
        """End the current phase."""
        self._place = min(self._place + 1, len(self._phases))
