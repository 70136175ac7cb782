"""Figures of a checkpoint and of an evaluation: for the evaluation's folder, and as sealed figure assets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.datasets.mazes.solving.search import path_cells
from nsmodels.evaluation import plots
from nsmodels.studies import figure as study
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.pictures import charts, drawing
from nsmodels.systems.nav.planning.plan import plans_from

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "nsmodels.systems.nav"
CODE_VERSION = "3"
ablation_study = study.ablation_study
READABLE = 32  # largest side of a map, in cells, whose arrows can be distinguished in a panel
PANELS, FRAMES = 8, 24
COLUMNS = 4  # of a gallery
CHARTS = {
    "comparison": "Goals reached, with 95 % intervals over maps",
    "success": "Goals reached by detour and by size of the map, with 95 % intervals over maps",
    "thinking": "Optimal actions and goals reached after so many recursion steps, without halting",
    "halting": "Calibration of the halting head, and recursion steps until it halts",
}
GALLERY = (
    "Predicted policy (above; the darker the more confident, orange: not optimal, grey: goal predicted unreachable) "
    "and its path against that of A* (below), on the problem with the longest path of each kind"
)
RECURSION = "Policy by number of recursion steps until it halts; orange: not optimal, grey: undecided"


class Example(NamedTuple):
    """One problem of a split, the only one in `maps`, with its kind of map and its demonstration (action digits)."""

    kind: str
    maps: Maps
    digits: str


def draw_all(report: Mapping[str, Any], checkpoint: Path, data: Path, folder: Path, split: str, device: str) -> None:
    """Draw all figures of an evaluation into `folder`: charts of its report, maps with policies and paths."""
    source = _source(report)
    for name, caption in CHARTS.items():
        plots.save_figure(getattr(charts, name)(report), folder / name, caption, source)
    draw_policies(load_navigator(checkpoint, device), data, folder, split, report["data"]["source"])


def draw_policies(
    navigator: Navigator, data: Path, folder: Path, split: str, source: str, is_printed: bool = False
) -> None:
    """Draw `gallery`, `recursion` and `recursion.gif` into `folder`; the last two show the longest path of all.

    `is_printed`: the first two as wide as the text of a page, see `plots.save_figure`.
    """
    examples = longest_examples(navigator, data, split)
    caption_source = f"{source}, split {split}"
    how = {"is_printed": is_printed, "width": plots.PAGE}
    plots.save_figure(gallery(navigator, examples), folder / "gallery", GALLERY, caption_source, **how)
    maps = max(examples, key=lambda example: len(example.digits)).maps
    moments, labels = policies_until_halt(navigator, maps), label(maps)
    strip = drawing.draw_recursion(_spread(moments, PANELS), maps, 0, labels)
    plots.save_figure(strip, folder / "recursion", RECURSION, caption_source, **how)
    drawing.animate(_spread(moments, FRAMES), maps, 0, labels, folder / "recursion.gif", caption_source)


def longest_examples(navigator: Navigator, data: Path, split: str) -> list[Example]:
    """The problem with the longest path of each kind, on a map of at most `READABLE` cells per side where there is one.

    Raises `InputError` when the network accepts no map of the split.
    """
    whole = read_split(data, split)
    fitting = [group for group in whole.groups if navigator.accepts(group.maps.shape)]
    readable = [group for group in fitting if max(group.maps.shape) <= READABLE] or fitting[:1]
    found: dict[str, Example] = {}
    for group in readable:
        about = whole.index.iloc[group.rows]
        for place, kind, digits in zip(range(len(about)), about["kind"], about["path"], strict=True):
            if kind not in found or len(digits) > len(found[kind].digits):
                found[kind] = Example(kind, group.maps[[place]], digits)
    if not found:
        raise InputError(f"{data}: no map in split {split} has a size that the network accepts")
    return [found[kind] for kind in sorted(found)]


def gallery(navigator: Navigator, examples: list[Example]) -> Figure:
    """Figure with the policy of each example in one row, and its path against that of A* in the next."""
    columns = min(COLUMNS, len(examples))
    num_blocks = -(-len(examples) // columns)
    figure, axes = drawing.make_panels(2 * columns * num_blocks, (1, 1), 2.8, columns=columns)
    above_below = [
        (axes[k + columns * row], axes[k + columns * (row + 1)]) for k, row in _places(len(examples), columns)
    ]
    for axis in axes:
        axis.set_axis_off()
    for (above, below), (kind, maps, digits) in zip(above_below, examples, strict=True):
        above.set_axis_on()
        below.set_axis_on()
        policy, labels = navigator.policy(maps), label(maps)
        drawing.paint_policy(above, policy, maps, 0, labels)
        drawing.paint_ends(above, maps, 0, 6.0, is_ring=True)
        above.set_title(f"{kind}\n{drawing.describe(policy, maps, 0, labels)}", fontsize=8)
        (plan,) = plans_from(policy, maps)
        best = path_cells(maps, 0, digits)
        drawing.paint_map(below, maps, 0)
        drawing.paint_path(below, best, drawing.EXACT, "A* path", is_dashed=True)
        drawing.paint_path(below, plan.path, drawing.MODEL, "path of the network")
        drawing.paint_ends(below, maps, 0, 6.0)
        below.set_title(f"{plan.why}: {len(plan.actions)} moves, A* {len(digits)}", fontsize=8)
    handles, names = above_below[-1][1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def _places(num: int, columns: int) -> Iterator[tuple[int, int]]:
    """Column and row of the upper panel of each of `num` examples; the lower one is in the next row."""
    yield from ((number % columns, 2 * (number // columns)) for number in range(num))


def policies_until_halt(navigator: Navigator, maps: Maps) -> list[tuple[int, Policy]]:
    """Pairs (steps, policy) of one map after each segment until it halts."""
    last = int(navigator.policy(maps).steps[0])
    return list(navigator.policies_by_step(maps, range(navigator.steps_per_segment, last + 1)))


# --- figure assets ---------------------------------------------------------------------------------------------------


def nav_training_curves(model: Path, folder: Path, model_key: str) -> Manifest:
    """Losses and scores of navigator and plain networks by epoch, from the `history.json` of a checkpoint."""
    history = json.loads((model / "history.json").read_text(encoding="utf-8"))
    phases = {name: rows for name, rows in history.items() if rows and isinstance(rows[0], dict)}
    with _sealing(folder, {model_key: model}) as part:
        disk.write_json(part.path / "numbers.json", phases)
        for name, records in phases.items():
            caption = f"Training of the {name} network, one seed"
            plots.save_figure(plots.training_curves(records), part.path / name, caption, part.source, is_printed=True)
    return artifact.read_manifest(folder)


def nav_success(evaluation: Path, folder: Path, evaluation_key: str) -> Manifest:
    """The charts of an evaluation, from its `report.json`."""
    report = json.loads((evaluation / "report.json").read_text(encoding="utf-8"))
    keys = ("rows", "baselines", "by_detour", "by_size", "steps", "halting")
    with _sealing(folder, {evaluation_key: evaluation}) as part:
        disk.write_json(part.path / "numbers.json", {key: report[key] for key in keys})
        for name, caption in CHARTS.items():
            figure = getattr(charts, name)(report)
            plots.save_figure(figure, part.path / name, caption, _source(report), is_printed=True)
    return artifact.read_manifest(folder)


def nav_policies(
    model: Path, data: Path, folder: Path, model_key: str, data_key: str, split: str = "test", device: str = "auto"
) -> Manifest:
    """Maps of each kind with predicted policy and path, and the recursion as a strip and an animation."""
    with _sealing(folder, {model_key: model, data_key: data}, {"split": split}) as part:
        source = artifact.describe_input(data).source
        draw_policies(load_navigator(model, device), data, part.path, split, source, is_printed=True)
    return artifact.read_manifest(folder)


def _sealing(folder: Path, inputs: dict[str, Path], config: Mapping[str, Any] | None = None) -> Any:
    return artifact.build(
        folder,
        key=folder.name,
        maker=MAKER,
        config=config or {},
        code_version=CODE_VERSION,
        inputs=inputs,
        is_resumable=False,
    )


def _source(report: Mapping[str, Any]) -> str:
    about = report["data"]
    return f"{about['source']}, split {about['split']}, {about['num_problems']:,} problems"


def _spread(moments: Iterable[tuple[int, Policy]], most: int) -> list[tuple[int, Policy]]:
    """At most `most` of the moments, evenly spaced, with the first and the last."""
    listed = list(moments)
    places = np.linspace(0, len(listed) - 1, min(most, len(listed))).round().astype(int)
    return [listed[place] for place in places]
