"""Splits of generated graphs: drawn in chunks by threads, without a graph in two splits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.formats.graphs.colours import certificates
from nsmodels.formats.graphs.config import GraphDataConfig
from nsmodels.formats.graphs.tables import Graphs

CHUNK = 250  # pairs drawn with one generator; fewer where fewer are wanted
MOST_DROPPED = 0.5  # share of drawn pairs that may be repetitions; beyond, there are not enough different graphs

# Draws so many pairs of a split: rows 2k and 2k + 1 are twins. `pairs`, `ids` are numbered by the caller.
Draw = Callable[[Any, str, int, np.random.Generator], Graphs]


class Drawn(NamedTuple):
    """Graphs by split, and the number of pairs that were dropped as repetitions of others."""

    splits: dict[str, Graphs]
    num_dropped: int


def draw_splits(config: GraphDataConfig, draw: Draw, wanted: Mapping[str, int]) -> Drawn:
    """All splits of a configuration, so many pairs of each, the same for any number of threads.

    Raises InputError when there are not enough different graphs.
    """
    seen: set[int] = set()
    found, num_dropped = {}, 0
    with ThreadPoolExecutor(config.num_workers or num_cores()) as threads:
        # Those that are scored come first: they are then the same however many training graphs there are.
        for split in sorted(wanted, key=lambda name: name in ("train", "short")):
            if wanted[split]:
                parts = _chunks(config, draw, split, wanted[split], threads)
                found[split], dropped = _different(split, wanted[split], parts, seen)
                num_dropped += dropped
    return Drawn({split: found[split] for split in wanted if split in found}, num_dropped)


def _chunks(
    config: GraphDataConfig, draw: Draw, split: str, wanted: int, threads: ThreadPoolExecutor
) -> Iterator[Graphs]:
    """Chunks without end; those that the wanted number takes are drawn ahead by the threads."""

    size = min(CHUNK, wanted)

    def chunk(number: int) -> Graphs:
        rng = np.random.default_rng([config.seed, zlib.crc32(split.encode()), number])
        return draw(config, split, size, rng)

    ahead = -(-wanted // size)
    yield from threads.map(chunk, range(ahead))
    number = ahead
    while True:
        yield chunk(number)
        number += 1


def _different(split: str, wanted: int, parts: Iterator[Graphs], seen: set[int]) -> tuple[Graphs, int]:
    kept: list[Graphs] = []
    num_kept, num_drawn = 0, 0
    for part in parts:
        rows = _new_pairs(certificates(part), seen, wanted - num_kept)
        kept.append(part.take((2 * rows[:, None] + np.arange(2)).ravel()))
        num_kept, num_drawn = num_kept + len(rows), num_drawn + len(part) // 2
        if num_kept == wanted:
            break
        if num_drawn > 20 * CHUNK and num_kept < (1 - MOST_DROPPED) * num_drawn:
            raise InputError(
                f"{split}: only {num_kept:,} different pairs among {num_drawn:,} drawn, {wanted:,} are wanted; ask for "
                f"fewer pairs or larger graphs"
            )
    graphs = Graphs.concatenate(kept)
    pairs = np.arange(num_kept).repeat(2)
    ids = np.array([f"{split}/{number}/{k % 2}" for k, number in enumerate(pairs.tolist())], object)
    # What one twin demands both get: the number of rounds must not tell them apart.
    rounds = graphs.rounds.reshape(-1, 2).max(axis=1).repeat(2)
    return graphs.replaced(pairs=pairs, ids=ids, rounds=rounds), num_drawn - num_kept


def _new_pairs(marks: NDArray[np.uint64], seen: set[int], most: int) -> NDArray[np.int64]:
    """Pairs (m,), at most `most`, of which neither graph has occurred before; they are added to `seen`."""
    rows = []
    for number, (one, other) in enumerate(marks.reshape(-1, 2).tolist()):
        if len(rows) == most:
            break
        if one != other and one not in seen and other not in seen:
            seen |= {one, other}
            rows.append(number)
    return np.array(rows, np.int64)
