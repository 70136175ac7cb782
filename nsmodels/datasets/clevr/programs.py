"""Types of CLEVR programs: every input is of the type that its function takes, and the last step is an answer.

A program is a list of nodes {inputs, function, value_inputs}; inputs are numbers of earlier nodes. The dialect of the
public generator (`type`, `side_inputs`, and a leaked `_output`, which is dropped) is read too.
"""

from __future__ import annotations

from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTE_OF, FUNCTIONS, RELATIONS

Program = list[dict[str, Any]]
NO_ANSWERS = ("set", "object")  # types of steps that cannot be the last
LONGEST = 1_000  # nodes; the longest program of the release has 25


def normalise(program: Any, where: str = "program") -> Program:
    """A program with nodes {inputs, function, value_inputs}, from either dialect.

    Raises `InputError` naming `where` and the node for an unknown function or value, a wrong number or type of inputs,
    inputs from later nodes, and a program that ends in a set or an object instead of an answer.
    """
    if not isinstance(program, list) or not 0 < len(program) <= LONGEST:
        raise InputError(f"{where}: field 'program': expected a list of 1 to {LONGEST} functions")
    kinds: list[str] = []
    sizes: list[int] = []  # nodes of the tree below each step; one that two steps take is in it twice
    nodes = []
    for number, node in enumerate(program):
        try:
            nodes.append(_node(node, kinds))
            sizes.append(1 + sum(sizes[index] for index in nodes[-1]["inputs"]))
            if sizes[-1] > LONGEST:
                raise ValueError(f"its inputs are shared so often that the program is a tree of {sizes[-1]:,} steps")
        except ValueError as error:
            raise InputError(f"{where}: program node {number}{_named(node)}: {error}") from None
    check_end(kinds[-1], f"{where}: program node {len(nodes) - 1} ({nodes[-1]['function']})")
    return nodes


def kind_of(function: str, inputs: list[int], kinds: list[str]) -> str:
    """Type of the result of `function` for results of earlier nodes, whose types are `kinds`.

    Raises `ValueError` for an unknown function, and for inputs that it does not take.
    """
    if not isinstance(function, str) or function not in FUNCTIONS:
        raise ValueError(f"field 'function': unknown function {function!r}")
    takes, gives = FUNCTIONS[function]
    if not isinstance(inputs, list) or len(inputs) != len(takes):
        raise ValueError(f"field 'inputs': {inputs!r} do not fit, expected {len(takes)} numbers of earlier nodes")
    for index, wanted in zip(inputs, takes, strict=True):
        if type(index) is not int or not 0 <= index < len(kinds):
            raise ValueError(f"field 'inputs': {inputs!r} do not fit, expected numbers of earlier nodes")
        if kinds[index] != wanted:
            raise ValueError(
                f"field 'inputs': takes {_article(wanted)}, but node {index} gives {_article(kinds[index])}"
            )
    return gives


def check_end(kind: str, where: str = "program") -> None:
    """Raise `InputError` when the type of a program's last step is no answer."""
    if kind in NO_ANSWERS:
        raise InputError(f"{where}: the program ends in {_article(kind)}, expected a number, yes or no, or a value")


def _node(node: Any, kinds: list[str]) -> dict[str, Any]:
    """One node in the released form; its type is appended to `kinds`."""
    if not isinstance(node, dict):
        raise ValueError(f"expected an object, got {type(node).__name__}")
    function: Any = node.get("function", node.get("type"))
    if "type" in node and node["type"] != function:
        raise ValueError(f"fields 'function' and 'type' differ: {function!r} and {node['type']!r}")
    if "inputs" not in node:
        raise ValueError("field 'inputs' is missing")
    inputs, values = node["inputs"], node.get("value_inputs", node.get("side_inputs", []))
    kinds.append(kind_of(function, inputs, kinds))
    if not _fits(function, values):
        raise ValueError(f"field 'value_inputs': unknown value {values!r}, expected {_wanted(function)}")
    return {"inputs": inputs, "function": function, "value_inputs": values}


def _fits(function: str, values: Any) -> bool:
    if function == "relate":
        return _is_one(values) and values[0] in RELATIONS
    if function.startswith("filter_"):
        return _is_one(values) and ATTRIBUTE_OF.get(values[0]) == function[7:]
    return values == []


def _is_one(values: Any) -> bool:
    return isinstance(values, list) and len(values) == 1 and isinstance(values[0], str)


def _wanted(function: str) -> str:
    if function == "relate":
        return f"one of {', '.join(RELATIONS)}"
    return f"one {function[7:]}" if function.startswith("filter_") else "none"


def _named(node: Any) -> str:
    name = (node.get("function") or node.get("type")) if isinstance(node, dict) else None
    return f" ({name})" if isinstance(name, str) and name in FUNCTIONS else ""


def _article(kind: str) -> str:
    names = {"int": "a number", "bool": "yes or no", "set": "a set", "object": "one object"}
    return names.get(kind, f"a {kind}")
