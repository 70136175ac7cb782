"""Outcomes of searches over configurations, from the manifests and reports of sealed searches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.evaluation.sealing import REPORT
from nsmodels.paper.recipes import STUDY, labels

BEST = "best.yaml"  # the configuration that was found, for --config


@dataclass(frozen=True)
class Search:
    """One search. Values are None where a search does not have them.

    Attributes:
        key: of its artifact.
        source: of its data.
        preset: from which it began.
        num_trials: trials that were begun.
        metric: by which trials were compared, and `mode`, "max" or "min".
        unchanged: value of the trial with the configuration as it was.
        best: value of the best trial.
        gain, low, high: of the best configuration over the unchanged one with further seeds, with its 95 % interval.
        configuration: searched fields of the best trial, as text.
    """

    key: str
    source: str
    preset: str
    num_trials: int
    metric: str
    mode: str
    unchanged: float | None
    best: float | None
    gain: float | None
    low: float | None
    high: float | None
    configuration: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the texts of a row."""
        is_confirmed = self.gain is not None and self.low is not None and self.high is not None
        return asdict(self) | {
            "metric_text": f"{self.metric} ({self.mode})".replace("_", " "),
            "unchanged_text": _text(self.unchanged),
            "text": _text(self.best),
            "gain_text": f"{self.gain:+.4g} [{self.low:+.4g}, {self.high:+.4g}]" if is_confirmed else None,
        }


def read_searches(root: Path) -> Iterator[Search]:
    """The sealed searches under a data root that name their best configuration."""
    for path in sorted(root.glob(f"[!.]*/{BEST}")):
        manifest = manifest_of(path.parent)
        if manifest and manifest.kind.startswith(STUDY):
            yield _search(path.parent, manifest)


def _search(folder: Path, manifest: Manifest) -> Search:
    report: Mapping[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    metrics, fields = manifest.metrics, report.get("space", {})
    chosen = ", ".join(f"{name}={_text(metrics[f'best/{name}'])}" for name in fields if f"best/{name}" in metrics)
    return Search(
        key=manifest.key,
        source=manifest.source,
        preset=labels([manifest]),
        num_trials=len(report.get("trials", ())),
        metric=str(report.get("metric", "value")),
        mode=str(report.get("mode", "")),
        unchanged=metrics.get("unchanged/value"),
        best=metrics.get("best/value"),
        gain=metrics.get("confirmation/gain"),
        low=metrics.get("confirmation/low"),
        high=metrics.get("confirmation/high"),
        configuration=chosen,
    )


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
