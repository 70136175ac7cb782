"""Exact executor of GQA programs over a true scene graph: the oracle for the answers to questions.

It sees no ids and no order of options (`parsing.without_leaks`). A word may mean several objects; those that it names
are preferred to those of its category, and later steps narrow them. Facts are the stated ones:

- relations with their inverses (`SceneVocabulary.inverses`); left and right are stated ones too, by geometry only in a
  graph that states none; "not left" is not "right";
- attributes are sets; `not(value)` is met by a stated other value of the same type, and, where no object states one,
  by every object without the value;
- positions in the image are the half with the middle of the box;
- comparisons ("older") use stated attributes, then the kind of thing, then boxes.

Where objects that a step may mean give different answers, the question is ill-posed; with `is_guessing` the largest box
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.comparison import compare
from nsmodels.datasets.gqa.programs.operations import OPERATIONS, SHARED, Operation
from nsmodels.datasets.gqa.programs.parsing import SCENE, Step, without_leaks
from nsmodels.datasets.gqa.programs.scene import SIDES, Compiled, members_of
from nsmodels.datasets.gqa.programs.words import singular, whereabouts
from nsmodels.formats.scenes.graphs import LEFT, SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary


class IllPosed(ValueError):
    """A step has no object, no stated fact or several different answers: the question has no answer in this scene."""


class Found(NamedTuple):
    """Objects that a step may mean.

    Attributes:
        mask: all of them; bit i is object i.
        best: those that the words fit best; 0: none is preferred.
        is_scene: whether it is the whole image.
    """

    mask: int
    best: int = 0
    is_scene: bool = False

    @property
    def preferred(self) -> int:
        """Mask of the objects that are meant, as far as words tell."""
        return self.mask & self.best or self.mask


Value = Found | bool | str


def execute(program: Sequence[Step], scene: Compiled, *, is_guessing: bool = False) -> str:
    """The answer, in the release's spelling: "yes", "left", "brown", "parrot".

    `program` is one that `parsing.parse` returned. Raises `IllPosed` that names the step.
    """
    return answer_of(trace(program, scene, is_guessing=is_guessing)[-1])


def trace(program: Sequence[Step], scene: Compiled, *, is_guessing: bool = False) -> list[Value]:
    """The value of every step: objects, a truth, or an answer. Raises as `execute`."""
    values: list[Value] = []
    for number, step in enumerate(without_leaks(program)):
        operation = OPERATIONS[step.operation]
        inputs = [values[each] for each in step.dependencies]
        try:
            values.append(_ACTIONS[operation.verb](_Context(scene, step, operation, is_guessing), inputs))
        except IllPosed as error:
            raise IllPosed(f"step {number} ({step.operation}): {error}") from None
    return values


def compile(graph: SceneGraph, vocabulary: SceneVocabulary) -> Compiled:
    """The scene graph made ready for execution."""
    return Compiled(graph, vocabulary)


def answer_of(value: Value) -> str:
    """The value of a last step in the release's spelling. Raises `InputError` for objects."""
    if isinstance(value, Found):
        raise InputError("program: the last step gives objects, expected an answer")
    return ("no", "yes")[value] if isinstance(value, bool) else value


class _Context(NamedTuple):
    scene: Compiled
    step: Step
    operation: Operation
    is_guessing: bool

    @property
    def kind(self) -> str:
        """Attribute type: of the operation's name, else of its value."""
        return self.operation.kind

    def settle(self, answers: Iterable[tuple[int, str]]) -> str:
        """The one answer of the pairs (object, answer), or that of the largest object."""
        pairs = [(index, answer) for index, answer in answers if answer]
        distinct = list(dict.fromkeys(answer for _, answer in pairs))
        if not pairs:
            raise IllPosed(f"no object states {self._wanted()}")
        if len(distinct) > 1 and not self.is_guessing:
            raise IllPosed(f"{len(pairs)} objects may be meant, with different answers: {', '.join(distinct)}")
        return max(pairs, key=lambda pair: _area(self.scene, pair[0]))[1]

    def _wanted(self) -> str:
        step = self.step
        return " or ".join(step.options or step.relations) or f"its {self.kind or step.value}"


