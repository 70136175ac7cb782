"""Figures of natural images as sealed folders, each from a sealed checkpoint, evaluation or study alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.studies import figure as study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "nsmodels.systems.natural"
CODE_VERSION = "3"
ablation_study = study.ablation_study
SCORES = {  # of validation, with their labels; of other networks those that have such a name
    "perception": {
        "val/recall": "recall",
        "val/names": "names",
        "val/attribute_sets": "attribute sets",
        "val/concept_map": "concepts (mAP)",
    },
    "answers": {"val/score": "score"},
}


def training_curves(model: Path, folder: Path, model_key: str) -> Manifest:
    """Losses and validation scores of each network by epoch, from the `history.json` of a checkpoint."""
    history = _read(model, "history.json")
    figures = {name: plots.training_curves(records, SCORES.get(name)) for name, records in history.items() if records}
    captions = {name: f"Training of the {name.replace('_', ' ')} network, one seed" for name in figures}
    return _seal(folder, {model_key: model}, figures, captions, history, "")


def reasoning_depth(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """Number of questions by steps of their programs, and accuracy by steps, from the report of an evaluation."""
    steps, report = _part(evaluation, "steps")
    has_few = any(row.get("is_few") for rows in steps.values() for row in rows.values())
    caption = "Accuracy by the number of steps that a question takes, with 95 % intervals by image"
    caption += "; hollow: few images" if has_few else ""
    figures = {"reasoning_depth": draw_depth(steps)}
    return _seal(folder, {evaluation_key: evaluation}, figures, {"reasoning_depth": caption}, steps, _about(report))


def consistency(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """Consistency of the model and of trained baselines, overall and by structural type, from an evaluation."""
    found, report = _part(evaluation, "consistency")
    has_few = any(row.get("is_few") for each in found.values() for row in each["by_structural"].values() if row)
    caption = "Share of right answers to what a right answer entails, with 95 % intervals by image"
    caption += "; pale: few images" if has_few else ""
    figures = {"consistency": draw_consistency(found)}
    return _seal(folder, {evaluation_key: evaluation}, figures, {"consistency": caption}, found, _about(report))


def draw_depth(steps: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Number of questions by steps, and accuracy of each answerer by steps with its interval, where there is one."""
    figure, (left, right) = plots.make_figure(2, width=4.4, height=3.2)
    first = next(iter(steps.values()))
    left.bar(range(len(first)), [row["n"] for row in first.values()], color=plots.COLOURS[0])
    for number, (name, rows) in enumerate(steps.items()):
        places = [place + 0.1 * (number - (len(steps) - 1) / 2) for place in range(len(rows))]
        plots.draw_shares(right, list(zip(places, rows.values(), strict=True)), name, number)
    for axis in (left, right):
        axis.set_xticks(range(len(first)), list(first))
        axis.set_xlabel("steps of the program")
    left.set_ylabel("questions")
    right.set(ylabel="accuracy, %", ylim=(-2, 103))
    figure.legend(loc="outside upper right", ncols=3, frameon=False, fontsize=8)
    return figure


def draw_consistency(found: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Consistency of each answerer, overall and by structural type, with its interval, where there is one."""
    kinds = sorted({kind for each in found.values() for kind in each["by_structural"]})
    figure, (axis,) = plots.make_figure(width=5.4, height=3.2)
    width = 0.8 / len(found)
    for number, (name, each) in enumerate(found.items()):
        rows = [each, *(each["by_structural"].get(kind) for kind in kinds)]
        for place, row in enumerate(rows):
            if row and row["accuracy"] is not None:
                middle = place + width * (number - (len(found) - 1) / 2)
                how = {**plots.fill(number), "alpha": 0.35 if row.get("is_few") else 1.0}
                axis.bar(
                    middle, 100 * row["accuracy"], 0.9 * width, label=plots.words(name) if place == 0 else None, **how
                )
                plots.draw_interval(axis, middle, row, "black")
    axis.set_xticks(range(len(kinds) + 1), ["all", *kinds])
    axis.set(ylabel="consistency, %", ylim=(0, 103))
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure


def _part(evaluation: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    report = _read(evaluation, "report.json")
    if not report.get(name):
        raise InputError(
            f"{evaluation / 'report.json'}: has no '{name}'; make the evaluation again, of data with all questions"
        )
    return report[name], report


def _read(folder: Path, name: str) -> dict[str, Any]:
    artifact.require_intact(folder)
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _about(report: Mapping[str, Any]) -> str:
    about = report["data"]
    return (
        f"{about['source']}, split {about['split']}, {about['num_questions']:,} questions; one seed ({about['seed']})"
    )


def _seal(
    folder: Path,
    inputs: dict[str, Path],
    figures: dict[str, Figure],
    captions: dict[str, str],
    numbers: Any,
    about: str,
) -> Manifest:
    recipe: Any = {"key": folder.name, "maker": MAKER, "config": {}, "code_version": CODE_VERSION, "inputs": inputs}
    with artifact.build(folder, **recipe, is_resumable=False) as part:
        disk.write_json(part.path / "numbers.json", numbers)
        for name, figure in figures.items():
            plots.save_figure(figure, part.path / name, captions[name], about or part.source, is_printed=True)
    return artifact.read_manifest(folder)
