"""Exact executor of CLEVR programs: the oracle for the answers to questions.

A scene is compiled once into bit masks (bit i is object i); a step is then one or two integer operations. Functions as
in Johnson et al., "CLEVR" (CVPR 2017), appendix A; `same_*` excludes the object it starts from.

Measures of a program, used throughout this project:

- depth: nodes on the longest path from a `scene` to the answer, `scene` itself not counted;
- relational hops: `relate` and `same_*` nodes, at most, on any one path from a `scene` to the answer;
- derived facts: conclusions drawn by the execution. A step that selects a set derives one fact per selected object, any
  other step (`unique`, `count`, `exist`, `query_*`, comparisons) derives one; `scene` derives none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.programs import check_end, kind_of
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, RELATIONS

Program = list[dict[str, Any]]


class IllPosed(ValueError):
    """The set given to `unique` does not have exactly one object: the question has no answer in this scene."""


class Compiled(NamedTuple):
    """A scene as bit masks.

    Attributes:
        everything: mask of all objects.
        having: value → mask of the objects that have it; no value belongs to two attributes.
        related: relation → for each object i the mask of the objects that are `relation` of i.
        same: attribute → for each object the mask of the *other* objects with the same value.
        values: attribute → value of each object.
    """

    everything: int
    having: dict[str, int]
    related: dict[str, list[int]]
    same: dict[str, list[int]]
    values: dict[str, list[str]]


def mask_of(members: list[int]) -> int:
    """Object indices → mask."""
    mask = 0
    for member in members:
        mask |= 1 << member
    return mask


def members_of(mask: int) -> list[int]:
    """Mask → ascending object indices."""
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def compile(scene: dict[str, Any]) -> Compiled:
    """Bit masks of a scene in the released form."""
    things, relations = scene["objects"], scene["relationships"]
    values = {name: [thing[name] for thing in things] for name in ATTRIBUTES}
    having = {
        value: mask_of([i for i, found in enumerate(values[name]) if found == value])
        for name, known in ATTRIBUTES.items()
        for value in known
    }
    return Compiled(
        everything=(1 << len(things)) - 1,
        having=having,
        related={name: [mask_of(members) for members in relations[name]] for name in RELATIONS},
        same={name: [having[v] & ~(1 << i) for i, v in enumerate(found)] for name, found in values.items()},
        values=values,
    )


def execute(program: Program, scene: dict[str, Any] | Compiled) -> str:
    """The answer, in the release's spelling.

    Raises `IllPosed` when the set given to `unique` does not have exactly one object, `InputError` for a program that
    is malformed, gives a function what it does not take, or ends in a set or an object.
    """
    _check_types(program)
    values = _run(program, scene)
    check_end(FUNCTIONS[program[-1]["function"]][1])
    return _answer_of(values[-1])


def trace(program: Program, scene: dict[str, Any] | Compiled) -> list[Any]:
    """The value of every step: sets as ascending lists of indices, objects as indices, numbers, booleans, values.

    Raises as `execute`.
    """
    _check_types(program)
    values = _run(program, scene)
    kinds = [FUNCTIONS[node["function"]][1] for node in program]
    return [members_of(value) if kind == "set" else value for value, kind in zip(values, kinds, strict=True)]


def symbolic_depth(program: Program) -> int:
    """Number of nodes on the longest path from a `scene` to the answer, `scene` excluded."""
    return _longest(program, lambda function: function != "scene")


def relational_hops(program: Program) -> int:
    """Largest number of `relate` and `same_*` nodes on one path from a `scene` to the answer."""
    return _longest(program, lambda function: function == "relate" or function.startswith("same_"))


def derived_facts(program: Program, scene: dict[str, Any] | Compiled) -> int:
    """Number of conclusions drawn by the execution, see the head of this module. Raises as `execute`."""
    steps = zip(program, trace(program, scene), strict=True)
    return sum(len(value) if isinstance(value, list) else 1 for node, value in steps if node["function"] != "scene")


def agreement(root: Path, split: str) -> tuple[int, list[dict[str, Any]]]:
    """Answer every question of a split; returns their number, and those whose answer differs from the recorded one.

    Each disagreement has `question_index`, `question`, `answer` (recorded) and `executed` (or why there is no answer).
    Raises `InputError` when the files are missing or broken, or hold no answers.
    """
    from nsmodels.datasets.clevr.files.format import pair, read_questions, read_scenes

    questions, scenes = read_questions(root, split), read_scenes(root, split)
    compiled: dict[int, Compiled] = {}
    wrong = []
    for question, scene in pair(questions, scenes, root, split):
        key = question["image_index"]
        compiled[key] = compiled.get(key) or compile(scene)
        if found := disagreement(question, compiled[key]):
            wrong.append(found)
    return len(questions), wrong


def disagreement(question: dict[str, Any], scene: Compiled) -> dict[str, Any] | None:
    """None when the recorded answer of a checked question is the executed one, else an item of `agreement`."""
    try:
        executed = _answer_of(_run(question["program"], scene)[-1])  # a normalised program has its types
    except IllPosed as error:
        executed = str(error)
    if executed == question["answer"]:
        return None
    return {**{name: question[name] for name in ("question_index", "question", "answer")}, "executed": executed}


def _unique(scene: Compiled, inputs: list[Any], value: str) -> int:
    mask = inputs[0]
    if not mask or mask & (mask - 1):
        raise IllPosed(f"expected exactly one object, found {mask.bit_count()}")
    return mask.bit_length() - 1


Step = Callable[[Compiled, list[Any], str], Any]


def _query(name: str) -> Step:
    return lambda scene, inputs, value: scene.values[name][inputs[0]]


def _same(name: str) -> Step:
    return lambda scene, inputs, value: scene.same[name][inputs[0]]


def _filter(scene: Compiled, inputs: list[Any], value: str) -> int:
    return inputs[0] & scene.having[value]


def _equal(scene: Compiled, inputs: list[Any], value: str) -> bool:
    return inputs[0] == inputs[1]


STEPS: dict[str, Step] = {
    "scene": lambda scene, inputs, value: scene.everything,
    "unique": _unique,
    "relate": lambda scene, inputs, value: scene.related[value][inputs[0]],
    "intersect": lambda scene, inputs, value: inputs[0] & inputs[1],
    "union": lambda scene, inputs, value: inputs[0] | inputs[1],
    "count": lambda scene, inputs, value: inputs[0].bit_count(),
    "exist": lambda scene, inputs, value: inputs[0] != 0,
    "equal_integer": _equal,
    "less_than": lambda scene, inputs, value: inputs[0] < inputs[1],
    "greater_than": lambda scene, inputs, value: inputs[0] > inputs[1],
    **{f"filter_{name}": _filter for name in ATTRIBUTES},
    **{f"query_{name}": _query(name) for name in ATTRIBUTES},
    **{f"same_{name}": _same(name) for name in ATTRIBUTES},
    **{f"equal_{name}": _equal for name in ATTRIBUTES},
}


def _run(program: Program, scene: dict[str, Any] | Compiled) -> list[Any]:
    masks = scene if isinstance(scene, Compiled) else compile(scene)
    values: list[Any] = []
    for number, node in enumerate(program):
        given = node["value_inputs"]
        try:
            inputs = [values[index] for index in node["inputs"]]
            values.append(STEPS[node["function"]](masks, inputs, given[0] if given else ""))
        except IllPosed as error:
            raise IllPosed(f"program node {number} (unique): {error}") from None
        except KeyError as error:
            why = f"{error} is not a known value or relation"
            raise InputError(f"program node {number} ({node['function']}): {why}") from None
    return values


def _check_types(program: Program) -> None:
    """Raise `InputError` unless every input is of the type that its function takes."""
    kinds: list[str] = []
    for number, node in enumerate(program):
        try:
            kinds.append(kind_of(node["function"], node["inputs"], kinds))
        except ValueError as error:
            raise InputError(f"program node {number} ({node['function']}): {error}") from None
    if not kinds:
        raise InputError("program: expected at least one function, got an empty list")


def _longest(program: Program, counts: Callable[[str], bool]) -> int:
    lengths: list[int] = []
    for node in program:
        before = max((lengths[index] for index in node["inputs"]), default=0)
        lengths.append(before + counts(node["function"]))
    return lengths[-1]


def _answer_of(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
