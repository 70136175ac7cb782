"""Overview of knowledge bases: triples as text, and counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.knowledge_bases import bases
from nsmodels.datasets.knowledge_bases.bases import NONE
from nsmodels.datasets.knowledge_bases.config import SPLITS


def as_text(folder: Path, name: str, split: str, number: int) -> list[str]:
    """The first `number` triples of a split, a line each with its negative. Raises InputError for a bad name."""
    if split not in SPLITS:
        raise InputError(f"--split {split}: expected {', '.join(SPLITS)}")
    base = bases.read(folder, name)
    lines = []
    for (h, r, t), e in zip(base.triples[split][:number].tolist(), base.negatives[split].tolist(), strict=False):
        false = f"   (and not {base.entities[e]})" if e != NONE else ""
        lines.append(f"{base.entities[h]}  {base.relations[r]}  {base.entities[t]}{false}")
    return lines


def distributions(folder: Path) -> dict[str, Any]:
    """By base: numbers of entities and relations, and the share of each of the commonest relations."""
    found: dict[str, Any] = {}
    for name in bases.names(folder):
        base = bases.read(folder, name)
        everything = [r for split in SPLITS for r in base.triples[split][:, 1].tolist()]
        shares = {base.relations[r]: n / len(everything) for r, n in Counter(everything).most_common(12)}
        found[name] = {"num_entities": len(base.entities), "num_relations": len(base.relations), "relations": shares}
    return found
