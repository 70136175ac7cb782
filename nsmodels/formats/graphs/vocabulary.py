"""The names behind the integer ids of a graph dataset. Numpy-free and torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from nsmodels.core.errors import InputError

Aggregation = Literal["sum", "max", "both"]


@dataclass(frozen=True)
class Vocabulary:
    """Names of all ids of a graph dataset; an id is the position of its name.

    Attributes:
        node_types: what a node is, as "and-mechanism" or "step".
        features: what is known of a node, as "unknown", "false", "true".
        marks: part of a node in the query, "none" first.
        relations: types of edges; a model adds the inverse of each one itself.
        kinds: kinds of queries; scores are reported for each one.
        channels: truths about nodes that the oracle's trace records round by round.
        classes: names of label 0 and label 1.
        length: what `Graphs.lengths` counts, as "steps of the plan".
        aggregation: how a node combines its messages best: "sum" where the oracle counts, "max" where it asks
            whether anything arrives, "both" where some kinds need the one and some the other.
    """

    node_types: tuple[str, ...]
    features: tuple[str, ...]
    marks: tuple[str, ...]
    relations: tuple[str, ...]
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    classes: tuple[str, ...] = ("no", "yes")
    length: str = "length"
    aggregation: Aggregation = "sum"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, lists for tuples."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str) -> Self:
        """A vocabulary from what `to_dict` returned; raises InputError naming `where` and the field."""
        names = {field.name: field for field in fields(cls)}
        for name in values:
            if name not in names:
                raise InputError(f"{where}: unknown field '{name}' (expected {', '.join(names)})")
        found: dict[str, Any] = {}
        for name, field in names.items():
            is_text = name in ("length", "aggregation")
            if name not in values:
                if field.default.__class__.__name__ == "_MISSING_TYPE":
                    raise InputError(f"{where}: '{name}' is missing; expected a list of names")
                continue
            value = values[name]
            if is_text and not isinstance(value, str):
                raise InputError(f"{where}: '{name}' is {value!r}; expected a text")
            if not is_text and not (isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)):
                raise InputError(f"{where}: '{name}' is {value!r}; expected a list of names")
            if not is_text and len(set(value)) < len(value):
                raise InputError(f"{where}: '{name}' has a name twice; names must differ")
            found[name] = value if is_text else tuple(value)
        if found.get("aggregation", "sum") not in get_args(Aggregation):
            raise InputError(f"{where}: 'aggregation' is '{found['aggregation']}'; expected sum, max or both")
        if len(found.get("classes", ("", ""))) != 2:
            raise InputError(f"{where}: 'classes' has {len(found['classes'])} names; expected 2")
        return cls(**found)
