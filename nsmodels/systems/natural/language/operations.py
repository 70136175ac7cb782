"""The notation of GQA: a frame for each of its operations, with role, negation and number of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import OPERATIONS, Operation, operation_of
from nsmodels.datasets.gqa.programs.parsing import ANY, ROLES, SCENE, Step
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.mentions import NAME, PLACE, POSITIONS, RELATION, WEATHER, Entry
from nsmodels.systems.natural.language.trees import ROOT, Arguments, Frame, Kind, Leaf, Notation

TRUTH, OBJECTS = "truth", "objects"
KIND, ANY_KIND = "kind", "any kind"  # the latter may be left out
PLACE_KINDS = ("location", "place", "room")
NO_KIND = ""
SYMMETRIC = frozenset({"and", "or", "same", "different", "common"})


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


def kinds_of(words: SceneVocabulary) -> tuple[Kind, ...]:
    """All types that are arguments."""
    named = (NAME, "type", *words.attributes, *POSITIONS, *PLACE_KINDS, WEATHER, NO_KIND)
    return tuple(Kind(name) for name in dict.fromkeys(named))


def read_step(step: Step, words: SceneVocabulary) -> tuple[Frame, Arguments]:
    """Frame and arguments of a step; raise `InputError` for more than two options."""
    step = typed(step, words)
    is_scene = step.operation == "select" and step.name == SCENE
    frame = Frame(step.operation, len(step.dependencies), step.role, step.is_negated, is_scene)
    arguments = tuple(_arguments(step, words))
    if len(arguments) != len(argument_slots(frame)):
        raise InputError("expected two options")
    return frame, arguments


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


def write_step(frame: Frame, arguments: Arguments, inputs: tuple[int, ...]) -> Step:
    """The step of a frame."""
    operation = operation_of(frame.operation)
    words = tuple(each.name if isinstance(each, Kind) else each.word for each in arguments)
    step = Step(operation.name, inputs, role=frame.role, is_negated=frame.is_negated)
    fields = {
        "selection": lambda: {"name": SCENE if frame.is_scene else words[0]},
        "relating": lambda: {"name": words[0], "relations": tuple(sorted(words[1:]))},
        "value": lambda: {"value": words[0]},
        "options": lambda: {"options": tuple(sorted(words))},
        "kind": lambda: {"value": words[0]},
        "nothing": dict,
    }
    return replace(step, **fields[operation.form]())


def is_symmetric(frame: Frame) -> bool:
    """Whether the inputs of a frame may be swapped."""
    operation = operation_of(frame.operation)
    return frame.num_inputs > 1 and (operation.verb in SYMMETRIC or operation.verb == "choose")


OF_OPERATIONS = Notation(
    frames=tuple(_frames()),
    kinds=kinds_of,
    constants=(Entry(NAME, ANY),),
    closing={TRUTH: 3, OBJECTS: 2, ROOT: 3},
    argument_slots=argument_slots,
    takes=lambda frame: operation_of(frame.operation).takes[: frame.num_inputs],
    gives=lambda frame: operation_of(frame.operation).gives,
    is_answer=lambda kind: kind != OBJECTS,
    is_symmetric=is_symmetric,
    is_filter=lambda frame: operation_of(frame.operation).verb == "filter",
    has_options=lambda frame: operation_of(frame.operation).verb == "choose",
    read=read_step,
    write=write_step,
)
