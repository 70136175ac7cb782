"""The leaf facts that determine the output of a step: for what it contains and for what it excludes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nsmodels.datasets.gqa.programs.comparison import SCALES, STATED
from nsmodels.datasets.gqa.programs.execution import Found, Value
from nsmodels.datasets.gqa.programs.operations import COMPARISONS, SHARED, operation_of
from nsmodels.datasets.gqa.programs.parsing import ANY, SCENE, Step
from nsmodels.datasets.gqa.programs.scene import members_of
from nsmodels.datasets.gqa.programs.words import EVERYTHING
from nsmodels.formats.scenes.graphs import SceneGraph, Thing
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.facts import IS, LOCATION, NAME, PRESENT, WEATHER, Fact
from nsmodels.systems.natural.reasoning.lexicon import SIDES, Lexicon
from nsmodels.systems.natural.reasoning.scene import NAMING


def grounds(step: Step, inputs: Sequence[Value], graph: SceneGraph, belief: Belief, lexicon: Lexicon) -> Iterator[Fact]:
    """The literals that a step uses in the world `graph`; `inputs` are the values of its dependencies there."""
    verb = operation_of(step.operation).verb
    sets = [value for value in inputs if isinstance(value, Found)]
    if verb == "select" and step.name != SCENE:
        yield from _presences(graph, belief)
    if step.name and step.name != SCENE:
        yield from _namings(step.name, graph, lexicon)
    if any(each.is_scene for each in sets) and not step.relations:
        yield from _places(step, graph, lexicon)
        return
    if step.relations:
        yield from _relations(step, sets, graph, lexicon)
    elif verb in _BY_VERB:
        yield from _BY_VERB[verb](step, [_things(each, graph) for each in sets], lexicon)


def _presences(graph: SceneGraph, belief: Belief) -> Iterator[Fact]:
    there = {thing.id for thing in graph}
    yield from (Fact(PRESENT, (number,), "", str(number) in there) for number in range(1, len(belief) + 1))


def _namings(what: str, graph: SceneGraph, lexicon: Lexicon) -> Iterator[Fact]:
    if what == ANY or what in EVERYTHING:
        return
    yield from (Fact(IS, (int(thing.id),), what, _is_a(thing, what, lexicon)) for thing in graph)


def _is_a(thing: Thing, what: str, lexicon: Lexicon) -> bool:
    return bool(lexicon.columns(what).every[lexicon.words.names.index(thing.name)])


def _places(step: Step, graph: SceneGraph, lexicon: Lexicon) -> Iterator[Fact]:
    """Place or weather, whichever a step is about; both where it may be either."""
    kind = operation_of(step.operation).kind or step.value
    asked = (*step.options, step.value) if step.options else (step.value,)
    is_weather = [kind == WEATHER or each in lexicon.words.weathers for each in asked if each]
    if not all(is_weather):
        yield from (Fact(LOCATION, (), each) for each in (graph.location,) if each)
    if any(is_weather):
        yield from (Fact(WEATHER, (), each) for each in (graph.weather,) if each)


def _things(found: Found, graph: SceneGraph) -> list[Thing]:
    return [graph.things[k] for k in members_of(found.mask)]


def _relations(step: Step, sets: Sequence[Found], graph: SceneGraph, lexicon: Lexicon) -> Iterator[Fact]:
    named = [thing for thing in graph if step.name == ANY or _is_a(thing, step.name, lexicon)]
    for anchor in (thing for each in sets for thing in _things(each, graph)):
        for thing in named:
            if thing.id == anchor.id:
                continue
            if step.role == ANY:
                kind = step.relations[0].removeprefix("same ").strip()
                yield from (fact for each in (thing, anchor) for fact in _stated(each, kind, lexicon))
                continue
            subject, target = (thing, anchor) if step.role == "s" else (anchor, thing)
            for name in step.relations:
                if name in lexicon.words.relations:
                    yield Fact(name, (int(subject.id), int(target.id)), "", _holds(subject, target, name, lexicon))


def _holds(subject: Thing, target: Thing, name: str, lexicon: Lexicon) -> bool:
    inverse = SIDES.get(name) or lexicon.words.inverses.get(name)
    is_stated = any(each.name == name and each.target == target.id for each in subject.relations)
    return is_stated or any(each.name == inverse and each.target == subject.id for each in target.relations)


def _stated(thing: Thing, kind: str, lexicon: Lexicon) -> Iterator[Fact]:
    """The values of a kind that an object has."""
    if kind in NAMING:
        yield Fact(NAME, (int(thing.id),), thing.name)
    known = lexicon.words.attributes.get(kind, ())
    yield from (Fact(kind, (int(thing.id),), value) for value in thing.attributes if value in known)


def _decided(thing: Thing, kind: str, value: str, lexicon: Lexicon) -> Iterator[Fact]:
    """Whether an object has a value."""
    if kind in NAMING:
        yield Fact(IS, (int(thing.id),), value, _is_a(thing, value, lexicon))
    if value in lexicon.words.type_of:
        yield Fact(lexicon.words.type_of[value], (int(thing.id),), value, value in thing.attributes)


def _by_value(step: Step, sets: Sequence[Sequence[Thing]], lexicon: Lexicon) -> Iterator[Fact]:
    kind = operation_of(step.operation).kind
    for thing in _all(sets):
        yield from _decided(thing, kind, step.value, lexicon)
        if step.is_negated:  # met by a different value of the type
            yield from _stated(thing, kind or lexicon.words.type_of.get(step.value, ""), lexicon)


def _by_kind(step: Step, sets: Sequence[Sequence[Thing]], lexicon: Lexicon) -> Iterator[Fact]:
    operation = operation_of(step.operation)
    kinds = SHARED if operation.verb == "common" else (operation.kind or step.value or "color",)
    for thing in _all(sets):
        yield from (fact for kind in kinds for fact in _stated(thing, kind, lexicon))


def _by_choice(step: Step, sets: Sequence[Sequence[Thing]], lexicon: Lexicon) -> Iterator[Fact]:
    kind = operation_of(step.operation).kind
    for thing in _all(sets):
        if kind in COMPARISONS:
            yield Fact(NAME, (int(thing.id),), thing.name)
            levels = STATED[SCALES[kind][0]]
            yield from (fact for value in levels for fact in _decided(thing, "", value, lexicon) if fact.holds)
        for option in step.options:
            yield from _decided(thing, kind, option, lexicon)


def _all(sets: Iterable[Sequence[Thing]]) -> Iterator[Thing]:
    return (thing for things in sets for thing in things)


_BY_VERB: Mapping[str, Callable[[Step, Sequence[Sequence[Thing]], Lexicon], Iterator[Fact]]] = {
    "filter": _by_value,
    "verify": _by_value,
    "query": _by_kind,
    "same": _by_kind,
    "different": _by_kind,
    "common": _by_kind,
    "choose": _by_choice,
}
