"""Frequencies in the graphs of a split: what wrong options and plausible answers are drawn from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

TRIES = 12


class Draws:
    """Random draws of keys in proportion to their counts."""

    def __init__(self, counts: Counter[str]) -> None:
        self.keys = sorted(counts)
        self.sums = list(accumulate(counts[key] for key in self.keys))

    def draw(self, rng: Random, without: Collection[str]) -> str | None:
        """A key that is not in `without`; None: hardly one is left."""
        for _ in range(TRIES):
            found = rng.choices(self.keys, cum_weights=self.sums)[0] if self.keys else None
            if found not in without:
                return found
        return None


@dataclass
class Counts:
    """Frequencies of a split.

    Attributes:
        names: objects by name.
        values: by (name, attribute type) the values; by ("", type) those of all names.
        relatives: by (name, relation, role) the names in that role; by ("", relation, role) those to any name.
        places, weathers: images.
    """

    names: Counter[str] = field(default_factory=Counter)
    values: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    relatives: defaultdict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    places: Counter[str] = field(default_factory=Counter)
    weathers: Counter[str] = field(default_factory=Counter)


def count(graphs: Iterable[SceneGraph], words: SceneVocabulary) -> Counts:
    """Frequencies in graphs."""
    found = Counts()
    for graph in graphs:
        found.places[graph.location] += 1
        found.weathers[graph.weather] += 1
        for thing in graph:
            found.names[thing.name] += 1
            for value in thing.attributes:
                if kind := words.type_of.get(value):
                    found.values[thing.name, kind][value] += 1
                    found.values["", kind][value] += 1
            for relation in thing.relations:
                other = graph.by_id[relation.target].name
                found.relatives[other, relation.name, "s"][thing.name] += 1
                found.relatives[thing.name, relation.name, "o"][other] += 1
                found.relatives["", relation.name, "s"][thing.name] += 1
                found.relatives["", relation.name, "o"][other] += 1
                if inverse := words.inverses.get(relation.name):
                    found.relatives[thing.name, inverse, "s"][other] += 1
                    found.relatives["", inverse, "s"][other] += 1
    return found
