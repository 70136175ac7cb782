"""The words of scenes as a value: names, categories, attributes by type, relations. Numpy-free and torch-free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from nsmodels.core.errors import InputError

FILE = "vocabulary.json"  # in the folder of a dataset


@dataclass(frozen=True)
class SceneVocabulary:
    """What can be said of scenes of a dataset. A model and an executor are built from it and from nothing else.

    Attributes:
        names: names of objects.
        parents: categories of a name, nearest first and complete: "dog" → ("animal", "thing").
        attributes: values by type: "color" → ("red", ...). In composed scenes a value has one type; in released ones it
            may have several, as "short" has height and length.
        relations: names of relations, those of geometry included.
        inverses: inverse of a relation where it has one; a symmetric relation is its own.
        plurals: plural of a name or category where questions use it.
        locations: places of a whole scene.
        weathers: weathers of a whole scene.
        functions: functions of the programs about its scenes: types of the inputs, and of the result; empty: programs
            are made of GQA's operations.
    """

    names: tuple[str, ...]
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relations: tuple[str, ...] = ()
    inverses: Mapping[str, str] = field(default_factory=dict)
    plurals: Mapping[str, str] = field(default_factory=dict)
    locations: tuple[str, ...] = ()
    weathers: tuple[str, ...] = ()
    functions: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    @cached_property
    def type_of(self) -> Mapping[str, str]:
        """Type of each attribute value."""
        return {value: kind for kind, values in self.attributes.items() for value in values}

    @cached_property
    def singular_of(self) -> Mapping[str, str]:
        """Name or category of each plural."""
        return {plural: name for name, plural in self.plurals.items()}

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """All categories, sorted."""
        return tuple(sorted({category for parents in self.parents.values() for category in parents}))

    def is_a(self, name: str, what: str) -> bool:
        """Whether an object called `name` is a `what`: a name, a category, or the plural of one."""
        wanted = self.singular_of.get(what, what)
        return wanted == name or wanted in self.parents.get(name, ())

    def write(self, folder: Path) -> None:
        """Write it as `vocabulary.json` into a folder."""
        content = {key: value for key, value in asdict(self).items() if value or key != "functions"}
        (folder / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The vocabulary of a dataset folder. Raises `InputError` if the file is missing or malformed."""
        path = folder / FILE
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: missing; expected the vocabulary of a dataset of scenes") from None
        except ValueError as error:
            raise InputError(f"{path}: not JSON ({error}); prepare the dataset again") from None
        return cls.from_json(document, str(path))

    @classmethod
    def from_json(cls, document: Any, where: str) -> Self:
        """The vocabulary of the content of such a file, or of `dataclasses.asdict`; `where` names it in errors."""
        names = {each.name for each in fields(cls)}
        if not isinstance(document, dict) or not document.keys() <= names or "names" not in document:
            raise InputError(f"{where}: expected an object with fields of {', '.join(sorted(names))}")
        return cls(**{key: _frozen(value) for key, value in document.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