def _area(scene: Compiled, index: int) -> int:
    box = scene.things[index].box
    return box.w * box.h


def _select(at: _Context, inputs: list[Any]) -> Found:
    if at.step.name == SCENE:
        return Found(0, is_scene=True)
    return Found(*at.scene.called(at.step.name))


def _relate(at: _Context, inputs: list[Found]) -> Found:
    return _relatives(at, inputs[0], at.step.relations[0])


def _relatives(at: _Context, source: Found, relation: str) -> Found:
    """Objects in the relation with any of `source`; best those with a preferred one."""
    named, best = at.scene.called(at.step.name)
    if source.is_scene:
        return Found(named, best)
    every, likely = (_reached(at, mask, relation) for mask in (source.mask, source.preferred))
    return Found(named & every, best & likely or named & likely)


def _reached(at: _Context, sources: int, relation: str) -> int:
    mask = 0
    for index in members_of(sources):
        mask |= at.scene.related(relation, at.step.role, index)
    return mask


def _filter(at: _Context, inputs: list[Found]) -> Found:
    source = inputs[0]
    if source.is_scene:
        return source if (at.step.value in _scene_facts(at.scene)) != at.step.is_negated else Found(0)
    kept = source.mask & _having(at, source.mask)
    return Found(kept, kept & source.best)


def _having(at: _Context, among: int) -> int:
    """Mask of the objects that meet the value of a `filter` or `verify`."""
    value = at.step.value
    mask = at.scene.with_value(at.kind, value)
    if at.kind in ("type", "name", ""):
        mask |= at.scene.called(value)[0] if at.kind else 0
    if not at.step.is_negated:
        return mask
    kinds = [at.kind] if at.kind else [kind for kind, known in at.scene.vocabulary.attributes.items() if value in known]
    stated = 0
    for kind in kinds:
        stated |= at.scene.stating(kind)
    return (stated & ~mask) if stated & ~mask & among else ~mask


def _verify(at: _Context, inputs: list[Found]) -> bool:
    source = inputs[0]
    if at.kind == "rel":
        return bool(_relatives(at, Found(source.preferred, is_scene=source.is_scene), at.step.relations[0]).mask)
    if source.is_scene:
        return (at.step.value in _scene_facts(at.scene)) != at.step.is_negated
    candidates = _candidates(source)
    met = _having(at, source.preferred)
    return at.settle((index, ("no", "yes")[met >> index & 1]) for index in candidates) == "yes"


def _candidates(source: Found) -> list[int]:
    """Numbers of the objects that are meant. Raises `IllPosed` if there is none."""
    if not source.mask:
        raise IllPosed("there is no such object")
    return members_of(source.preferred)


def _exist(at: _Context, inputs: list[Found]) -> bool:
    return inputs[0].is_scene or inputs[0].mask != 0


def _query(at: _Context, inputs: list[Found]) -> str:
    source, kind = inputs[0], at.step.value
    if source.is_scene:
        return _of_scene(at, kind)
    return at.settle((index, next(iter(at.scene.values(index, kind)), "")) for index in _candidates(source))


def _scene_facts(scene: Compiled) -> tuple[str, ...]:
    return (*whereabouts(scene.graph.location), *((scene.graph.weather,) if scene.graph.weather else ()))


def _of_scene(at: _Context, kind: str) -> str:
    graph = at.scene.graph
    known = whereabouts(graph.location)
    answer = graph.weather if kind == "weather" else (known[-1] if kind == "location" and known else graph.location)
    if not answer:
        raise IllPosed(f"the scene states no {kind}")
    return answer


def _choose(at: _Context, inputs: list[Found]) -> str:
    if len(at.operation.takes) > 1:
        return _compare(at, inputs)
    source = inputs[0]
    if at.kind == "rel":
        return _choose_relation(at, source)
    if source.is_scene:
        facts = _scene_facts(at.scene)
        return at.settle((0, option) for option in at.step.options if option in facts)
    return at.settle((index, _option(at, index)) for index in _candidates(source))


