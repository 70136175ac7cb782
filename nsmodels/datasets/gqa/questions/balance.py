"""The balanced part of a split: answers that are hard to guess from the question, in the wanted mix.

Yes and no, and both options of a choice, are kept in pairs: within a local group as far as they go, what is left over
across local groups of the same kind. Open answers are smoothed: in each global group, then in each local one, no answer
is kept more than `spread` times as often as the mean answer. Then the families are thinned to their shares.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

TRUTHS = ("yes", "no")
TOLERANCE = 1.2  # the scarcest family may have 1/TOLERANCE of its share
Unit = tuple[int, ...]  # questions that are kept or dropped together


class Item(NamedTuple):
    """What balancing knows of a question; fields as of `Draft`."""

    id: str
    family: str
    place: str | None
    group: str
    answer: str
    rival: str
    scope: tuple[str, ...]


def balanced(items: Sequence[Item], shares: Mapping[str, float], spread: float, leftover: float, seed: str) -> set[int]:
    """Positions of the questions to keep.

    Args:
        items: all questions of a split.
        shares: wanted share of each family; they need not sum to one.
        spread: largest frequency of an open answer in its group, as a multiple of the mean.
        leftover: excess of a side that a local group may have, as a share of its pairs; one question always may.
        seed: of the random choice among equals.
    """
    rng = Random(seed)
    by_family: defaultdict[str, list[int]] = defaultdict(list)
    for place in rng.sample(range(len(items)), len(items)):
        by_family[items[place].family].append(place)
    units = {family: _units(items, members, spread, leftover) for family, members in by_family.items()}
    return _mixed(units, shares, rng)


def _units(items: Sequence[Item], members: list[int], spread: float, leftover: float) -> list[Unit]:
    truths = [i for i in members if items[i].answer in TRUTHS]
    choices = [i for i in members if items[i].rival]
    chosen = {*truths, *choices}
    rest = [i for i in members if i not in chosen]
    found = _paired(
        truths, [_truth_keys(items[i]) for i in truths], [items[i].answer == "yes" for i in truths], leftover
    )
    is_first = [items[i].answer < items[i].rival for i in choices]
    found += _paired(choices, [_choice_keys(items[i]) for i in choices], is_first, leftover)
    return found + [(i,) for i in _smoothed(items, rest, spread)]


def _truth_keys(item: Item) -> tuple[Hashable, ...]:
    start, _, names = item.group.partition("-")
    return item.group, (start, names.rpartition("_")[2]), start


def _choice_keys(item: Item) -> tuple[Hashable, ...]:
    options = (item.answer, item.rival) if item.answer < item.rival else (item.rival, item.answer)
    return (item.group, options), options, item.group.partition("-")[0]


def _paired(members: list[int], keys: list[tuple[Hashable, ...]], is_first: list[bool], leftover: float) -> list[Unit]:
    """Pairs of members on different sides, with equal first keys, then of what is left equal second ones, and so on."""
    found: list[Unit] = []
    waiting = list(zip(members, keys, is_first, strict=True))
    for level in range(len(keys[0]) if keys else 0):
        groups: defaultdict[Hashable, tuple[list, list]] = defaultdict(lambda: ([], []))
        for entry in waiting:
            groups[entry[1][level]][entry[2]].append(entry)
        waiting = []
        for one, two in groups.values():
            number = min(len(one), len(two))
            found += [(a[0], b[0]) for a, b in zip(one, two, strict=False)]
            rest = max(one, two, key=len)[number:]
            waiting += rest[: max(1, int(leftover * number))] if level == 0 else rest
    return found


def _smoothed(items: Sequence[Item], members: list[int], spread: float) -> list[int]:
    by_place = _grouped(members, lambda i: items[i].place or items[i].group)
    kept = [i for group in by_place for i in _levelled(items, group, spread)]
    return [i for group in _grouped(kept, lambda i: items[i].group) for i in _levelled(items, group, spread)]


def _grouped(members: Iterable[int], key) -> Iterable[list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i in members:
        groups[key(i)].append(i)
    return groups.values()


def _levelled(items: Sequence[Item], group: list[int], spread: float) -> list[int]:
    """The group without the excess of its frequent answers."""
    counts = Counter(items[i].answer for i in group)
    most = level(sorted(counts.values()), spread)
    kept, seen = [], Counter[str]()
    for i in group:
        seen[items[i].answer] += 1
        if seen[items[i].answer] <= most:
            kept.append(i)
    return kept


def level(counts: list[int], spread: float) -> int:
    """The largest number m with m <= spread * mean(min(count, m)), counts ascending; of one answer a third is kept."""
    if len(counts) == 1:
        return max(1, counts[0] // 3)
    for most in dict.fromkeys(reversed(counts)):
        # Between two counts the sum grows linearly with m: the exact bound is where both sides meet.
        below = sum(count for count in counts if count < most)
        above = sum(count >= most for count in counts)
        slack = len(counts) - spread * above
        if most * slack <= spread * below or slack <= 0:
            return most
        bound = int(spread * below / slack)
        if bound >= max((count for count in counts if count < most), default=1):
            return max(1, bound)
    return max(1, counts[0])


def _mixed(units: Mapping[str, list[Unit]], shares: Mapping[str, float], rng: Random) -> set[int]:
    """Units of each family up to its share of what the scarcest one allows."""
    sizes = {family: sum(map(len, found)) for family, found in units.items()}
    ratios = [sizes.get(family, 0) / share for family, share in shares.items() if share >= 1]
    total = TOLERANCE * min((ratio for ratio in ratios if ratio), default=0)
    kept: set[int] = set()
    for family, found in units.items():
        wanted, used = shares[family] * total, 0
        for unit in rng.sample(found, len(found)):
            if used + len(unit) / 2 > wanted:
                break
            used += len(unit)
            kept.update(unit)
    return kept
