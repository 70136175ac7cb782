"""Checks of navigation data: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.config import KINDS
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files.format import Split, read_split, splits
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.prepare import LEAST_DETOUR
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.distances import dijkstra_all
from nsmodels.datasets.mazes.solving.labels import label

SAMPLE = 40  # problems of each split and shape that are solved again, one by one
NUM_SIGMAS = 4
TOLERANCE = 1e-4


def disjoint(folder: Path) -> list[str]:
    """No map is in two splits, turned and mirrored ones included, and no drawn map twice; from the cells."""
    found, owner = [], {}
    for split in splits(folder):
        data = read_split(folder, split)
        marks = _marks(data)
        wrong = np.flatnonzero(marks != data.index["mark"].to_numpy(object))
        found += [f"{split} {row}: the mark in the index is not that of the map" for row in wrong]
        is_drawn = data.index["kind"].isin(KINDS).to_numpy()
        for row, name in enumerate(marks):
            other, place = owner.setdefault(name, (split, row))
            if other != split or (place != row and is_drawn[row]):
                found.append(f"{split} {row}: the same map, perhaps turned or mirrored, as {other} {place}")
    return found


def solvable(folder: Path) -> list[str]:
    """Every path of the index leads over free cells from start to goal at the cost in the index."""
    found = []
    for split, data in _all(folder):
        paths = data.index["path"].to_numpy(object)
        costs = data.index["cost"].to_numpy(np.float64)
        for group in data.groups:
            for part, maps in group.maps.parts():
                rows = group.rows[part]
                bad = ~np.isclose(_walked(maps, paths[rows].tolist()), costs[rows], rtol=TOLERANCE)
                found += [
                    f"{split} {row}: the path does not lead to the goal at the cost of the index"
                    for row in rows[bad].tolist()
                ]
    return found


def labels_agree(folder: Path) -> list[str]:
    """On a sample the labels of all cells equal Dijkstra's, and the cost of the index is that of A*."""
    found = []
    for split, data in _all(folder):
        for group in data.groups:
            chosen = np.unique(np.linspace(0, len(group.rows) - 1, SAMPLE).astype(int))
            maps, rows = group.maps[chosen], group.rows[chosen]
            labels, exact = label(maps), dijkstra_all(maps)
            is_same = [(a == b).all(axis=(1, 2)) for a, b in zip(labels, exact, strict=True)]
            costs = data.index["cost"].to_numpy(np.float64)[rows]
            for i, row in enumerate(rows.tolist()):
                if not (is_same[0][i] and is_same[1][i]):
                    found.append(f"{split} {row}: labels differ from Dijkstra's")
                if not np.isclose(_astar_cost(maps, i), costs[i], rtol=TOLERANCE):
                    found.append(f"{split} {row}: cost {costs[i]} in the index, {_astar_cost(maps, i)} by A*")
    return found


def detours(folder: Path) -> list[str]:
    """Problems that need a detour are as frequent in val and test as in train, within the error of sampling."""
    shares = {split: data.index["detour"].gt(LEAST_DETOUR).to_numpy() for split, data in _all(folder)}
    if "train" not in shares or not set(read_split(folder, "train").index["kind"]) <= set(KINDS):
        return []
    found, train = [], shares["train"]
    for split in ("val", "test"):
        both = np.concatenate([train, shares[split]]).mean()
        error = np.sqrt(both * (1 - both) * (1 / len(train) + 1 / len(shares[split])))
        if abs(train.mean() - shares[split].mean()) > NUM_SIGMAS * error:
            found.append(f"detours: {train.mean():.1%} of train, {shares[split].mean():.1%} of {split}")
    return found


def _all(folder: Path) -> Iterator[tuple[str, Split]]:
    return ((split, read_split(folder, split)) for split in splits(folder))


def _marks(data: Split) -> NDArray[np.object_]:
    marks = np.empty(len(data.index), object)
    for group in data.groups:
        for part, maps in group.maps.parts():
            marks[group.rows[part]] = mark(maps.free[:1]) * len(maps) if maps.is_shared else mark(maps.free)
    return marks


def _walked(maps: Maps, paths: list[str]) -> NDArray[np.float64]:
    """Costs of the paths, float64 (n,), all walked at once; inf for one that enters a wall or misses the goal."""
    lengths = np.array([len(digits) for digits in paths])
    digits = np.array([[ord(digit) for digit in path.ljust(lengths.max(), "0")] for path in paths]) - ord("0")
    at, cost = maps.start.astype(np.int64), np.zeros(len(paths))
    for step in range(lengths.max()):
        walking = np.flatnonzero((step < lengths) & np.isfinite(cost))
        actions = digits[walking, step]
        offsets = np.array(OFFSETS)[actions]
        there = at[walking] + offsets
        is_legal = _is_free(maps, walking, there) & (actions < maps.connectivity)
        # Unless corners may be cut, a diagonal needs both cells beside it; a straight move passes through none.
        for axis in () if maps.diagonals.is_cut else (0, 1):
            beside = at[walking] + offsets * (np.arange(2) == axis)
            is_legal &= _is_free(maps, walking, beside)
        price = 1 if maps.cost is None else maps.cost[walking, *np.where(is_legal[:, None], there, 0).T]
        cost[walking] += np.where(is_legal, np.array(maps.diagonals.lengths)[actions] * price, np.inf)
        at[walking] = np.where(is_legal[:, None], there, at[walking])
    return np.where((at == maps.goal).all(axis=1), cost, np.inf)


def _is_free(maps: Maps, rows: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    is_inside = np.asarray(((cells >= 0) & (cells < maps.shape)).all(axis=1))
    inside = np.where(is_inside[:, None], cells, 0)
    return is_inside & maps.free[rows, inside[:, 0], inside[:, 1]]


def _astar_cost(maps: Maps, number: int) -> float:
    """Cost of the shortest path by A*, inf where there is none."""
    cells = search.astar(maps, number)
    return np.inf if cells is None else search.path_cost(maps, number, cells)
