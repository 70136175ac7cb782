"""Problems by the declared rule: a map of a random kind, a goal, and a start from which it can be reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing import kinds
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import label

FAR_SHARE = 0.25
_TOLERANCE = 1e-3  # far below the least detour, 2 - √2, far above the rounding of float32


def draw(
    config: MazesConfig, num: int, height: int, width: int, rng: np.random.Generator
) -> tuple[Maps, NDArray[np.int8]]:
    """`num` solvable problems on maps of one shape, and the kind of each, int8 (num,), an index into `KINDS`.

    Equal configuration and state of `rng` give equal problems.
    """
    kind = rng.choice(len(KINDS), num, p=config.kind_shares).astype(np.int8)
    free = np.zeros((num, height, width), np.bool_)
    wanted = np.arange(num)
    # At the highest density allowed every fifth of the smallest maps has a problem: few rounds are enough.
    while len(wanted):
        for number in np.unique(kind[wanted]):
            rows = wanted[kind[wanted] == number]
            free[rows] = kinds.draw(KINDS[number], len(rows), height, width, rng, config)
        wanted = wanted[~has_problem(free[wanted], config.diagonals)]
    return place(config, free, rng), kind


def place(config: MazesConfig, free: NDArray[np.bool_], rng: np.random.Generator) -> Maps:
    """Problems on given maps, bool (n, h, w), for each of which `has_problem` must be true.

    The goal is uniform over the free cells that have a neighbour from which they can be entered; for the start see
    `place_start`.
    """
    goal = chosen(_with_neighbour(free, config.diagonals), rng)
    return place_start(config, free, goal, rng)


def place_start(
    config: MazesConfig, free: NDArray[np.bool_], goal: NDArray[np.int16], rng: np.random.Generator
) -> Maps:
    """Problems on given maps, bool (n, h, w), with given goals, int16 (n, 2), that can be reached from elsewhere.

    The start is uniform over the cells from which
    the goal can be reached (`placement` far: over the farthest quarter of them); with probability `detour_share` only
    over those where walls make the shortest path longer than on an empty map, if there are any. Distances count moves,
    not cell costs.
    """
    maps = Maps(free, goal, goal, None, config.connectivity, config.diagonals)
    distance = label(maps).cost_to_go
    candidates = np.isfinite(distance) & (distance > 0)
    detours = candidates & (distance > empty_distance(maps) + _TOLERANCE)
    is_detour = (rng.random(len(free)) < config.detour_share) & detours.any(axis=(1, 2))
    candidates = np.where(is_detour[:, None, None], detours, candidates)
    if config.placement == "far":
        candidates = _farthest(candidates, distance)
    maps = replace(maps, start=chosen(candidates, rng))
    if config.max_cell_cost == 1:
        return maps
    return replace(maps, cost=rng.integers(1, config.max_cell_cost + 1, free.shape, np.uint8))


def has_problem(free: NDArray[np.bool_], diagonals: DiagonalRule = OCTILE) -> NDArray[np.bool_]:
    """Whether each map (n, h, w) has a move from a cell to another, and so a problem; bool (n,)."""
    return np.asarray(_with_neighbour(free, diagonals).any(axis=(1, 2)))


def empty_distance(maps: Maps) -> NDArray[np.float32]:
    """Distance of each cell to the goal without walls, float32 (n, h, w).

    Manhattan; with diagonal moves octile, or Chebyshev where they cost as much as straight ones.
    """
    height, width = maps.shape
    rows = np.abs(np.arange(height, dtype=np.float32)[None, :, None] - maps.goal[:, 0, None, None])
    columns = np.abs(np.arange(width, dtype=np.float32)[None, None, :] - maps.goal[:, 1, None, None])
    return _empty_distance(maps, rows, columns)


def empty_distance_between(maps: Maps, cells: NDArray[np.int16]) -> NDArray[np.float32]:
    """The same, of one cell (n, 2) of each map only, float32 (n,)."""
    rows, columns = np.abs(cells.astype(np.float32) - maps.goal).T
    return _empty_distance(maps, rows, columns)


def _empty_distance(maps: Maps, rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    if maps.connectivity == 4:
        return rows + columns
    if maps.diagonals.is_unit:
        return np.maximum(rows, columns)
    return np.maximum(rows, columns) + np.float32(np.sqrt(2) - 1) * np.minimum(rows, columns)


def _with_neighbour(free: NDArray[np.bool_], diagonals: DiagonalRule) -> NDArray[np.bool_]:
    """Free cells that can be entered, bool (n, h, w): beside a free cell, where corners are cut also diagonally."""
    beside = np.zeros_like(free)
    beside[:, 1:] |= free[:, :-1]
    beside[:, :-1] |= free[:, 1:]
    beside[..., 1:] |= free[..., :-1]
    beside[..., :-1] |= free[..., 1:]
    if diagonals.is_cut:
        beside[:, 1:, 1:] |= free[:, :-1, :-1]
        beside[:, 1:, :-1] |= free[:, :-1, 1:]
        beside[:, :-1, 1:] |= free[:, 1:, :-1]
        beside[:, :-1, :-1] |= free[:, 1:, 1:]
    beside &= free
    return beside


def chosen(cells: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int16]:
    """One of the True cells of each map, int16 (n, 2), all equally likely."""
    flat = cells.reshape(len(cells), cells.shape[1] * cells.shape[2])
    rank = np.cumsum(flat, axis=1, dtype=np.int32)
    wanted = np.floor(rng.random(len(cells)) * rank[:, -1]).astype(np.int32)
    place = (rank > wanted[:, None]).argmax(axis=1)
    return np.stack(np.divmod(place, cells.shape[2]), axis=1).astype(np.int16)


def _farthest(candidates: NDArray[np.bool_], distance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The farthest quarter of the candidates of each map, at least one, and all at the same distance as the nearest."""
    far = np.where(candidates, distance, -1).reshape(len(distance), -1)
    number = np.maximum(1, (candidates.sum(axis=(1, 2)) * FAR_SHARE).astype(np.int64))
    least = np.take_along_axis(np.sort(far, axis=1), far.shape[1] - number[:, None], axis=1)
    return (far >= least).reshape(candidates.shape)
