"""Figure of an evaluation: mean reciprocal ranks of networks and rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.evaluation import plots


def comparison(report: Mapping[str, Any], path: Path) -> None:
    """Write bars of the mean reciprocal rank with intervals, as .pdf and .png."""
    rows = report["rows"] | report["baselines"]
    values = {name: row["mrr"]["value"] for name, row in rows.items()}
    intervals = {name: tuple(row["mrr"]["interval"]) for name, row in rows.items() if row["mrr"].get("interval")}
    data = report["data"]
    source = f"{data['base']}: {data['source']}, {data['num_triples']:,} {data['split']} triples"
    plots.save_figure(plots.bars(values, "mean reciprocal rank", intervals), path, "Link prediction, filtered", source)
