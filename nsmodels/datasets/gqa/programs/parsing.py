"""Programs of GQA questions: from the released `semantic` to checked, frozen steps, and back.

A released step is {operation, dependencies, argument}. Arguments hold what a question does not: ids of the objects that
were meant, and the right option of every `choose` first. `without_leaks` drops both; nothing learns from or executes
anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import Operation, Result, operation_of

SCENE = "scene"  # name that selects the whole image
ANY = "_"  # name of an object that may be anything; role of a relation that is a shared attribute
ROLES = ("s", "o", ANY)
LONGEST = 100  # steps; the longest released programs have about ten
_IDS = re.compile(r"\(([^()]*)\)\s*$")
_NOT = re.compile(r"^not\s*\((.*)\)$")
_STEP = re.compile(r"^(?P<operation>[^:]*?): ?(?P<argument>.*?)(?: \[(?P<inputs>[\d, ]*)\])?$", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One step of a program.

    Attributes:
        operation: its name: "filter color".
        dependencies: numbers of earlier steps whose results it takes.
        name: of `select`, `relate`, `verify rel`, `choose rel`: name or category of objects; "_": any; "scene".
        relations: of the latter three: the relation, of `choose rel` the options.
        role: "s": the object found is the subject of the relation, "o": its object, "_": they share an attribute.
        value: value of `filter` and `verify`; attribute type of `query`, `same`, `different`.
        is_negated: whether the value was given as `not(value)`.
        options: of `choose`.
        ids: ids of the objects that were meant; a leak.
        argument: as released; not compared.
    """

    operation: str
    dependencies: tuple[int, ...] = ()
    name: str = ""
    relations: tuple[str, ...] = ()
    role: str = ""
    value: str = ""
    is_negated: bool = False
    options: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    argument: str = field(default="", compare=False, repr=False)


Program = tuple[Step, ...]


def parse(semantic: Any, where: str = "program") -> Program:
    """The steps of a released `semantic`.

    Raises `InputError` that names `where` and the step: unknown operation, a dependency on a later step, inputs of a
    different number or kind than the operation takes, a malformed argument, or no answer at the end.
    """
    if not isinstance(semantic, list) or not 0 < len(semantic) <= LONGEST:
        raise InputError(f"{where}: field 'semantic': expected a list of 1 to {LONGEST} steps")
    steps: list[Step] = []
    kinds: list[Result] = []
    for number, document in enumerate(semantic):
        try:
            operation, inputs, argument = _fields(document)
            kinds.append(_checked(operation, inputs, kinds))
            steps.append(_read(operation, inputs, argument))
        except InputError as error:
            raise InputError(f"{where}: step {number}{_named(document)}: {error}") from None
    if kinds[-1] == "objects":
        raise InputError(f"{where}: step {len(steps) - 1} ({steps[-1].operation}): the last step gives objects, "
                         "expected an answer")  # fmt: skip
    return tuple(steps)


def check(program: Sequence[Step], where: str = "program") -> Program:
    """The program, if its steps fit together. Raises `InputError` as `parse` does."""
    return parse(as_semantic(program), where)


def parse_text(text: str, where: str = "program") -> Program:
    """The steps of a released `semanticStr`. Raises `InputError` as `parse` does."""
    steps = []
    for part in text.split("->"):
        found = _STEP.match(part)
        if found is None:
            raise InputError(f"{where}: field 'semanticStr': {part!r}, expected 'operation: argument [inputs]'")
        inputs = [int(each) for each in (found["inputs"] or "").split(",") if each.strip()]
        steps.append({"operation": found["operation"], "dependencies": inputs, "argument": found["argument"]})
    return parse(steps, where)


def as_semantic(program: Iterable[Step]) -> list[dict[str, Any]]:
    """The program in the released form; a step without a released argument gets a rebuilt one."""
    return [
        {
            "operation": step.operation,
            "dependencies": list(step.dependencies),
            "argument": step.argument or argument_of(step, number),
        }
        for number, step in enumerate(program)
    ]


def as_text(program: Iterable[Step]) -> str:
    """The released `semanticStr` of a program: "select: wall (7)->filter color: white [0]->exist: ? [1]"."""
    parts = []
    for number, step in enumerate(program):
        inputs = f" [{', '.join(map(str, step.dependencies))}]" if step.dependencies else ""
        parts.append(f"{step.operation}: {step.argument or argument_of(step, number)}{inputs}")
    return "->".join(parts)


def argument_of(step: Step, number: int = 0) -> str:
    """The argument of step `number` in the released form; a second `select` ends in a blank there."""
    operation = operation_of(step.operation)
    if operation.form == "selection":
        return step.name if step.name == SCENE else f"{step.name} ({_ids_of(step)})" + (" " if number else "")
    if operation.form == "relating":
        return f"{step.name},{'|'.join(step.relations)},{step.role} ({_ids_of(step)})"
    if operation.form == "options":
        return "|".join(step.options)
    if operation.form == "nothing":
        return "?" if operation.verb == "exist" else ""
    return f"not({step.value})" if step.is_negated else step.value