def _option(at: _Context, index: int) -> str:
    """The option that an object meets, the first in its own order; empty: none."""
    if at.kind in ("name", "type"):
        fits = [(option, at.scene.called(option)) for option in at.step.options]
        named = [option for option, (_, best) in fits if best >> index & 1]
        return next(iter([*named, *(option for option, (every, _) in fits if every >> index & 1)]), "")
    stated = at.scene.things[index].attributes
    stated = at.scene.position(index, at.kind) if at.kind.endswith("position") else stated
    return next((value for value in stated if value in at.step.options), "")


def _choose_relation(at: _Context, source: Found) -> str:
    found = {name: _relatives(at, Found(source.preferred), name) for name in at.step.relations}
    held = [name for name, found_here in found.items() if found_here.mask]
    if not held and set(at.step.relations) == set(SIDES):
        held = [_nearer_side(at, source)]
    if len(held) != 1 and not (held and at.is_guessing):
        raise IllPosed(f"{len(held)} of {' and '.join(at.step.relations)} hold, expected one")
    return {LEFT: "left", SIDES[LEFT]: "right"}.get(held[0], held[0])


def _nearer_side(at: _Context, source: Found) -> str:
    """For two things that are not quite beside each other: the side by the middles of their boxes."""
    others = Found(*at.scene.called(at.step.name))
    pairs = [(i, k) for i in _candidates(source) for k in _candidates(others) if i != k]
    if not pairs:
        raise IllPosed("there is no second object")
    middles = [[at.scene.things[index].box.centre[0] for index in pair] for pair in pairs]
    sides = {LEFT if (other < own) == (at.step.role == "s") else SIDES[LEFT] for own, other in middles}
    if len(sides) > 1:
        raise IllPosed("several objects may be meant, on different sides")
    return sides.pop()


def _compare(at: _Context, inputs: list[Found]) -> str:
    groups = [_candidates(source) for source in inputs]
    if len(groups) == 1:
        groups = [[index] for index in groups[0]]
    pairs = [(first, second) for first in groups[0] for second in groups[-1] if first != second]
    answers: list[tuple[int, str]] = []
    for first, second in pairs:
        winner = compare(at.scene, at.kind, first, second)
        answers += [] if winner is None else [(winner, at.scene.things[winner].name)]
    return at.settle(answers)


def _same(at: _Context, inputs: list[Found]) -> bool:
    kind = at.kind or at.step.value or "color"
    masks = [source.mask for source in inputs] if len(inputs) == 1 else [source.preferred for source in inputs]
    for source in inputs:
        _candidates(source)
    return _agree(at.scene, kind, masks)


def _agree(scene: Compiled, kind: str, masks: list[int]) -> bool:
    """Whether all objects of the sets that state a value of the type share one."""
    sets: list[set[str]] = []
    for mask in masks:
        stated = [
            {singular(v) if kind in ("name", "type") else v for v in scene.values(i, kind)} for i in members_of(mask)
        ]
        if not any(stated):
            raise IllPosed(f"no object states its {kind}")
        sets += [each for each in stated if each]
    return bool(set.intersection(*sets))


def _common(at: _Context, inputs: list[Found]) -> str:
    shared: list[str] = []
    masks = [source.preferred for source in inputs if _candidates(source)]
    for kind in SHARED:
        try:
            shared += [kind] if _agree(at.scene, kind, masks) else []
        except IllPosed:
            continue
    if len(shared) != 1 and not (shared and at.is_guessing):
        raise IllPosed(f"the objects share {', '.join(shared) or 'nothing'}, expected one of {', '.join(SHARED)}")
    return shared[0]


Action = Callable[[_Context, list[Any]], Value]
_ACTIONS: dict[str, Action] = {
    "select": _select,
    "relate": _relate,
    "filter": _filter,
    "verify": _verify,
    "choose": _choose,
    "exist": _exist,
    "query": _query,
    "and": lambda at, inputs: inputs[0] and inputs[1],
    "or": lambda at, inputs: inputs[0] or inputs[1],
    "same": _same,
    "different": lambda at, inputs: not _same(at, inputs),
    "common": _common,
}
