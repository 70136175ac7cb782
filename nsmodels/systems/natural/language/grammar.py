"""Programs of GQA questions as a typed grammar, a value made from the operations and a scene vocabulary.

In prefix order, from the answer backwards, a program is a sequence of tokens. A frame is an operation with its role,
its negation and its number of inputs; it opens a slot for each argument and then for each input. Frames fill slots of
objects and truths; arguments are types (a closed list), words that questions name otherwise (`constants`), and else
mentions: places of the question. Every complete derivation is a well-formed program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import OPERATIONS, Operation, operation_of
from nsmodels.datasets.gqa.programs.parsing import ANY, ROLES, SCENE, Program, Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.mentions import NAME, PLACE, POSITIONS, RELATION, WEATHER, Entry, Phrases

CLOSED, ROOT, TRUTH, OBJECTS = "closed", "root", "truth", "objects"
KIND, ANY_KIND = "kind", "any kind"  # the latter may be left out
PLACE_KINDS = ("location", "place", "room")
NO_KIND = ""


class Frame(NamedTuple):
    """An operation with what its slots do not say."""

    operation: str
    num_inputs: int
    role: str = ""
    is_negated: bool = False
    is_scene: bool = False


class Kind(NamedTuple):
    """A type as the argument of `query`, `same` or `different`."""

    name: str


Token = Frame | Kind | Entry
Leaf = Kind | Entry


class Tree(NamedTuple):
    """A program as a tree: its frame, arguments in the order of the slots, and the trees of its inputs."""

    frame: Frame
    arguments: tuple[Leaf, ...]
    inputs: tuple[Tree, ...]


@dataclass(frozen=True, eq=False)
class Grammar:
    """Tokens, slots, and which fits which.

    Attributes:
        words: of the scenes that programs are about.
        constants: entries that programs have although their questions do not mention them.
        synonyms: further phrases for entries.
    """

    words: SceneVocabulary
    constants: tuple[Entry, ...] = ()
    synonyms: tuple[tuple[str, Entry], ...] = ()

    @cached_property
    def phrases(self) -> Phrases:
        """What questions may mention."""
        return Phrases.of(self.words, self.synonyms)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens beside mentions, in the order of their numbers."""
        named = (NAME, "type", *self.words.attributes, *POSITIONS, *PLACE_KINDS, WEATHER, NO_KIND)
        kinds = tuple(Kind(name) for name in dict.fromkeys(named))
        return (*frames(), *kinds, *dict.fromkeys((Entry(NAME, ANY), *self.constants)))

    @cached_property
    def numbers(self) -> Mapping[Token, int]:
        """Number of each token."""
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Types of slots. A value's slot is that of its operation's kind, "value color"."""
        kinds = dict.fromkeys(kind for frame in frames() for kind in argument_slots(frame))
        return (CLOSED, ROOT, TRUTH, OBJECTS, *kinds)

    @cached_property
    def slot_numbers(self) -> Mapping[str, int]:
        """Number of each type of slot."""
        return {slot: number for number, slot in enumerate(self.slots)}

    @cached_property
    def groups_of(self) -> Mapping[str, frozenset[str]]:
        """Classes of entries that fit each type of slot."""
        return {slot: frozenset(self._groups(slot)) for slot in self.slots}

    @cached_property
    def opens(self) -> tuple[tuple[int, ...], ...]:
        """For each token the slots that it opens."""
        opened = [slots_of(token) if isinstance(token, Frame) else () for token in self.tokens]
        return tuple(tuple(self.slot_numbers[slot] for slot in each) for each in opened)

    @cached_property
    def opens_table(self) -> np.ndarray:
        """`opens_table[token, slot]`: whether the token opens a slot of the type."""
        return np.array([[slot in opened for slot in range(len(self.slots))] for opened in self.opens])

    @cached_property
    def fits(self) -> np.ndarray:
        """`fits[slot, token]`; a closed slot accepts any, and is never scored."""
        return np.array([[slot == CLOSED or self._fits(token, slot) for token in self.tokens] for slot in self.slots])

    @cached_property
    def fits_group(self) -> np.ndarray:
        """`fits_group[slot, class]`: whether a mention of a class of entries fits."""
        return np.array([[group in self.groups_of[slot] for group in self.phrases.groups] for slot in self.slots])

    @cached_property
    def closing(self) -> tuple[int, ...]:
        """Least number of tokens that fill a slot, as one mention fills an argument."""
        cost = {TRUTH: 3, OBJECTS: 2, ROOT: 3, CLOSED: 0}
        return tuple(cost.get(slot, 1) for slot in self.slots)

    @cached_property
    def costs(self) -> np.ndarray:
        """Least number of tokens of a program that begins with each token, (tokens,)."""
        return np.array([1 + sum(self.closing[slot] for slot in opened) for opened in self.opens])

    def _fits(self, token: Token, slot: str) -> bool:
        if isinstance(token, Kind):
            return slot == ANY_KIND or (slot == KIND and token.name != NO_KIND)
        if isinstance(token, Entry):
            return token.group in self.groups_of[slot]
        gives = operation_of(token.operation).gives
        return slot == gives or (slot == ROOT and gives != OBJECTS)

    def _groups(self, slot: str) -> Iterable[str]:
        if slot in (NAME, RELATION):
            return (slot,)
        if not slot.startswith("value"):
            return ()
        kind = slot.removeprefix("value").strip()
        known = {"name": (NAME,), "type": (NAME,), WEATHER: (WEATHER, *self._typed(WEATHER))}
        known |= {place: (PLACE, *self._typed(place)) for place in PLACE_KINDS}
        if kind in known:
            return known[kind]
        return (kind,) if kind in POSITIONS or kind in self.words.attributes else (*self.words.attributes, kind)

    def _typed(self, kind: str) -> tuple[str, ...]:
        return (kind,) if kind in self.words.attributes else ()


def frames() -> tuple[Frame, ...]:
    """A frame for each operation, role, negation and number of inputs."""
    return _FRAMES


def _frames() -> Iterator[Frame]:
    for operation in OPERATIONS.values():
        counts = [len(operation.takes), 1] if operation.may_take_one else [len(operation.takes)]
        for count in counts:
            yield from _variants(operation, count)


def _variants(operation: Operation, count: int) -> Iterator[Frame]:
    base = Frame(operation.name, count)
    if operation.form == "relating":
        yield from (base._replace(role=role) for role in ROLES)
    elif operation.form == "value":
        yield from (base._replace(is_negated=is_negated) for is_negated in (False, True))
    else:
        yield base
    if operation.form == "selection":
        yield base._replace(is_scene=True)


_FRAMES = tuple(_frames())


def argument_slots(frame: Frame) -> tuple[str, ...]:
    """Types of the slots of a frame's arguments."""
    operation = operation_of(frame.operation)
    value = f"value {operation.kind}".strip()
    forms = {
        "selection": () if frame.is_scene else (NAME,),
        "relating": (NAME, RELATION, RELATION) if operation.verb == "choose" else (NAME, RELATION),
        "value": (value,),
        "options": (value, value),
        "kind": (KIND if operation.verb == "query" else ANY_KIND,),
        "nothing": (),
    }
    return forms[operation.form]