def without_leaks(program: Iterable[Step]) -> Program:
    """The program without ids, its options sorted: equal for all ids and orders of options."""
    return tuple(
        replace(
            step,
            relations=tuple(sorted(step.relations)),
            options=tuple(sorted(step.options)),
            ids=(),
            argument="",
        )
        for step in program
    )


def _fields(document: Any) -> tuple[Operation, tuple[int, ...], str]:
    if not isinstance(document, dict):
        raise InputError(f"expected an object, got {type(document).__name__}")
    operation = operation_of(document.get("operation"))
    inputs, argument = document.get("dependencies"), document.get("argument")
    if not isinstance(inputs, list) or not all(type(each) is int for each in inputs):
        raise InputError(f"field 'dependencies': expected a list of numbers of earlier steps, got {inputs!r}")
    if not isinstance(argument, str):
        raise InputError(f"field 'argument': expected a string, got {argument!r}")
    return operation, tuple(inputs), argument


def _checked(operation: Operation, inputs: tuple[int, ...], kinds: list[Result]) -> Result:
    """Kind of the result; `kinds` are those of the earlier steps."""
    for each in inputs:
        if not 0 <= each < len(kinds):
            raise InputError(f"field 'dependencies': {list(inputs)}, expected numbers of earlier steps")
    if not operation.takes_number(len(inputs)):
        raise InputError(f"field 'dependencies': {list(inputs)}, expected {len(operation.takes)} inputs")
    for each, wanted in zip(inputs, operation.takes, strict=False):
        if kinds[each] != wanted:
            raise InputError(
                f"field 'dependencies': takes {_words(wanted)}, but step {each} gives {_words(kinds[each])}"
            )
    return operation.gives


@lru_cache(maxsize=1 << 16)
def _read(operation: Operation, inputs: tuple[int, ...], argument: str) -> Step:
    base = Step(operation.name, inputs, argument=argument)
    text = argument.strip()
    if operation.form == "selection":
        name, ids = _split_ids(text)
        return replace(base, name=_word(name, argument, "'name (id)' or 'scene'"), ids=ids)
    if operation.form == "relating":
        return _relating(base, operation, text)
    if operation.form == "options":
        return replace(base, options=_options(text, argument))
    if operation.form == "nothing":
        if text not in ("", "?"):
            raise InputError(f"field 'argument': {argument!r}, expected none")
        return base
    negated = _NOT.match(text)
    wanted = "an attribute type" if operation.form == "kind" else "'value' or 'not(value)'"
    if operation.form == "kind" and (negated or (not text and operation.verb == "query")):
        raise InputError(f"field 'argument': {argument!r}, expected {wanted}")
    value = text if operation.form == "kind" else _word(negated[1] if negated else text, argument, wanted)
    return replace(base, value=value, is_negated=negated is not None)


def _relating(base: Step, operation: Operation, text: str) -> Step:
    wanted = "'name,relation,role (id)' with role s, o or _"
    rest, ids = _split_ids(text)
    parts = [part.strip() for part in rest.split(",")]
    if len(parts) < 3 or parts[-1] not in ROLES or not all(parts):
        raise InputError(f"field 'argument': {base.argument!r}, expected {wanted}")
    middle = ",".join(parts[1:-1])
    relations = _options(middle, base.argument) if operation.verb == "choose" else (middle,)
    return replace(base, name=parts[0], relations=relations, role=parts[-1], ids=ids)


def _options(text: str, argument: str) -> tuple[str, ...]:
    options = tuple(part.strip() for part in text.split("|"))
    if len(options) < 2 or not all(options):
        raise InputError(f"field 'argument': {argument!r}, expected options as 'a|b'")
    return options


def _split_ids(text: str) -> tuple[str, tuple[str, ...]]:
    """A name and the ids in brackets behind it; "(-)", no object, has none."""
    found = _IDS.search(text)
    if found is None:
        return text, ()
    ids = tuple(part.strip() for part in found[1].split(","))
    return text[: found.start()].strip(), tuple(each for each in ids if each not in ("", "-"))


def _ids_of(step: Step) -> str:
    return ",".join(step.ids) or "-"


def _word(text: str, argument: str, wanted: str) -> str:
    if not text.strip():
        raise InputError(f"field 'argument': {argument!r}, expected {wanted}")
    return text.strip()


def _words(kind: Result) -> str:
    return {"objects": "objects", "truth": "yes or no", "answer": "an answer"}[kind]


def _named(document: Any) -> str:
    name = document.get("operation") if isinstance(document, dict) else None
    return f" ({name})" if isinstance(name, str) else ""
