"""Kinds of maps: random obstacles, mazes without and with loops, rooms with doors, caves. Drawn many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing.carving import divide_rooms, grow_mazes

Free = NDArray[np.bool_]
__all__ = ["KINDS", "draw"]


def draw(kind: str, num: int, height: int, width: int, rng: np.random.Generator, config: MazesConfig) -> Free:
    """Maps of one kind, bool (num, height, width), True where free; raises `InputError` for an unknown kind.

    Obstacle fields and caves may have several connected components; mazes and rooms have one.
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
    free = grow_mazes(_seeds(num, rng), rng.random(num), braid, (height + 1) // 2, (width + 1) // 2)
    rows, columns = _stretched(num, height, rng), _stretched(num, width, rng)
    return free[np.arange(num)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _stretched(num: int, side: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Lines of a maze of odd side that make up `side` lines, (num, side).

    A lattice makes odd sides only; for an even one a line of passages is doubled, a random one in each map.
    """
    lines = np.broadcast_to(np.arange(side), (num, side))
    if side % 2:
        return lines
    doubled = 2 * rng.integers(0, side // 2 - 1, (num, 1)) + 1
    return lines - (lines > doubled)


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
}
