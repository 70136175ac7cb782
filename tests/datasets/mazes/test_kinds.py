"""Maps of every kind: mazes are trees, rooms are connected, corridors are one cell wide, chance is only in the seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing import kinds

SHAPES = [(4, 4), (5, 4), (8, 8), (9, 13), (16, 30)]
NUM = 40


def drawn(kind: str, shape: tuple[int, int], num: int = NUM, seed: int = 0, **fields) -> np.ndarray:
    return kinds.draw(kind, num, *shape, np.random.default_rng(seed), MazesConfig(**fields))


def num_edges(free: np.ndarray) -> np.ndarray:
    """Pairs of free cells side by side."""
    return (free[:, 1:] & free[:, :-1]).sum((1, 2)) + (free[..., 1:] & free[..., :-1]).sum((1, 2))


def num_parts(free: np.ndarray) -> list[int]:
    return [ndimage.label(cells)[1] for cells in free]


def num_dead_ends(free: np.ndarray) -> int:
    wide = np.pad(free, [(0, 0), (1, 1), (1, 1)]).astype(int)
    around = wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:]
    return int(((around == 1) & free).sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_seeds_give_equal_maps_and_others_others(kind: str, shape: tuple[int, int]) -> None:
    first, again, other = drawn(kind, shape), drawn(kind, shape), drawn(kind, shape, seed=1)
    assert (first.shape, first.dtype) == ((NUM, *shape), bool)
    assert (first == again).all()
    assert kind in ("maze", "rooms") or (first != other).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_perfect_maze_is_one_tree(shape: tuple[int, int]) -> None:
    free = drawn("maze", shape)
    assert num_parts(free) == [1] * NUM
    assert (num_edges(free) == free.sum((1, 2)) - 1).all()
    assert all(edge.any() for edge in (free[:, 0], free[:, -1], free[..., 0], free[..., -1]))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["rooms", "braided", "corridors", "wide"])
def test_carved_maps_are_connected(kind: str, shape: tuple[int, int]) -> None:
    assert num_parts(drawn(kind, shape)) == [1] * NUM


def test_braiding_opens_the_configured_share_of_dead_ends() -> None:
    counts = [num_dead_ends(drawn("braided", (21, 21), braid=braid)) for braid in (0.0, 0.5, 1.0)]
    assert counts[0] == num_dead_ends(drawn("maze", (21, 21)))
    assert 0.3 < counts[1] / counts[0] < 0.6
    assert counts[2] == 0


def num_around(free: np.ndarray) -> np.ndarray:
    """Free cells beside each cell, 0 in walls."""
    wide = np.pad(free, [(0, 0), (1, 1), (1, 1)]).astype(int)
    return (wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:]) * free


def num_squares(free: np.ndarray) -> np.ndarray:
    """Squares of 2x2 free cells in each map."""
    return (free[:, 1:, 1:] & free[:, 1:, :-1] & free[:, :-1, 1:] & free[:, :-1, :-1]).sum((1, 2))


@pytest.mark.parametrize("shape", [(8, 8), (33, 33), (12, 40)])
def test_corridors_are_one_cell_wide_and_a_third_or_more_are_one_way_without_a_branch(shape: tuple[int, int]) -> None:
    free = drawn("corridors", shape, 200)
    is_one_way = (num_around(free).max((1, 2)) <= 2) & (num_squares(free) == 0)
    assert 0.3 < is_one_way.mean() < 0.9
    # The longest way fills the map with its walls beside it.
    assert free[is_one_way].sum((1, 2)).max() > 0.45 * shape[0] * shape[1]
    if min(shape) > 8:
        assert num_squares(free).max() > 8  # rooms
        assert free[~is_one_way].mean((1, 2)).min() < 0.3  # and little more than what joins them


@pytest.mark.parametrize("shape", [(9, 13), (33, 33), (64, 8)])
def test_the_corridors_of_wide_mazes_are_two_cells_wide_or_wider(shape: tuple[int, int]) -> None:
    free = drawn("wide", shape, 100)
    squares = free[:, 1:, 1:] & free[:, 1:, :-1] & free[:, :-1, 1:] & free[:, :-1, :-1]
    covered = np.zeros_like(free)
    for rows, columns in (
        (slice(1, None), slice(1, None)),
        (slice(1, None), slice(-1)),
        (slice(-1), slice(1, None)),
        (slice(-1), slice(-1)),
    ):
        covered[:, rows, columns] |= squares
    assert (covered == free).all()
    assert (1 - free.mean((1, 2)) > 0).all()


def test_mazes_of_one_size_are_many() -> None:
    assert len({cells.tobytes() for cells in drawn("maze", (8, 8), 1000)}) > 900
    assert len({cells.tobytes() for cells in drawn("rooms", (8, 8), 1000)}) > 700
    assert len({cells.tobytes() for cells in drawn("corridors", (16, 16), 1000)}) > 900
    assert len({cells.tobytes() for cells in drawn("wide", (16, 16), 1000)}) > 900


def test_obstacles_have_the_density_asked_for() -> None:
    free = drawn("obstacles", (30, 30), 200, min_density=0.2, max_density=0.3)
    blocked = 1 - free.mean(axis=(1, 2))
    assert 0.15 < blocked.min() < 0.22
    assert 0.28 < blocked.max() < 0.35
    assert abs(blocked.mean() - 0.25) < 0.01


def test_caves_are_smoother_than_obstacles_of_their_density() -> None:
    caves = drawn("caves", (30, 30), 100)
    walls = 1 - caves.mean()
    noise = drawn("obstacles", (30, 30), 100, min_density=walls, max_density=walls)
    borders = [int((free[:, 1:] != free[:, :-1]).sum()) for free in (caves, noise)]
    assert borders[0] < 0.6 * borders[1]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="swamp: no such kind of map; choose one of obstacles, maze"):
        drawn("swamp", (8, 8))
