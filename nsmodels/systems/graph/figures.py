"""Sealed figures of a checkpoint and of evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.evaluation import plots
from nsmodels.studies import figure as study
from nsmodels.systems.graph.evaluation import charts

MAKER = "nsmodels.systems.graph"
CODE_VERSION = "4"
ablation_study = study.ablation_study


def training_curves(model: Path, folder: Path, model_key: str) -> Manifest:
    """Losses and scores of every network of a checkpoint by epoch."""
    history = json.loads((model / "history.json").read_text(encoding="utf-8"))
    with _sealing(folder, {model_key: model}) as part:
        for phase, rows in history.items():
            caption = f"Training of the {phase}, one seed"
            plots.save_figure(plots.training_curves(rows), part.path / phase, caption, part.source, is_printed=True)
    return artifact.read_manifest(folder)


def accuracy(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """The charts of an evaluation, from its `report.json`: comparison, confusion, confidence, difficulty, lengths."""
    report = json.loads((evaluation / "report.json").read_text(encoding="utf-8"))
    with _sealing(folder, {evaluation_key: evaluation}) as part:
        disk.write_json(part.path / "numbers.json", {key: report[key] for key in ("rows", "baselines", "kinds")})
        charts.draw_all(report, part.path, is_printed=True)
    return artifact.read_manifest(folder)


def _sealing(folder: Path, inputs: Mapping[str, Path]) -> Any:
    recipe: Any = {"key": folder.name, "maker": MAKER, "config": {}, "code_version": CODE_VERSION, "inputs": inputs}
    return artifact.build(folder, **recipe, is_resumable=False)
