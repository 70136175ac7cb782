"""Pictures of proofs: over their image, and as a tree of steps. matplotlib is imported when drawing."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import FUNCTIONS
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief
from nsmodels.systems.visual.reasoning.proof import Proof, Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Grey-blue and orange differ for colour-blind readers too; only the image shows the colours of objects.
ACCENT, QUIET, INK, PAPER = "#d95f02", "#5b6770", "#1b1f23", "#f4f5f6"
MAX_FACTS = 6


def draw_proof(image: Array, proof: Proof, belief: SceneBelief, path: Path, question: str = "") -> None:
    """Draw `proof` over `image` (height, width, 3 or 4) with its steps beside it, to `path` (.png, .svg or .pdf).

    Every object is labelled with its number and most likely attributes; those that support the answer are highlighted.
    The belief's pixels are scaled from its `image_size` to the size of `image`. Raises InputError for other suffixes.
    """
    rows = [row for step in proof.steps for row in _rows(step)]
    height = max(4.2, 0.9 + 0.17 * len(rows))
    figure = _figure(13.0, height, path)
    picture, panel = figure.subplots(1, 2, width_ratios=[1.25, 1.0])
    picture.imshow(image)
    picture.set_axis_off()
    picture.set_anchor("N")
    _mark_objects(picture, proof, belief, image.shape[1] / belief.image_size[0], image.shape[0] / belief.image_size[1])
    title = textwrap.fill(question, 80) + "\n" if question else ""
    picture.set_title(f"{title}{proof.answer}  (confidence {proof.confidence:.2f})", fontsize=11, loc="left", color=INK)
    _list_steps(panel, rows)
    _save(figure, path)


def draw_tree(proof: Proof, path: Path) -> None:
    """Draw the steps of `proof` as a tree, the answer on top and the scene below, to `path` (.png, .svg or .pdf).

    Raises InputError for a different suffix.
    """
    levels = _levels(proof)
    places = _places(proof, levels)
    width = 3.4 * max(1.0, max(x for x, _ in places) + 1.0)
    figure = _figure(width, 0.85 * (max(levels) + 1.5), path)
    axes = figure.subplots()
    axes.set_axis_off()
    for step in proof.steps:
        for source in step.inputs:
            axes.plot(*zip(places[source], places[step.number], strict=True), color=QUIET, linewidth=1.0, zorder=1)
    for step, place in zip(proof.steps, places, strict=True):
        edge = ACCENT if step.number == len(proof.steps) - 1 else QUIET
        box = {"boxstyle": "round,pad=0.35", "facecolor": PAPER, "edgecolor": edge}
        value = f"[{', '.join(step.values)}]" if step.values else ""
        label = f"{step.function}{value}\n{step.result}{_weakest(step)}"
        axes.text(*place, label, ha="center", va="center", fontsize=8, color=INK, bbox=box, zorder=2)
    axes.set_xlim(-0.6, max(x for x, _ in places) + 0.6)
    axes.set_ylim(-0.7, max(levels) + 0.7)
    _save(figure, path)


def supporting_objects(proof: Proof) -> list[int]:
    """Numbers of the objects that support the answer: members of the last sets, or objects, before it."""
    pending, found = [len(proof.steps) - 1], set()
    while pending:
        step = proof.steps[pending.pop()]
        kind = FUNCTIONS[step.function][1]
        if kind == "set":
            found.update(step.output if isinstance(step.output, list) else [])
        elif kind == "object":
            found.add(step.output)
        else:
            pending.extend(step.inputs)
    return sorted(found)


def _mark_objects(axes: Axes, proof: Proof, belief: SceneBelief, scale_x: float, scale_y: float) -> None:
    chosen = supporting_objects(proof)
    for number, (x, y) in enumerate(belief.pixels.tolist(), start=1):
        if belief.presence[number - 1] < 0.5 and number not in chosen:
            continue
        color, size = (ACCENT, 260) if number in chosen else (QUIET, 130)
        axes.scatter([x * scale_x], [y * scale_y], s=size, facecolors="none", edgecolors=color, linewidths=2.0)
        label = f"o{number} {belief.words(number)}"
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": color, "alpha": 0.85, "linewidth": 0.8}
        offset = (0, 13 if number in chosen else 9)
        place = (x * scale_x, y * scale_y)
        axes.annotate(
            label,
            place,
            offset,
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6.5,
            color=INK,
            bbox=box,
        )


def _rows(step: Step) -> list[tuple[str, str]]:
    """Lines of the panel with their colours: the step, then its least certain facts."""
    rows = [(f"s{step.number} {step.call} → {step.result}", INK)]
    shown = sorted(step.facts, key=lambda fact: fact.probability)[:MAX_FACTS] if step.function != "scene" else []
    rows += [
        (f"    {'+' if fact.holds else '−'} {fact}   {fact.probability:.3f}", ACCENT if fact.holds else QUIET)
        for fact in step.facts
        if fact in shown
    ]
    if step.function != "scene" and len(step.facts) > len(shown):
        rows.append((f"    … {len(step.facts) - len(shown)} more, at least as certain", QUIET))
    return rows


def _list_steps(axes: Axes, rows: list[tuple[str, str]]) -> None:
    axes.set_axis_off()
    axes.set_ylim(len(rows) + 0.5, -0.5)
    for number, (line, color) in enumerate(rows):
        axes.text(0.0, number, line, fontsize=7.5, family="monospace", color=color, va="center")


def _levels(proof: Proof) -> list[int]:
    """Each step's height above the scene: one more than its highest input."""
    levels: list[int] = []
    for step in proof.steps:
        levels.append(max((levels[i] + 1 for i in step.inputs), default=0))
    return levels


def _places(proof: Proof, levels: list[int]) -> list[tuple[float, float]]:
    """Position (x, y) of each step: chains straight, the two inputs of a step side by side, shared inputs once."""
    column: dict[int, float] = {}
    taken = [0.0]

    def assign(number: int) -> float:
        if number not in column:
            below = [assign(i) for i in proof.steps[number].inputs]
            if not below:
                below, taken[0] = [taken[0]], taken[0] + 1.0
            column[number] = sum(below) / len(below)
        return column[number]

    assign(len(proof.steps) - 1)
    return [(column.get(step.number, taken[0]), float(levels[step.number])) for step in proof.steps]


def _weakest(step: Step) -> str:
    """The least certain leaf fact of a step, when one is uncertain."""
    facts = [fact for fact in step.facts if fact.probability < 0.995]
    if not facts:
        return ""
    fact = min(facts, key=lambda fact: fact.probability)
    return f"\n{fact}: {fact.probability:.2f}"


def check_suffix(path: Path) -> None:
    """Raise `InputError` for a suffix other than .png, .svg and .pdf."""
    if Path(path).suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"{path}: cannot draw to this kind of file; name it .png, .svg or .pdf")


def _figure(width: float, height: float, path: Path) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_suffix(path)
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor="white")