def slots_of(frame: Frame) -> tuple[str, ...]:
    """Types of the slots that a frame opens: arguments, then inputs."""
    return (*argument_slots(frame), *operation_of(frame.operation).takes[: frame.num_inputs])


def tree_of(program: Program, words: SceneVocabulary) -> Tree:
    """The tree of a program without leaks; a step that is used twice occurs twice.

    Raises `InputError` for more than two options.
    """
    return _tree(program, len(program) - 1, words)


def _tree(program: Program, number: int, words: SceneVocabulary) -> Tree:
    step = typed(program[number], words)
    is_scene = step.operation == "select" and step.name == SCENE
    frame = Frame(step.operation, len(step.dependencies), step.role, step.is_negated, is_scene)
    arguments = tuple(_arguments(step, words))
    if len(arguments) != len(argument_slots(frame)):
        raise InputError(f"program: step {number} ({step.operation}): expected two options")
    return Tree(frame, arguments, tuple(_tree(program, k, words) for k in step.dependencies))


def typed(step: Step, words: SceneVocabulary) -> Step:
    """The step with the type of its value in its operation, "filter color" for "filter"; they mean the same."""
    operation = operation_of(step.operation)
    if operation.kind or operation.verb not in ("filter", "verify", "choose"):
        return step
    kinds = {words.type_of.get(value, "") for value in (step.options or (step.value,))}
    name = f"{operation.verb} {next(iter(kinds))}"
    return replace(step, operation=name) if len(kinds) == 1 and name in OPERATIONS else step


