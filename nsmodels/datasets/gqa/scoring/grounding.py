"""Grounding of an answer: how much attention falls on the objects that question and answer name."""

from __future__ import annotations

from collections.abc import Iterable

from nsmodels.datasets.gqa.scoring.items import Attention, Item, is_of_boxes
from nsmodels.formats.scenes.graphs import SceneGraph

Rectangle = tuple[float, float, float, float]  # x0, y0, x1, y1 in shares of the image
WHOLE: Rectangle = (0.0, 0.0, 1.0, 1.0)


def grounding(item: Item, graph: SceneGraph, attention: Attention, is_fixed: bool = False) -> float:
    """Sum over named objects and cells of attention times the covered share of the cell; not normalised.

    An object named in the question and in the full answer counts twice, as published. The published script means to
    add the whole image for questions about the scene and never does; `is_fixed` adds it. `attention[i][j]` is of
    column i (along x) and row j (along y); of boxes, each row is x0, y0, x1, y1, attention.

    Raises `KeyError` for an object that the graph lacks.
    """
    gold = list(_named(item, graph))
    if is_fixed and item.is_of_scene:
        gold.append(WHOLE)
    return sum(share * _covered(cell, region) for region in gold for cell, share in _cells(attention))


def _named(item: Item, graph: SceneGraph) -> Iterable[Rectangle]:
    for name in ("question", "fullAnswer"):
        for thing in item.annotations.get(name, {}).values():
            box = graph.by_id[thing].box
            yield (
                box.x / graph.width,
                box.y / graph.height,
                (box.x + box.w) / graph.width,
                (box.y + box.h) / graph.height,
            )


def _cells(attention: Attention) -> list[tuple[Rectangle, float]]:
    if is_of_boxes(attention):
        return [((row[0], row[1], row[2], row[3]), row[4]) for row in attention]
    edge = 1 / len(attention)
    return [
        ((edge * i, edge * j, edge * (i + 1), edge * (j + 1)), share)
        for i, column in enumerate(attention)
        for j, share in enumerate(column)
    ]


def _covered(cell: Rectangle, region: Rectangle) -> float:
    """Share of the cell that the region covers."""
    across = max(0.0, min(cell[2], region[2]) - max(cell[0], region[0]))
    down = max(0.0, min(cell[3], region[3]) - max(cell[1], region[1]))
    area = (cell[2] - cell[0]) * (cell[3] - cell[1])
    return across * down / area if area else 0.0
