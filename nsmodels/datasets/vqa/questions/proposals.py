"""Queries that make sense for a scene: drawn at random, with an answer, and none that another word gives away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from nsmodels.datasets.vqa.questions.queries import DOINGS, Noun, Query, View, answer
from nsmodels.formats.scenes.graphs import Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.scenery.words import HOLDING, WEARING

# Shares of the kinds; those that a scene has no instance of are drawn again. By answers about as the release: 38 %
# yes/no, 12 % number, 50 % other.
SHARES = {
    "exists": 10.0, "has": 10.0, "related": 10.0, "does": 3.0, "is_place": 3.0, "is_indoors": 2.0, "is_weather": 4.0,
    "count": 13.0, "value": 24.0, "choice": 4.0, "object": 10.0, "subject": 14.0, "which": 7.0, "where": 6.0,
    "doing": 5.0, "place": 5.0, "weather": 4.0,
}  # fmt: skip
KINDS, WEIGHTS = list(SHARES), list(SHARES.values())
TRIES = 12  # kinds drawn for one query
NARROWED = 0.25  # share of nouns with an attribute where the name alone would do
EMPTY = 0.05  # share of counts of what is not there
# Categories that are asked for by "what ... is this".
ASKED = ("animal", "bird", "fruit", "vegetable", "vehicle", "food", "flower", "toy", "building", "person")


class Proposer:
    """Draws queries about one scene.

    Attributes:
        names: names of each category, `names_of` of the words.
        yes: probability that a question of yes or no is asked so that the answer is yes, where both can be asked.
    """

    def __init__(self, view: View, rng: Random, names: Mapping[str, Sequence[str]], yes: float = 0.5) -> None:
        self.view, self.rng, self.names, self.yes = view, rng, names, yes
        self.things = list(view.graph)

    def query(self) -> Query | None:
        """A query with an answer, None after some tries without one."""
        for kind in self.rng.choices(KINDS, WEIGHTS, k=TRIES):
            found = _PROPOSALS[kind](self)
            if found is not None and answer(found, self.view) is not None:
                return found
        return None

    def thing(self) -> Thing | None:
        """A thing of the scene."""
        return self.rng.choice(self.things) if self.things else None

    def noun(self, thing: Thing, without: str = "") -> Noun | None:
        """A noun that names this thing alone, by no attribute of the type `without`; None where there is none."""
        values = [value for value in thing.attributes if self.view.words.type_of.get(value) != without]
        is_alone = len(self.view.named[thing.name]) == 1
        if values and (not is_alone or self.rng.random() < NARROWED):
            found = Noun(thing.name, self.rng.choice(values))
            return found if self.view.only(found) is thing else None
        return Noun(thing.name) if is_alone else None

    def wants_yes(self) -> bool:
        """Whether the answer to be asked for is yes."""
        return self.rng.random() < self.yes

    def other(self, values: Sequence[str], than: str) -> str | None:
        """One of the values that is not the given one."""
        found = [value for value in values if value != than]
        return self.rng.choice(found) if found else None

    def related(self, names: Sequence[str]) -> tuple[Thing, str] | None:
        """A thing and a relation that it states, one of the given names."""
        found = [(thing, each.name) for thing in self.things for each in thing.relations if each.name in names]
        return self.rng.choice(found) if found else None

    def absent(self) -> str | None:
        """A name that nothing in the scene has, often of a category that is there."""
        words = self.view.words
        for _ in range(8):
            near = self.thing()
            name = self.rng.choice(words.names)
            if near and self.rng.random() < 0.5:
                name = self.sibling(near.name) or name
            if name not in self.view.named:
                return name
        return None

    def sibling(self, name: str) -> str | None:
        """A different name of the same nearest category."""
        kinds = self.view.words.parents.get(name, ())
        return self.other(self.names[kinds[0]], name) if kinds else None


def names_of(words: SceneVocabulary) -> Mapping[str, Sequence[str]]:
    """Names of each category."""
    found: dict[str, list[str]] = {}
    for name, kinds in words.parents.items():
        for kind in kinds:
            found.setdefault(kind, []).append(name)
    return found


def _exists(at: Proposer) -> Query | None:
    if not at.wants_yes():
        name = at.absent()
        return Query("exists", Noun(name)) if name else None
    thing = at.thing()
    if thing is None:
        return None
    kinds = at.view.words.parents.get(thing.name, ())
    what = at.rng.choice(kinds) if kinds and at.rng.random() < 0.25 else thing.name
    return Query("exists", Noun(what))


def _count(at: Proposer) -> Query | None:
    if at.rng.random() < EMPTY:
        name = at.absent()
        return Query("count", Noun(name)) if name else None
    # Half of them where there is something to count.
    several = [what for what, things in at.view.named.items() if len(things) > 1]
    whats = several if several and at.rng.random() < 0.6 else list(at.view.named)
    if not whats:
        return None
    what = at.rng.choice(whats)
    values = {value for thing in at.view.named[what] for value in thing.attributes}
    value = at.rng.choice(sorted(values)) if values and at.rng.random() < NARROWED else ""
    return Query("count", Noun(what, value))


def _valued(at: Proposer) -> tuple[Noun, str, str] | None:
    """A noun, a type of attributes, and the value that the thing has."""
    thing = at.thing()
    if thing is None or not thing.attributes:
        return None
    value = at.rng.choice(thing.attributes)
    kind = at.view.words.type_of.get(value, "")
    noun = at.noun(thing, kind)
    return (noun, kind, value) if noun and kind else None


def _value(at: Proposer) -> Query | None:
    found = _valued(at)
    return Query("value", found[0], (found[1],)) if found and found[1] not in ("pose", "size", "state") else None


def _has(at: Proposer) -> Query | None:
    found = _valued(at)
    if found is None or found[1] == "pose":
        return None
    noun, kind, value = found
    asked = value if at.wants_yes() else at.other(at.view.words.attributes[kind], value)
    return Query("has", noun, (asked,)) if asked else None


def _choice(at: Proposer) -> Query | None:
    found = _valued(at)
    if found is None or found[1] == "pose":
        return None
    noun, kind, value = found
    second = at.other(at.view.words.attributes[kind], value)
    if second is None:
        return None
    options = [value, second]
    at.rng.shuffle(options)
    return Query("choice", noun, tuple(options))


def _object(at: Proposer) -> Query | None:
    found = at.related(DOINGS)
    noun = at.noun(found[0]) if found else None
    return Query("object", noun, (found[1],)) if found and noun else None


def _subject(at: Proposer) -> Query | None:
    thing = at.thing()
    if thing is None:
        return None
    stated = [each.name for other in at.things for each in other.relations if each.target == thing.id]
    noun = at.noun(thing)
    relations = [name for name in stated if name not in (HOLDING, WEARING) and stated.count(name) == 1]
    return Query("subject", noun, (at.rng.choice(relations),)) if relations and noun else None


def _related(at: Proposer) -> Query | None:
    found = at.related(at.view.words.relations)
    noun = at.noun(found[0]) if found else None
    if found is None or noun is None:
        return None
    thing, relation = found
    name = at.rng.choice(at.view.names_at(thing, relation))
    if at.wants_yes():
        return Query("related", noun, (relation, name))
    if relation in DOINGS:
        name = at.sibling(name) if at.rng.random() < 0.7 else at.absent()
        return Query("related", noun, (relation, name)) if name else None
    inverse = at.view.words.inverses.get(relation)
    return Query("related", noun, (inverse, name)) if inverse and inverse != relation else None


def _which(at: Proposer) -> Query | None:
    found = [what for what in ASKED if len(at.view.named.get(what, ())) == 1]
    return Query("which", Noun(at.rng.choice(found))) if found else None


def _where(at: Proposer) -> Query | None:
    found = at.related(("on", "under"))
    noun = at.noun(found[0]) if found else None
    return Query("where", noun) if noun else None


def _person(at: Proposer) -> Noun | None:
    found = [thing for thing in at.things if at.view.value(thing, "pose")]
    return at.noun(at.rng.choice(found), "pose") if found else None


def _doing(at: Proposer) -> Query | None:
    noun = _person(at)
    return Query("doing", noun) if noun else None


def _does(at: Proposer) -> Query | None:
    noun = _person(at)
    done = answer(Query("doing", noun), at.view) if noun else None
    if noun is None or done is None:
        return None
    asked = done if at.wants_yes() else at.other(at.view.words.attributes.get("pose", ()), done)
    return Query("does", noun, (asked,)) if asked else None


def _of_scene(kind: str, stated: Callable[[View], str], values: Callable[[View], Sequence[str]]):
    def propose(at: Proposer) -> Query | None:
        found = stated(at.view)
        asked = found if at.wants_yes() else at.other(values(at.view), found)
        return Query(kind, Noun(""), (asked,)) if found and asked else None

    return propose


_PROPOSALS: Mapping[str, Callable[[Proposer], Query | None]] = {
    "exists": _exists,
    "count": _count,
    "value": _value,
    "has": _has,
    "choice": _choice,
    "object": _object,
    "subject": _subject,
    "related": _related,
    "which": _which,
    "where": _where,
    "doing": _doing,
    "does": _does,
    "place": lambda _: Query("place"),
    "is_place": _of_scene("is_place", lambda view: view.graph.location, lambda view: view.words.locations),
    "is_indoors": lambda _: Query("is_indoors"),
    "weather": lambda _: Query("weather"),
    "is_weather": _of_scene("is_weather", lambda view: view.graph.weather, lambda view: view.words.weathers),
}
