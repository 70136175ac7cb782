"""Training curves in Dagster's Plots tab while the step is running."""

from __future__ import annotations

from typing import Any

import dagster as dg


class EpochTracker:
    """Logs the record of each finished epoch as an observation of the asset.

    Args:
        context: of the step.
        phases: prefixes of the metadata, as in "perception/val/loss", one per training of the step, in order; the
            engine closes its trackers at the end of each training.
        partition: of the asset, if it is partitioned.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, phases: tuple[str, ...] = (), partition: str | None = None
    ) -> None:
        self._context = context
        self._phases = list(phases)
        self._partition = partition

    def epoch(self, record: dict[str, Any]) -> None:
        """Log the numbers of a finished epoch as metadata; losses, metrics and the learning rate are plotted."""
        prefix = f"{self._phases[0]}/" if self._phases else ""
        numbers = {name: value for name, value in record.items() if isinstance(value, (int, float))}
        # Text is not plotted: times and counters are logged as text.
        shown = {f"{prefix}{k}": v if "/" in k or k == "lr" else f"{v:g}" for k, v in numbers.items()}
        self._context.log_event(dg.AssetObservation(self._context.asset_key, partition=self._partition, metadata=shown))

    def close(self) -> None:
        """End the current phase."""
        self._phases = self._phases[1:]
