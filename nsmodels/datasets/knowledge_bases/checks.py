"""Checks of knowledge bases: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.knowledge_bases import bases
from nsmodels.datasets.knowledge_bases.bases import NONE, Base
from nsmodels.datasets.knowledge_bases.config import SPLITS


def schema(folder: Path) -> list[str]:
    """Every base is readable, with triples in each split and more than one entity."""
    found = []
    for name in bases.names(folder):
        try:
            base = bases.read(folder, name)
        except (InputError, KeyError) as error:
            found.append(str(error))
            continue
        found += [f"{name}: split {split} is empty" for split in SPLITS if not len(base.triples[split])]
        found += [f"{name}: a name is empty" for words in (base.entities, base.relations) if not all(words)]
    return found or ([] if bases.names(folder) else [f"{folder}: no base here"])


def splits_are_disjoint(folder: Path) -> list[str]:
    """No triple is in two splits, nor twice in one."""
    found = []
    for base in _every(folder):
        seen: dict[tuple[int, ...], str] = {}
        for split in SPLITS:
            for triple in map(tuple, base.triples[split].tolist()):
                if triple in seen:
                    found.append(f"{base.name} {split}: {_shown(base, triple)} is also in {seen[triple]}")
                seen[triple] = split
    return found


def everything_is_known(folder: Path) -> list[str]:
    """Entities and relations of val and test occur in train: a model of embeddings can score every triple."""
    found = []
    for base in _every(folder):
        for split in SPLITS[1:]:
            for columns, words in (([0, 2], base.entities), ([1], base.relations)):
                new = np.setdiff1d(base.triples[split][:, columns], base.triples["train"][:, columns])
                found += [f"{base.name} {split}: '{words[k]}' does not occur in train" for k in new.tolist()]
    return found


def negatives_are_false(folder: Path) -> list[str]:
    """A matched negative is a tail of the same relation, and the triple with it is in no split."""
    found = []
    for base in _every(folder):
        tails = {(r, t) for _, r, t in base.known}
        for split in SPLITS[1:]:
            for (h, r, _), e in zip(base.triples[split].tolist(), base.negatives[split].tolist(), strict=True):
                if e != NONE and (h, r, e) in base.known:
                    found.append(f"{base.name} {split}: the negative {_shown(base, (h, r, e))} is a triple of the base")
                if e != NONE and (r, e) not in tails:
                    found.append(f"{base.name} {split}: the negative {_shown(base, (h, r, e))} leaves the range")
    return found


def _every(folder: Path) -> Iterator[Base]:
    return (bases.read(folder, name) for name in bases.names(folder))


def _shown(base: Base, triple: tuple[int, ...]) -> str:
    h, r, t = triple
    return f"({base.entities[h]}, {base.relations[r]}, {base.entities[t]})"
