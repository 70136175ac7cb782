"""The notation of functions: programs of sets, references, counts and comparisons, as CLEVR has them.

A vocabulary states the functions with the types of their inputs and results. What a function is about follows from its
name: `filter_color` keeps what has a colour that is its argument, `relate` takes a relation. A function of names is
called after "shape", the type that is the name of a solid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nsmodels.core.errors import InputError, near
from nsmodels.datasets.gqa.programs.parsing import Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.mentions import NAME, RELATION, Entry
from nsmodels.systems.natural.language.programs.trees import ROOT, Arguments, Frame, Notation

FILTER, RELATE = "filter_", "relate"
SETS = ("set", "object")  # types that are no answers
NAMING = "shape"
Functions = Mapping[str, tuple[tuple[str, ...], str]]


def of_functions(functions: Functions) -> Notation:
    """The notation of functions: types of their inputs, and of their results."""

    def read(step: Step, words: SceneVocabulary) -> tuple[Frame, Arguments]:
        if step.operation not in functions:
            raise InputError(f"unknown function{near(step.operation, functions)}")
        return Frame(step.operation, len(step.dependencies)), _arguments(step, words)

    return Notation(
        frames=tuple(Frame(name, len(takes)) for name, (takes, _) in functions.items()),
        kinds=lambda words: (),
        constants=(),
        closing=_closing(functions),
        argument_slots=_argument_slots,
        takes=lambda frame: functions[frame.operation][0],
        gives=lambda frame: functions[frame.operation][1],
        is_answer=lambda kind: kind not in SETS,
        # Parts of released programs are in the order of the question. Sorted by the first mention of their words,
        # as those of operations are, they would come in an arbitrary order: questions repeat words.
        is_symmetric=lambda frame: False,
        is_filter=lambda frame: False,
        has_options=lambda frame: False,
        read=read,
        write=_write,
    )


def _argument_slots(frame: Frame) -> tuple[str, ...]:
    if frame.operation == RELATE:
        return (RELATION,)
    kind = frame.operation.removeprefix(FILTER)
    if kind == frame.operation:
        return ()
    return (NAME,) if kind == NAMING else (f"value {kind}",)


def _arguments(step: Step, words: SceneVocabulary) -> Arguments:
    if step.relations:
        return tuple(Entry(RELATION, each) for each in step.relations)
    if not step.value:
        return ()
    return (Entry(words.type_of.get(step.value, NAME), step.value),)


def _write(frame: Frame, arguments: Arguments, inputs: tuple[int, ...]) -> Step:
    step = Step(frame.operation, inputs)
    values = tuple(each.word for each in arguments if isinstance(each, Entry))
    if frame.operation == RELATE:
        return replace(step, relations=values)
    return replace(step, value=values[0]) if values else step


def _closing(functions: Functions) -> dict[str, int]:
    """Least number of tokens that give each type; of `ROOT` that of an answer."""
    # A shortest derivation contains no type twice on one path, so that as many rounds as there are types suffice.
    kinds = dict.fromkeys(kind for takes, gives in functions.values() for kind in (*takes, gives))
    cost = dict.fromkeys(kinds, 10**6)
    for _ in kinds:
        for name, (takes, gives) in functions.items():
            arguments = len(_argument_slots(Frame(name, len(takes))))
            cost[gives] = min(cost[gives], 1 + arguments + sum(cost[kind] for kind in takes))
    return {ROOT: min(value for kind, value in cost.items() if kind not in SETS)} | cost
