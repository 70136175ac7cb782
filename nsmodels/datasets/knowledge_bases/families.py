"""Families drawn at random: the synthetic twin of a knowledge base, whose kinship follows from marriages and births.

Every relation but marriage and parenthood is a composition of others (an uncle is a brother of a parent), so that most
of the triples that are held out follow from those that are not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nsmodels.datasets.knowledge_bases.bases import Base, Named
from nsmodels.datasets.knowledge_bases.config import SPLITS

FOUNDERS = 0.2  # share of the people who have no parents here
MOST_CHILDREN = 4
HELD_OUT = 0.1  # share of the triples in each of val and test

Pairs = set[tuple[int, int]]


def draw(name: str, num_people: int, rng: np.random.Generator) -> Base:
    """A base of so many people; val and test only have people and relations that train has, too."""
    triples = kinship(num_people, rng)
    order = rng.permutation(len(triples)).tolist()
    most = int(HELD_OUT * len(triples))
    held: list[int] = []
    left = {word: sum(word in triple for triple in triples) for triple in triples for word in triple}
    for row in order:
        if len(held) < 2 * most and all(left[word] > 1 for word in triples[row]):
            held.append(row)
            for word in triples[row]:
                left[word] -= 1
    rows = {"train": sorted(set(order) - set(held)), "val": held[: len(held) // 2], "test": held[len(held) // 2 :]}
    return Base.of(name, {split: [triples[row] for row in rows[split]] for split in SPLITS})


def kinship(num_people: int, rng: np.random.Generator) -> list[Named]:
    """The triples of some families, sorted."""
    is_male, parents, couples = _people(num_people, rng)
    names = [f"person {number:0{len(str(num_people - 1))}}" for number in range(num_people)]
    parent = {(p, child) for child, both in parents.items() for p in both}
    sibling = {(a, b) for a, one in parents.items() for b, other in parents.items() if a != b and one == other}
    married = {(a, b) for a, b in couples} | {(b, a) for a, b in couples}
    grand, uncle = _composed(parent, parent), _composed(sibling, parent)
    pairs = {
        ("husband", "wife"): married,
        ("father", "mother"): parent,
        ("son", "daughter"): _inverse(parent),
        ("brother", "sister"): sibling,
        ("grandfather", "grandmother"): grand,
        ("grandson", "granddaughter"): _inverse(grand),
        ("uncle", "aunt"): uncle,
        ("nephew", "niece"): _inverse(uncle),
    }
    found = [
        (names[a], f"{words[0] if is_male[a] else words[1]} of", names[b])
        for words, some in pairs.items()
        for a, b in some
    ]
    cousins = _composed(_inverse(parent), _composed(sibling, parent))
    return sorted(found + [(names[a], "cousin of", names[b]) for a, b in cousins])


def _people(
    num_people: int, rng: np.random.Generator
) -> tuple[list[bool], dict[int, tuple[int, int]], list[tuple[int, int]]]:
    """Who is male, the parents of those who have some, and the couples; generation by generation."""
    is_male = (rng.random(num_people) < 0.5).tolist()
    num_founders = max(4, int(FOUNDERS * num_people))
    is_male[:num_founders] = [k % 2 == 0 for k in range(num_founders)]
    parents: dict[int, tuple[int, int]] = {}
    couples: list[tuple[int, int]] = []
    single, born = list(range(num_founders)), num_founders
    while born < num_people:
        rng.shuffle(single)
        men, women = ([p for p in single if is_male[p] == male] for male in (True, False))
        new = [(a, b) for a, b in zip(men, women, strict=False) if parents.get(a, a) != parents.get(b, b)]
        # Where no two are left who may marry, couples go on having children.
        couples += new
        single = []
        for couple in new or couples:
            for _ in range(min(int(rng.integers(1, MOST_CHILDREN + 1)), num_people - born)):
                parents[born] = couple
                single.append(born)
                born += 1
    return is_male, parents, couples


def _composed(first: Iterable[tuple[int, int]], second: Iterable[tuple[int, int]]) -> Pairs:
    """Pairs (a, c) with (a, b) in the first and (b, c) in the second, a different from c."""
    after: dict[int, list[int]] = {}
    for b, c in second:
        after.setdefault(b, []).append(c)
    return {(a, c) for a, b in first for c in after.get(b, ()) if a != c}


def _inverse(pairs: Iterable[tuple[int, int]]) -> Pairs:
    return {(b, a) for a, b in pairs}
