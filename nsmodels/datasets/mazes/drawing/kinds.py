"""Kinds of maps: obstacles, mazes, rooms with doors, caves, corridors. Many are drawn at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing.carving import divide_rooms, grow_mazes
from nsmodels.datasets.mazes.drawing.corridors import Style, join_rooms, wind

Free = NDArray[np.bool_]
__all__ = ["KINDS", "draw"]


def draw(kind: str, num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Maps of one kind, bool (num, height, width), True where free; raises `InputError` for an unknown kind.

    Obstacle fields and caves may have several connected components; the others have one.
    """
    if kind not in _DRAWERS:
        raise InputError(f"{kind}: no such kind of map; choose one of {', '.join(KINDS)}")
    return _DRAWERS[kind](num, height, width, rng, config)


def _obstacles(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Every cell is a wall with the density of its map, which is uniform between the bounds."""
    density = rng.uniform(config.min_density, config.max_density, (num, 1, 1)).astype(np.float32)
    return rng.random((num, height, width), np.float32) >= density


def _maze(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Perfect mazes: exactly one path between any two free cells."""
    return _carved(num, height, width, rng, 0.0)


def _braided(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Mazes with loops: a share of the dead ends is opened."""
    return _carved(num, height, width, rng, config.braid)


def _carved(num: int, height: int, width: int, rng: np.random.Generator, braid: float) -> Free:
    rows, columns = (height + 1) // 2, (width + 1) // 2
    return _stretched(grow_mazes(_seeds(num, rng), rng.random(num), braid, rows, columns), height, width, rng)


def _stretched(free: Free, height: int, width: int, rng: np.random.Generator) -> Free:
    """Maps on a lattice, bool (n, h, w), as maps (n, height, width) of at least that size.

    Lattices make some sides only: lines between those of the lattice's cells, random ones in each map, are repeated.
    """
    rows, columns = (
        _lines(len(free), np.ones(base, np.int64), side, 1, rng)
        for base, side in zip(free.shape[1:], (height, width), strict=True)
    )
    return free[np.arange(len(free))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _lines(num: int, times: NDArray[np.int64], side: int, first: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Lines of a smaller map that make up the `side` lines of `num` maps, (num, side).

    Line i occurs `times[i]` times; random ones of `first`, `first + 2`, … occur more often, so that they are enough.
    """
    missing, repeated = side - int(times.sum()), np.tile(times, (num, 1))
    chosen = first + 2 * rng.integers(0, (len(times) - first + 1) // 2, (num, missing))
    np.add.at(repeated, (np.arange(num)[:, None], chosen), 1)
    return (np.arange(side)[:, None] >= repeated.cumsum(1)[:, None, :]).sum(2)


def _rooms(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Rooms at least 1, 2 or 3 cells wide, with one or two doors in each wall."""
    return divide_rooms(_seeds(num, rng), rng.integers(1, 4, num), height, width)


def _caves(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Noise smoothed one to three times: a cell becomes a wall when 5 of the 9 around it are."""
    walls = rng.random((num, height, width), np.float32) < rng.uniform(0.35, 0.5, (num, 1, 1)).astype(np.float32)
    rounds = rng.integers(1, 4, num)
    for done in range(3):
        smoothed = _num_walls_around(walls) >= 5
        walls = np.where((rounds > done)[:, None, None], smoothed, walls)
    return ~walls


def _corridors(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Rooms that long corridors join, one cell wide, with dead ends; a third are one corridor that fills the map."""
    free, is_winding = np.zeros((num, height, width), np.bool_), rng.random(num) < 1 / 3
    for rows, is_one in ((np.flatnonzero(is_winding), True), (np.flatnonzero(~is_winding), False)):
        seeds = _seeds(len(rows), rng)
        if is_one:
            drawn = wind(seeds, rng, (height + 1) // 4, (width + 1) // 4)
        else:
            lattice = (height + 1) // 2, (width + 1) // 2
            drawn = join_rooms(seeds, Style.drawn(len(rows), *lattice, rng), *lattice)
        free[rows] = _stretched(drawn, height, width, rng)
    return free


def _wide(num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Mazes with corridors 2 to 5 cells wide, narrower where a map is too small for that; half of them with loops."""
    free = np.zeros((num, height, width), np.bool_)
    side = min(height, width)
    most = max((side - 2) // 3, min(2, (side - 1) // 2))  # three corridors side by side, or two of two cells
    breadth = np.minimum(rng.integers(2, 6, num), most)
    is_looped = rng.random(num) < 0.5
    for cells in np.unique(breadth).tolist():
        for braid in (0.0, 0.5):
            rows = np.flatnonzero((breadth == cells) & (is_looped == (braid > 0)))
            free[rows] = _broadened(cells, len(rows), height, width, rng, braid)
    return free


def _broadened(cells: int, num: int, height: int, width: int, rng: np.random.Generator, braid: float) -> Free:
    """Mazes with corridors of `cells` cells, some broader where the sides demand it."""
    lattice = [(side + 1) // (cells + 1) for side in (height, width)]
    free = grow_mazes(_seeds(num, rng), rng.random(num), braid, *lattice)
    rows, columns = (
        _lines(num, np.where(np.arange(2 * size - 1) % 2, 1, cells), side, 0, rng)
        for size, side in zip(lattice, (height, width), strict=True)
    )
    return free[np.arange(num)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _num_walls_around(walls: Free) -> NDArray[np.uint8]:
    """Number of walls among the nine cells around each cell; the border repeats."""
    count = walls.astype(np.uint8)
    for axis in (1, 2):
        wide = np.pad(count, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        before, after = (wide[:, :-2], wide[:, 2:]) if axis == 1 else (wide[..., :-2], wide[..., 2:])
        count = count + before + after
    return count


def _seeds(num: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    return rng.integers(0, 1 << 63, num, dtype=np.uint64)


Drawer = Callable[[int, int, int, np.random.Generator, MazesConfig], Free]
_DRAWERS: dict[str, Drawer] = {
    "obstacles": _obstacles,
    "maze": _maze,
    "braided": _braided,
    "rooms": _rooms,
    "caves": _caves,
    "corridors": _corridors,
    "wide": _wide,
}
