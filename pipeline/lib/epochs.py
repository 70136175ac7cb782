"""Training curves in Dagster's Plots tab while the step still runs."""

from __future__ import annotations

from typing import Any

import dagster as dg


class EpochTracker:
    """Logs the record of each finished epoch as an observation of the asset."""

    def __init__(self, context: dg.AssetExecutionContext, prefix: str = "") -> None:
        self._context = context
        self._prefix = prefix

    def epoch(self, record: dict[str, Any]) -> None:
        """Take the record of a finished epoch: its numbers become metadata, one plot each."""
        shown = {f"{self._prefix}{name}": value for name, value in record.items() if isinstance(value, (int, float))}
        self._context.log_event(dg.AssetObservation(self._context.asset_key, metadata=shown))

    def close(self) -> None:
        """Nothing is held open."""
