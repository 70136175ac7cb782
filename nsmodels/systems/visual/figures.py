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
CODE_VERSION = "2"


def training_curves(model: Path, folder: Path, model_key: str) -> Manifest:
    """Losses of perception, parser and baseline by epoch, from the `history.json` of a checkpoint folder."""
    history = json.loads((model / "history.json").read_text(encoding="utf-8"))
    figures = {name: plots.training_curves(records) for name, records in history.items()}
    captions = {name: f"Training of the {name} network, one seed" for name in history}
    figures["training_curves"] = plots.losses(history)
    captions["training_curves"] = f"Losses of {', '.join(history)} by epoch, one seed"
    return _seal(folder, {model_key: model}, figures, captions, history)


def reasoning_depth(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """Distribution of reasoning depth and accuracy by depth, from the `report.json` of an evaluation.

    Depth is the longest path of the program from `scene` to the answer, without `scene`.
    """
    depth = json.loads((evaluation / "report.json").read_text(encoding="utf-8"))["depth"]
    figures = {"reasoning_depth": draw_depth(depth["by_depth"])}
    caption = f"Reasoning depth {depth['mean']:.1f} ± {depth['std']:.1f} ({depth['min']} to {depth['max']})"
    return _seal(folder, {evaluation_key: evaluation}, figures, {"reasoning_depth": caption}, depth)


def draw_depth(by_depth: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Number of questions by depth, and accuracy by depth with 95 % intervals."""
    rows = sorted((int(depth), row) for depth, row in by_depth.items())
    depths = [depth for depth, _ in rows]
    figure, (left, right) = plots.make_figure(2)
    left.bar(depths, [row["n"] for _, row in rows], color=plots.COLOURS[0])
    left.set(xlabel="reasoning depth", ylabel="questions")
    right.plot(depths, [100 * row["accuracy"] for _, row in rows], "o-", color=plots.COLOURS[1], markersize=4)
    for depth, row in rows:
        if row["interval"]:
            right.plot([depth, depth], [100 * end for end in row["interval"]], color=plots.COLOURS[1], linewidth=1)
    right.set(xlabel="reasoning depth", ylabel="accuracy, %", ylim=(0, 102))
    return figure


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
