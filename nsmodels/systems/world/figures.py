"""Sealed figures of checkpoints, of evaluations and of clips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.evaluation import plots
from nsmodels.studies import figure as study
from nsmodels.systems.world.evaluation import charts
from nsmodels.systems.world.pictures import curves
from nsmodels.systems.world.studies.config import GROUPS

MAKER = "nsmodels.systems.world"
CODE_VERSION = "3"


def ablation_study(ablations: Path, folder: Path, key: str) -> Manifest:
    """Seal the figure of a study of ablations, with more modalities against the best of fewer."""
    return study.ablation_study(ablations, folder, key, GROUPS)


def phase_curves(*arguments: Any) -> Manifest:
    """Loss and monitored terms of every phase by epoch; arguments: the five models, the folder, their five keys."""
    models, folder, keys = (
        arguments[: len(arguments) // 2],
        arguments[len(arguments) // 2],
        arguments[len(arguments) // 2 + 1 :],
    )
    with _sealing(folder, dict(zip(keys, models, strict=True))) as part:
        for model in models:
            for phase, rows in json.loads((model / "history.json").read_text(encoding="utf-8")).items():
                caption = f"Phase {phase}: loss and monitored terms by epoch; dashed: training, solid: validation"
                plots.save_figure(curves.monitored(rows), part.path / phase, caption, part.source, is_printed=True)
    return artifact.read_manifest(folder)


def scores(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """The charts of an evaluation, from its `report.json`: one for each metric."""
    report = json.loads((evaluation / "report.json").read_text(encoding="utf-8"))
    with _sealing(folder, {evaluation_key: evaluation}) as part:
        disk.write_json(part.path / "numbers.json", report["metrics"])
        charts.draw_all(report, part.path, is_printed=True)
    return artifact.read_manifest(folder)


def _sealing(folder: Path, inputs: Mapping[str, Path]) -> Any:
    recipe: Any = {"key": folder.name, "maker": MAKER, "config": {}, "code_version": CODE_VERSION, "inputs": inputs}
    return artifact.build(folder, **recipe, is_resumable=False)
