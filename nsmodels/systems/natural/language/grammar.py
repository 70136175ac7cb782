"""Programs of questions as a typed grammar, a value made from a notation and a scene vocabulary.

In prefix order, from the answer backwards, a program is a sequence of tokens. A frame is an operation with its role,
its negation and its number of inputs; it opens a slot for each argument and then for each input. Frames fill slots of
inputs; arguments are types (a closed list), words that questions name otherwise (`constants`), and else mentions:
places of the question. Every complete derivation is a well-formed program. Which frames there are, and what they take
and give, is the notation's: a vocabulary that states functions has the notation of these, else it is GQA's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.parsing import Program, Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.functions import of_functions
from nsmodels.systems.natural.language.mentions import NAME, PLACE, POSITIONS, RELATION, WEATHER, Entry, Phrases
from nsmodels.systems.natural.language.operations import ANY_KIND, KIND, NO_KIND, OF_OPERATIONS, PLACE_KINDS
from nsmodels.systems.natural.language.trees import CLOSED, ROOT, Frame, Kind, Notation, Token, Tree


def notation_of(words: SceneVocabulary) -> Notation:
    """The notation of the programs about scenes of a vocabulary."""
    return of_functions(words.functions) if words.functions else OF_OPERATIONS


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
    def notation(self) -> Notation:
        """What programs are made of."""
        return notation_of(self.words)

    @cached_property
    def phrases(self) -> Phrases:
        """What questions may mention."""
        return Phrases.of(self.words, self.synonyms)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens beside mentions, in the order of their numbers."""
        notation = self.notation
        return (*notation.frames, *notation.kinds(self.words), *dict.fromkeys((*notation.constants, *self.constants)))

    @cached_property
    def numbers(self) -> Mapping[Token, int]:
        """Number of each token."""
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Types of slots. A value's slot is that of its operation's kind, "value color"."""
        notation = self.notation
        kinds = dict.fromkeys(kind for frame in notation.frames for kind in notation.argument_slots(frame))
        return (CLOSED, *dict.fromkeys((ROOT, *notation.closing)), *kinds)

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
        opened = [self.notation.slots_of(token) if isinstance(token, Frame) else () for token in self.tokens]
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
        cost = {CLOSED: 0} | dict(self.notation.closing)
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
        gives = self.notation.gives(token)
        return slot == gives or (slot == ROOT and self.notation.is_answer(gives))

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


def tree_of(program: Program, words: SceneVocabulary) -> Tree:
    """The tree of a program without leaks; a step that is used twice occurs twice.

    Raises `InputError` for a step that the notation lacks, and for more than two options.
    """
    return _tree(program, len(program) - 1, words, notation_of(words))


def _tree(program: Program, number: int, words: SceneVocabulary, notation: Notation) -> Tree:
    step = program[number]
    try:
        frame, arguments = notation.read(step, words)
    except InputError as error:
        raise InputError(f"program: step {number} ({step.operation}): {error}") from None
    return Tree(frame, arguments, tuple(_tree(program, k, words, notation) for k in step.dependencies))


def program_of(tree: Tree, words: SceneVocabulary) -> Program:
    """The steps of a tree, inputs before what takes them."""
    steps: list[Step] = []
    _emit(tree, steps, notation_of(words))
    return tuple(steps)


def _emit(tree: Tree, steps: list[Step], notation: Notation) -> int:
    inputs = tuple(_emit(each, steps, notation) for each in tree.inputs)
    steps.append(notation.write(tree.frame, tree.arguments, inputs))
    return len(steps) - 1


def normal(program: Program, words: SceneVocabulary) -> Program:
    """The program in one order: of two inputs that may be swapped, of options, and of successive filters.

    Two programs of equal normal form have equal answers in every scene.
    """
    return program_of(_sorted(tree_of(program, words), notation_of(words)), words)


def _sorted(tree: Tree, notation: Notation) -> Tree:
    inputs, arguments = tuple(_sorted(each, notation) for each in tree.inputs), tree.arguments
    if notation.is_symmetric(tree.frame):
        inputs = tuple(sorted(inputs, key=repr))
    if notation.has_options(tree.frame):
        arguments = (*arguments[:-2], *sorted(arguments[-2:]))
    return _with_filters_sorted(Tree(tree.frame, arguments, inputs), notation)


def _with_filters_sorted(tree: Tree, notation: Notation) -> Tree:
    """Successive filters commute: the chain that begins here, in one order."""
    chain: list[Tree] = []
    inner = tree
    while notation.is_filter(inner.frame):
        chain.append(inner)
        (inner,) = inner.inputs
    for each in sorted(chain, key=lambda each: repr((each.frame, each.arguments)), reverse=True):
        inner = Tree(each.frame, each.arguments, (inner,))
    return inner
