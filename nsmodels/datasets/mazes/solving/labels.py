"""Labels of every cell of a map: its cost to the goal and the set of actions that start an optimal path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving import bitboard, distances


class Labels(NamedTuple):
    """Labels of n maps, all cells.

    Attributes:
        cost_to_go: float32 (n, h, w), 0 at the goal, inf on walls and where the goal cannot be reached.
        optimal: uint8 (n, h, w), bit k is set when action k starts an optimal path; 0 at the goal, on walls and where
            the goal cannot be reached. Several bits are a tie: all of these actions are optimal.
    """

    cost_to_go: NDArray[np.float32]
    optimal: NDArray[np.uint8]


def label(maps: Maps) -> Labels:
    """Exact labels (n, h, w) of every cell; raises `InputError` when a goal is outside its map or in a wall."""
    check_goals(maps)
    # The cheapest exact search for the case. Only diagonals and cell costs need Dijkstra's heap; at unit cost a queue
    # visits the cells in order of distance (breadth first), and a map of up to 64 cells is searched in one word.
    if maps.connectivity != 4 or maps.cost is not None:
        return Labels(*distances.dijkstra_all(maps))
    if maps.shape[0] * maps.shape[1] <= bitboard.NUM_BITS:
        return Labels(*bitboard.solve_all(maps))
    return Labels(*distances.breadth_first_all(maps))


def check_goals(maps: Maps) -> None:
    """Raise `InputError` naming the first map whose goal is not a free cell."""
    rows, columns = maps.goal[:, 0], maps.goal[:, 1]
    is_inside = (rows >= 0) & (columns >= 0) & (rows < maps.shape[0]) & (columns < maps.shape[1])
    is_good = is_inside.copy()
    is_good[is_inside] = maps.free[np.flatnonzero(is_inside), rows[is_inside], columns[is_inside]]
    if not is_good.all():
        bad = int(np.flatnonzero(~is_good)[0])
        place = "in a wall" if is_inside[bad] else "outside the map"
        raise InputError(f"map {bad}: the goal, row {rows[bad]} column {columns[bad]}, is {place}; choose a free cell")


def action_sets(mask: NDArray[np.uint8], connectivity: int) -> NDArray[np.bool_]:
    """Bits uint8 (n, h, w) → bool (n, connectivity, h, w): whether the action starts an optimal path from the cell."""
    bits = (1 << np.arange(connectivity, dtype=np.uint8))[:, None, None]
    return (mask[:, None] & bits) != 0