def _arguments(step: Step, words: SceneVocabulary) -> Iterator[Leaf]:
    operation = operation_of(step.operation)
    if operation.form == "selection" and step.name != SCENE:
        yield Entry(NAME, singular(step.name, words))
    elif operation.form == "relating":
        yield Entry(NAME, singular(step.name, words))
        yield from (Entry(RELATION, each) for each in step.relations)
    elif operation.form == "kind":
        yield Kind(step.value)
    for value in (step.value,) if operation.form == "value" else step.options:
        yield value_entry(value, operation.kind, words)


def value_entry(value: str, kind: str, words: SceneVocabulary) -> Entry:
    """The entry of a value as the argument of an operation of a kind."""
    if kind in (NAME, "type"):
        return Entry(NAME, singular(value, words))
    if kind in POSITIONS:
        return Entry(kind, value)
    if kind in PLACE_KINDS or kind == WEATHER:
        listed = words.weathers if kind == WEATHER else words.locations
        return Entry(WEATHER if kind == WEATHER else PLACE, value) if value in listed else Entry(kind, value)
    # A value that the vocabulary has under a different type is a word of its own for an operation of this type.
    return Entry(kind if kind in words.attributes else words.type_of.get(value, kind), value)


def singular(name: str, words: SceneVocabulary) -> str:
    """A name or category as the vocabulary has it: the singular of a plural that is no name itself."""
    return name if name in words.names else words.singular_of.get(name, name)


def program_of(tree: Tree) -> Program:
    """The steps of a tree, inputs before what takes them."""
    steps: list[Step] = []
    _emit(tree, steps)
    return tuple(steps)


def _emit(tree: Tree, steps: list[Step]) -> int:
    inputs = tuple(_emit(each, steps) for each in tree.inputs)
    frame, operation = tree.frame, operation_of(tree.frame.operation)
    words = tuple(each.name if isinstance(each, Kind) else each.word for each in tree.arguments)
    step = Step(operation.name, inputs, role=frame.role, is_negated=frame.is_negated)
    fields = {
        "selection": lambda: {"name": SCENE if frame.is_scene else words[0]},
        "relating": lambda: {"name": words[0], "relations": tuple(sorted(words[1:]))},
        "value": lambda: {"value": words[0]},
        "options": lambda: {"options": tuple(sorted(words))},
        "kind": lambda: {"value": words[0]},
        "nothing": dict,
    }
    steps.append(Step(**{**step.__dict__, **fields[operation.form]()}))
    return len(steps) - 1


def normal(program: Program, words: SceneVocabulary) -> Program:
    """The program in one order: of two inputs that may be swapped, of options, and of successive filters.

    Two programs of equal normal form have equal answers in every scene.
    """
    return program_of(_sorted(tree_of(program, words)))


SYMMETRIC = frozenset({"and", "or", "same", "different", "common"})


def is_symmetric(frame: Frame) -> bool:
    """Whether the inputs of a frame may be swapped."""
    operation = operation_of(frame.operation)
    return frame.num_inputs > 1 and (operation.verb in SYMMETRIC or operation.verb == "choose")


def _sorted(tree: Tree) -> Tree:
    inputs = tuple(_sorted(each) for each in tree.inputs)
    if is_symmetric(tree.frame):
        inputs = tuple(sorted(inputs, key=repr))
    made = Tree(tree.frame, tuple(sorted(tree.arguments[-2:]) if _has_options(tree.frame) else tree.arguments), inputs)
    return _with_filters_sorted(made)


def _has_options(frame: Frame) -> bool:
    return operation_of(frame.operation).form == "options"


def _with_filters_sorted(tree: Tree) -> Tree:
    """Successive filters commute: the chain that begins here, in one order."""
    chain: list[Tree] = []
    inner = tree
    while operation_of(inner.frame.operation).verb == "filter":
        chain.append(inner)
        (inner,) = inner.inputs
    for each in sorted(chain, key=lambda each: repr((each.frame, each.arguments)), reverse=True):
        inner = Tree(each.frame, each.arguments, (inner,))
    return inner


def leaves_of(tree: Tree) -> Sequence[Leaf]:
    """All arguments of a tree, from the answer backwards."""
    return [*tree.arguments, *(leaf for each in tree.inputs for leaf in leaves_of(each))]
