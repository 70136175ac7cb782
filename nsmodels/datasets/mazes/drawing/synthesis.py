"""Synthetic splits: problems drawn block by block; no map occurs twice, turned or mirrored ones included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing import problems
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.grids import Maps, concatenate

# The order decides which split keeps a map that is drawn twice: test data never depend on the number of training maps.
ORDER = ("test", "val", "transfer", "train")
LARGEST_BLOCK, CELLS_PER_BLOCK = 2048, 1 << 21
# After three consecutive blocks with a smaller share of new maps than this, the maps count as exhausted.
LEAST_NEW, PATIENCE = 0.005, 3


@dataclass(frozen=True)
class Batch:
    """Problems of one split on maps of one shape, n of them.

    Attributes:
        split: train, val, test or transfer.
        rows: int64 (n,), row of each problem within the split.
        maps: the problems.
        kind: (n,), kind of each map.
        name: (n,), name of each map.
        mark: (n,), canonical hash of each map, see `symmetry.mark`.
        answer: (n,), optimal path in the source file as digits of actions, empty where it has none; or None.
        solved: costs float64 (n,) of the shortest paths and n paths as digits of actions, where known; or None.
    """

    split: str
    rows: NDArray[np.int64]
    maps: Maps
    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    mark: NDArray[np.object_]
    answer: NDArray[np.object_] | None = None
    solved: tuple[NDArray[np.float64], list[str]] | None = None


def draw_splits(config: MazesConfig) -> tuple[list[Batch], int]:
    """All splits, and the number of maps discarded as duplicates.

    Each split is drawn from its own seed in blocks of fixed size, so that a smaller split is a prefix of a larger one.
    Raises `InputError` naming the field when there are fewer different maps than it requests.
    """
    seen: set[str] = set()
    batches: list[Batch] = []
    num_drawn = 0
    for split in ORDER:
        first = 0
        for shapes, num in _portions(config, split):
            stream = _blocks(config, shapes, [config.seed, ORDER.index(split), *shapes[0]])
            found, drawn = _collect(stream, num, seen, f"num_{split}", shapes)
            batches += _batches(split, found, first)
            num_drawn, first = num_drawn + drawn, first + num
    return batches, num_drawn - len(seen)


@dataclass(frozen=True)
class _Block:
    """Drawn problems of mixed shapes, one entry per shape; `places` are the positions of its problems in the block."""

    places: list[NDArray[np.int64]]
    maps: list[Maps]
    kinds: list[NDArray[np.int8]]
    marks: list[str]


def _portions(config: MazesConfig, split: str) -> list[tuple[list[tuple[int, int]], int]]:
    """Groups of shapes that are mixed with each other, with their number of maps; for transfer one group per side."""
    if split == "transfer":
        return [([(side, side)], config.num_transfer) for side in sorted(set(config.transfer_sides))]
    return [(config.shapes, getattr(config, f"num_{split}"))]


def _blocks(config: MazesConfig, shapes: list[tuple[int, int]], key: list[int]) -> Iterator[_Block]:
    size = max(16, min(LARGEST_BLOCK, CELLS_PER_BLOCK // max(height * width for height, width in shapes)))
    for number in range(1 << 30):
        rng = np.random.default_rng([*key, number])
        shape = rng.integers(0, len(shapes), size)
        places = [np.flatnonzero(shape == at) for at in range(len(shapes))]
        drawn = [
            problems.draw(config, len(at), *which, rng) for at, which in zip(places, shapes, strict=True) if len(at)
        ]
        places = [at for at in places if len(at)]
        marks = np.empty(size, object)
        for at, (maps, _) in zip(places, drawn, strict=True):
            marks[at] = mark(maps.free)
        yield _Block(places, [maps for maps, _ in drawn], [kind for _, kind in drawn], marks.tolist())


@dataclass(frozen=True)
class _Kept:
    """New problems of one shape in a block: rows in the split, problems, kinds and marks."""

    rows: NDArray[np.int64]
    maps: Maps
    kind: NDArray[np.int8]
    mark: NDArray[np.object_]


def _collect(
    stream: Iterator[_Block], num: int, seen: set[str], field: str, shapes: list[tuple[int, int]]
) -> tuple[list[_Kept], int]:
    """The first `num` problems on maps not in `seen`, to which they are added; and the number of maps drawn."""
    kept: list[_Kept] = []
    count = num_drawn = num_poor = 0
    while count < num:
        block = next(stream)
        rows = np.full(len(block.marks), -1)
        before = count
        for place, name in enumerate(block.marks):
            num_drawn += 1
            if name not in seen:
                seen.add(name)
                rows[place], count = count, count + 1
                if count == num:
                    break
        kept += _taken(block, rows)
        num_poor = num_poor + 1 if count - before < LEAST_NEW * len(rows) else 0
        if count < num and num_poor == PATIENCE:
            raise _exhausted(field, num, count, shapes)
    return kept, num_drawn


def _taken(block: _Block, rows: NDArray[np.int64]) -> list[_Kept]:
    marks, found = np.array(block.marks, object), []
    for at, maps, kind in zip(block.places, block.maps, block.kinds, strict=True):
        chosen = np.flatnonzero(rows[at] >= 0)
        if len(chosen):
            found.append(_Kept(rows[at][chosen], maps[chosen], kind[chosen], marks[at][chosen]))
    return found


def _batches(split: str, kept: list[_Kept], first: int) -> list[Batch]:
    found = []
    for shape in dict.fromkeys(part.maps.shape for part in kept):
        parts = [part for part in kept if part.maps.shape == shape]
        rows = first + np.concatenate([part.rows for part in parts])
        kind = np.array(KINDS, object)[np.concatenate([part.kind for part in parts])]
        names = np.array([f"{split}-{row:06d}" for row in rows], object)
        marks = np.concatenate([part.mark for part in parts])
        found.append(Batch(split, rows, concatenate([part.maps for part in parts]), kind, names, marks))
    return found


def _exhausted(field: str, num: int, count: int, shapes: list[tuple[int, int]]) -> InputError:
    sizes = ", ".join(f"{height}x{width}" for height, width in shapes)
    return InputError(
        f"field '{field}': {num} maps requested, but only {count} different ones of {sizes} were found that are in no "
        f"other split (turned and mirrored maps count as one); lower {field}, or allow larger sides or more kinds"
    )
