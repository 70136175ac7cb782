"""Worlds of a belief: one value for every uncertain fact. Sampled to check soft execution, ranked to find proofs."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.systems.visual.reasoning.belief import OPPOSITE, Array, Scene, SceneBelief

# A flip sets one fact to a value other than its most likely one: (cost in nats, ("color", object), value number),
# (cost, ("present", object), 0 or 1), or (cost, ("left", i, j), 0 or 1) for "j is left of i".
Flip = tuple[float, tuple, int]
_MIRRORED = ("left", "front")  # the other two relations are their transposes


@dataclass(frozen=True, eq=False)
class World:
    """One possible scene: present (n,) bool, values[attribute] (n,) int, relations[rel][i, j] bool: j is rel of i."""

    present: Array
    values: dict[str, Array]
    relations: dict[str, Array]

    def scene(self, belief: SceneBelief) -> Scene:
        """The world as a scene in CLEVR's released form, for the exact executor, without absent objects."""
        return belief.to_scene(self.present, self.values, self.relations)

    def with_flips(self, flips: list[Flip]) -> World:
        """A copy of this world with the values of some facts changed."""
        world = World(
            self.present.copy(),
            {name: array.copy() for name, array in self.values.items()},
            {name: array.copy() for name, array in self.relations.items()},
        )
        for _, fact, value in flips:
            if fact[0] == "present":
                world.present[fact[1]] = bool(value)
            elif fact[0] in world.values:
                world.values[fact[0]][fact[1]] = value
            else:
                name, i, j = fact
                world.relations[name][i, j] = world.relations[OPPOSITE[name]][j, i] = bool(value)
                world.relations[OPPOSITE[name]][i, j] = world.relations[name][j, i] = not value
        return world


def most_likely_world(belief: SceneBelief) -> World:
    """The world of each fact's most likely value."""
    return World(
        belief.presence >= 0.5,
        {name: table.argmax(axis=1) for name, table in belief.attributes.items()},
        {name: table > 0.5 for name, table in belief.relations.items()},
    )


def sample_world(belief: SceneBelief, rng: np.random.Generator) -> World:
    """A world drawn from the belief: independent facts, except that opposite relations of a pair exclude each other."""
    n = len(belief)
    values = {}
    # Inverse of the cumulative distribution: the value is the number of cumulative probabilities below a uniform draw.
    for name, table in belief.attributes.items():
        reached = np.cumsum(table, axis=1) < rng.random((n, 1))
        values[name] = np.minimum(reached.sum(axis=1), len(ATTRIBUTES[name]) - 1)
    relations = {}
    upper = np.triu(np.ones((n, n), bool), 1)
    for name in _MIRRORED:
        draw = rng.random((n, n))
        # One uniform draw u per pair i < j, with p = P(j is `name` of i) and q = P(i is `name` of j), p + q ≤ 1:
        # u < p sets the first, u > 1 − q the second, between them neither. Both have the right marginals and exclude
        # each other.
        forward = (draw < belief.relations[name]) & upper
        backward = (draw > 1.0 - belief.relations[name].T) & upper & ~forward
        relations[name] = forward | backward.T
        relations[OPPOSITE[name]] = relations[name].T
    return World(rng.random(n) < belief.presence, values, relations)


def likely_worlds(belief: SceneBelief, names: set[str], limit: int) -> Iterator[World]:
    """Up to `limit` worlds in order of decreasing probability, which differ in presence and in facts of `names`.

    `names` are attributes and relations. Best-first search over sets of flips (Lawler 1972).
    """
    # Facts are independent, so log P(world) = log P(most likely world) − Σ cost over its flips, with the cost
    # log(P(most likely value) / P(value)) ≥ 0 of each: worlds by decreasing probability are sets of flips by cost.
    base, flips = most_likely_world(belief), _flips(belief, names)
    yield base
    heap: list[tuple[float, tuple[int, ...]]] = [(flips[0][0], (0,))] if flips else []
    for _ in range(limit - 1):
        chosen = _next_choice(heap, flips)
        if chosen is None:
            return
        yield base.with_flips([flips[k] for k in chosen])


def _next_choice(heap: list[tuple[float, tuple[int, ...]]], flips: list[Flip]) -> tuple[int, ...] | None:
    """The cheapest set of flips not yet returned in which no fact has two values; None when all were returned."""
    # Flips are sorted by cost. A set with the last flip k has two successors: k + 1 added, and k replaced by k + 1.
    # Both cost at least as much, and every set has exactly one predecessor: the heap yields each set once, in order.
    while heap:
        cost, chosen = heapq.heappop(heap)
        following = chosen[-1] + 1
        if following < len(flips):
            extra = flips[following][0]
            heapq.heappush(heap, (cost + extra, (*chosen, following)))
            heapq.heappush(heap, (cost - flips[chosen[-1]][0] + extra, (*chosen[:-1], following)))
        if len({flips[k][1] for k in chosen}) == len(chosen):
            return chosen
    return None


def _flips(belief: SceneBelief, names: set[str]) -> list[Flip]:
    """Every change of one fact from its most likely value, cheapest first."""
    result: list[Flip] = []
    for i, p in enumerate(belief.presence.tolist()):
        _add(result, ("present", i), int(p < 0.5), min(p, 1.0 - p), max(p, 1.0 - p))
    for name in ATTRIBUTES:
        for i, row in enumerate(belief.attributes[name].tolist() if name in names else []):
            best = max(range(len(row)), key=row.__getitem__)
            for value, p in enumerate(row):
                if value != best:
                    _add(result, (name, i), value, p, row[best])
    for name in _MIRRORED:
        if names & {name, OPPOSITE[name]}:
            table = belief.relations[name]
            for i, j in zip(*np.triu_indices(len(belief), 1), strict=True):
                p = float(table[i, j])
                _add(result, (name, int(i), int(j)), int(p <= 0.5), min(p, 1.0 - p), max(p, 1.0 - p))
    return sorted(result)


def _add(flips: list[Flip], fact: tuple, value: int, p: float, best: float) -> None:
    if p > 0.0:
        flips.append((math.log(best / p), fact, value))
