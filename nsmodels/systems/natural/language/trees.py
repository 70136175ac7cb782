"""Programs as trees of tokens, and notations: which tokens a language of programs has and how they fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nsmodels.datasets.gqa.programs.parsing import Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.mentions import Entry

CLOSED, ROOT = "closed", "root"  # slots: behind the end of a program, and of its answer


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
Arguments = tuple[Leaf, ...]


class Tree(NamedTuple):
    """A program as a tree: its frame, arguments in the order of the slots, and the trees of its inputs."""

    frame: Frame
    arguments: Arguments
    inputs: tuple[Tree, ...]


@dataclass(frozen=True, eq=False)
class Notation:
    """A language of programs, as a value.

    Attributes:
        frames: all frames.
        kinds: types that are arguments, in scenes of a vocabulary.
        constants: entries that programs have whatever their questions mention.
        closing: by type of input the least number of tokens that give one; of `ROOT` that of an answer.
        argument_slots: types of the slots of a frame's arguments.
        takes: types of its inputs.
        gives: type of its result.
        is_answer: whether a type is one of answers.
        is_symmetric: whether the inputs of a frame may be swapped.
        is_filter: whether it keeps some of its one input: successive ones commute.
        has_options: whether its last two arguments may be swapped.
        read: frame and arguments of a step; raises `InputError` for a step that has none.
        write: the step of a frame with arguments and numbers of inputs.
    """

    frames: tuple[Frame, ...]
    kinds: Callable[[SceneVocabulary], tuple[Kind, ...]]
    constants: tuple[Entry, ...]
    closing: Mapping[str, int]
    argument_slots: Callable[[Frame], tuple[str, ...]]
    takes: Callable[[Frame], tuple[str, ...]]
    gives: Callable[[Frame], str]
    is_answer: Callable[[str], bool]
    is_symmetric: Callable[[Frame], bool]
    is_filter: Callable[[Frame], bool]
    has_options: Callable[[Frame], bool]
    read: Callable[[Step, SceneVocabulary], tuple[Frame, Arguments]]
    write: Callable[[Frame, Arguments, tuple[int, ...]], Step]

    def slots_of(self, frame: Frame) -> tuple[str, ...]:
        """Types of the slots that a frame opens: arguments, then inputs."""
        return (*self.argument_slots(frame), *self.takes(frame))


def leaves_of(tree: Tree) -> Sequence[Leaf]:
    """All arguments of a tree, from the answer backwards."""
    return [*tree.arguments, *(leaf for each in tree.inputs for leaf in leaves_of(each))]
