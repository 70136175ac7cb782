"""Sealed evaluations: recipe, kept or built, outcomes, report, table, figures, ledger; the same for every system."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.evaluation import ledger, plots
from nsmodels.evaluation.outcomes import Outcomes, write_outcomes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, TABLE = "report.json", "table.txt"
E = TypeVar("E", bound=Config)


def _nothing(part: Part) -> None:
    """Draw nothing."""


@dataclass(frozen=True)
class EvaluationResult:
    """The scores of one model.

    Attributes:
        report: everything that was measured, as plain values.
        table: the report as text for a terminal.
        outcomes: scores by item, one per metric; the first is the headline.
        metrics: figures for the manifest; those named "baseline/<name>" are the headline metric of a baseline.
        draw: writes figures and further files into a part.
    """

    report: Mapping[str, Any]
    table: str
    outcomes: Sequence[Outcomes]
    metrics: Mapping[str, Any]
    draw: Callable[[Part], None] = _nothing


def origin(model: Path, data: Path, split: str) -> dict[str, Any]:
    """Where scored data and the scored checkpoint come from, for a report."""
    return {"path": str(data), "split": split, "source": artifact.describe_input(data).source, **origin_of(model)}


def origin_of(model: Path) -> dict[str, Any]:
    """Where a checkpoint comes from: its data, fingerprint and seed."""
    trained = artifact.read_manifest(model)
    return {"trained_on": trained.source, "checkpoint": trained.fingerprint, "seed": trained.seed}


def _require_finite(result: EvaluationResult) -> None:
    """Raise InputError for a baseline that is no finite number: a manifest cannot hold it, and it would be lost."""
    for name, value in result.metrics.items():
        if name.startswith("baseline/") and isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"metric '{name}': expected a finite number, got {value}; leave it out, or bound it")


def seal(order: Order[E], maker: str, code_version: str, score: Callable[[Order[E]], EvaluationResult]) -> Manifest:
    """Seal the evaluation of an order in its folder and enter it into the ledger; an equal one is kept.

    An evaluation outside of the data root is in no ledger. Raises InputError as `score` does.
    """

    def fill(part: Part) -> None:
        result = score(order)
        _require_finite(result)
        write_outcomes(part.path, result.outcomes, order.model)
        disk.write_json(part.path / REPORT, result.report)
        disk.write_atomic(part.path / TABLE, result.table.rstrip("\n") + "\n")
        result.draw(part)
        part.metrics |= result.metrics

    recipe: Any = {"config": order.config.relevant(), "code_version": code_version, "inputs": order.inputs}
    about: Any = {"key": order.key, "maker": maker, "kind": "evaluation", "is_resumable": False}
    manifest = artifact.made(order.folder, order.force, fill, **about, **recipe)
    ledger.enter_own(order.folder)
    return manifest


@dataclass(frozen=True)
class StudyResult:
    """The outcome of many trainings.

    Attributes:
        report: everything that was measured, as plain values.
        table: the report as text for a terminal.
        figure: of the report, and its caption.
        metrics: figures for the manifest.
    """

    report: Mapping[str, Any]
    table: str
    figure: Figure
    caption: str
    metrics: Mapping[str, Any]


def seal_study(
    order: Order[Any], maker: str, kind: str, code_version: str, seed: int, run: Callable[[Part], StudyResult]
) -> Manifest:
    """Seal the study of an order in its folder; an equal one is kept, a stopped one is resumed by `run`."""
    recipe: Any = {"config": order.config.relevant(), "code_version": code_version, "seed": seed}
    about: Any = {"key": order.key, "maker": maker, "kind": f"study: {kind}", "inputs": order.inputs}

    def fill(part: Part) -> None:
        found = run(part)
        disk.write_json(part.path / REPORT, found.report)
        disk.write_atomic(part.path / TABLE, found.table)
        plots.save_figure(found.figure, part.path / "figures" / order.key, found.caption, part.source)
        part.metrics |= found.metrics

    return artifact.made(order.folder, order.force, fill, **about, **recipe)
