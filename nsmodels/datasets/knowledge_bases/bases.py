"""A knowledge base in memory, and its file: a row per triple, with the matched negative of those that are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError, near
from nsmodels.datasets.knowledge_bases.config import SPLITS

COLUMNS = ("split", "head", "relation", "tail", "negative")
ABOUT = {
    "split": "train, val or test",
    "head": "first entity of the triple",
    "relation": "relation of head to tail",
    "tail": "second entity of the triple",
    "negative": "of val and test: entity of similar degree that makes the triple false in the tail's place",
}
NONE = -1  # there is no negative
Named = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Base:
    """A knowledge base with N entities and R relations.

    Attributes:
        name: of the base.
        entities: names (N,), sorted; an id is the position.
        relations: names (R,), sorted.
        triples: int64 (m, 3) head, relation, tail, by split.
        negatives: int64 (m,) false tail that matches the true one, by split; `NONE` where there is none.
    """

    name: str
    entities: Sequence[str]
    relations: Sequence[str]
    triples: Mapping[str, NDArray[np.int64]]
    negatives: Mapping[str, NDArray[np.int64]]

    @classmethod
    def of(
        cls,
        name: str,
        named: Mapping[str, Sequence[Named]],
        negatives: Mapping[str, Sequence[str | None]] | None = None,
    ) -> Self:
        """A base from triples of names by split; negatives that are not given are chosen here."""
        everything = [triple for split in SPLITS for triple in named[split]]
        entities = sorted({end for head, _, tail in everything for end in (head, tail)})
        relations = sorted({relation for _, relation, _ in everything})
        place, number = ({word: k for k, word in enumerate(words)} for words in (entities, relations))
        triples = {
            split: np.array([(place[h], number[r], place[t]) for h, r, t in named[split]], np.int64).reshape(-1, 3)
            for split in SPLITS
        }
        if negatives is None:
            return cls(name, entities, relations, triples, _matched(triples, len(entities)))
        false = {s: np.array([NONE if e is None else place[e] for e in negatives[s]], np.int64) for s in SPLITS}
        return cls(name, entities, relations, triples, false)

    @cached_property
    def known(self) -> frozenset[tuple[int, int, int]]:
        """The triples of all splits."""
        return frozenset((h, r, t) for split in SPLITS for h, r, t in self.triples[split].tolist())


def _matched(triples: Mapping[str, NDArray[np.int64]], num_entities: int) -> dict[str, NDArray[np.int64]]:
    """For each triple (h, r, t) the tail t' of other triples of r with (h, r, t') in no split, of nearest degree to t.

    Neither the relation's range nor the frequency of an entity then tells the two apart. Degrees are counted in train.
    """
    degree = np.bincount(triples["train"][:, [0, 2]].ravel(), minlength=num_entities)
    everything = np.concatenate([triples[split] for split in SPLITS])
    tails = {r: np.unique(everything[everything[:, 1] == r, 2]) for r in np.unique(everything[:, 1]).tolist()}
    known = set(map(tuple, everything.tolist()))
    found = {}
    for split in SPLITS:
        chosen = np.full(len(triples[split]), NONE)
        for row, (h, r, t) in enumerate(triples[split].tolist() if split != "train" else []):
            false = np.array([e for e in tails[r].tolist() if (h, r, e) not in known], np.int64)
            if len(false):
                chosen[row] = false[np.abs(degree[false] - degree[t]).argmin()]
        found[split] = chosen
    return found


def path_of(folder: Path, name: str) -> Path:
    """The file of a base."""
    return folder / f"{name}.parquet"


def names(folder: Path) -> list[str]:
    """Names of the bases in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.parquet"))


def write(path: Path, base: Base) -> None:
    """Write a base; the file appears whole or not at all."""
    rows = np.concatenate([base.triples[split] for split in SPLITS])
    negatives = np.concatenate([base.negatives[split] for split in SPLITS]).tolist()
    columns: dict[str, Any] = {"split": np.repeat(SPLITS, [len(base.triples[split]) for split in SPLITS]).tolist()}
    for column, ids, words in zip(COLUMNS[1:4], rows.T, (base.entities, base.relations, base.entities), strict=True):
        columns[column] = [words[k] for k in ids.tolist()]
    columns["negative"] = [None if k == NONE else base.entities[k] for k in negatives]
    with writing(path), atomically(path) as beside:
        pq.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), beside)


def read(folder: Path, name: str) -> Base:
    """The base of that name; raises InputError naming those that there are, and for a broken file."""
    path, there = path_of(folder, name), names(folder)
    if name not in there:
        raise InputError(f"{folder}: no base '{name}'; there are {', '.join(there) or 'none'}{near(name, there)}")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({' '.join(str(error).split())})") from None
    if absent := [column for column in COLUMNS if column not in table.column_names]:
        raise InputError(f"{path}: holds no triples, column '{absent[0]}' is missing")
    values = {column: table.column(column).to_pylist() for column in COLUMNS}
    named = {split: [] for split in SPLITS}
    negatives = {split: [] for split in SPLITS}
    for split, head, relation, tail, negative in zip(*values.values(), strict=True):
        named[split].append((head, relation, tail))
        negatives[split].append(negative)
    return Base.of(name, named, negatives)
