"""Figures of the paper, each a sealed folder with PDF, PNG and the plotted numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "nsmodels.systems.visual"
CODE_VERSION = "4"


def training_curves(model: Path, folder: Path, model_key: str) -> Manifest:
    """Losses and scores of perception, parser and baseline by epoch, from the `history.json` of a checkpoint."""
    history = json.loads((model / "history.json").read_text(encoding="utf-8"))
    figures = {name: plots.training_curves(records) for name, records in history.items()}
    captions = {name: f"Training of the {name} network, one seed" for name in history}
    figures["training_curves"] = plots.losses(history)
    captions["training_curves"] = f"Losses and validation scores of {', '.join(history)} by epoch, one seed"
    return _seal(folder, {model_key: model}, figures, captions, history)


def reasoning_depth(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """Distribution of reasoning depth and accuracy by depth, from the `report.json` of an evaluation.

    Depth is the longest path of the program from `scene` to the answer, without `scene`.
    """
    depth = json.loads((evaluation / "report.json").read_text(encoding="utf-8"))["depth"]
    figures = {"reasoning_depth": draw_depth(depth["by_depth"], depth.get("beside", {}), depth.get("chance"))}
    caption = f"Reasoning depth {depth['mean']:.1f} ± {depth['std']:.1f} ({depth['min']} to {depth['max']})"
    caption += "; 95 % intervals by image; hollow: few images"
    return _seal(folder, {evaluation_key: evaluation}, figures, {"reasoning_depth": caption}, depth)


ByDepth = Mapping[str, Mapping[str, Any]]


def draw_depth(by_depth: ByDepth, beside: Mapping[str, ByDepth] | None = None, chance: float | None = None) -> Figure:
    """Number of questions by depth, and accuracy by depth with 95 % intervals; baselines and chance beside it."""
    figure, (left, right) = plots.make_figure(2)
    rows = _by_depth(by_depth)
    left.bar([depth for depth, _ in rows], [row["n"] for _, row in rows], color=plots.COLOURS[0])
    left.set(xlabel="reasoning depth", ylabel="questions")
    for number, (name, found) in enumerate({"model": by_depth, **(beside or {})}.items()):
        plots.draw_shares(right, _by_depth(found), name, number)
    if chance is not None:
        right.axhline(100 * chance, color="0.5", linewidth=0.8, linestyle=":", label="chance")
    right.set(xlabel="reasoning depth", ylabel="accuracy, %", ylim=(0, 103))
    if beside:
        figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    return figure


def _by_depth(found: ByDepth) -> list[tuple[int, Mapping[str, Any]]]:
    return sorted((int(depth), row) for depth, row in found.items())


def _seal(
    folder: Path, inputs: dict[str, Path], figures: dict[str, Figure], captions: dict[str, str], numbers: Any
) -> Manifest:
    with artifact.build(
        folder, key=folder.name, maker=MAKER, config={}, code_version=CODE_VERSION, inputs=inputs, is_resumable=False
    ) as part:
        disk.write_json(part.path / "numbers.json", numbers)
        for name, figure in figures.items():
            plots.save_figure(figure, part.path / name, captions[name], part.source, is_printed=True)
    return artifact.read_manifest(folder)
