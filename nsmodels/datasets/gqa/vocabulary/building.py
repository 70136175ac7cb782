"""The vocabulary of a GQA folder, built from its graphs and questions and from two tables of public knowledge.

- names, relations, places and weathers are those of the graphs;
- attribute types are those of operation names: "filter color: red" says that red is a color. A value may have several
  types, as "short" has (height, length);
- categories: `categories.json` has the 53 of the release with their usual members, and questions tie further names to
  them: "appliance (1128794)" of an object called "refrigerator".

Sources of the tables: operation names and arguments in the released questions, as counted by the public repositories
microsoft/DFOL-VQA and codexxxl/GraphVQA; members are written down here and may be incomplete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nsmodels.datasets.gqa.files.format import Question, each_graph, each_question
from nsmodels.datasets.gqa.files.places import graph_splits, has_questions
from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.datasets.gqa.programs.parsing import SCENE, Step
from nsmodels.datasets.gqa.programs.words import singular
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, SceneGraph
from nsmodels.formats.scenes.vocabulary import FILE, SceneVocabulary

INVERSES: Mapping[str, str] = {
    LEFT: RIGHT, RIGHT: LEFT, "in front of": "behind", "behind": "in front of", "above": "below", "below": "above",
    "near": "near", "next to": "next to", "beside": "beside", "close to": "close to",
}  # fmt: skip
_NO_TYPES = ("name", "hposition", "vposition", "location", "place", "type", "rel", "")
_VAGUE = ("object", "thing", "name", "material", "flavor")  # come after what says more
_GEOMETRY_FREE = {"query", "filter", "verify", "choose"}


def read_vocabulary(root: Path) -> SceneVocabulary:
    """`vocabulary.json` of a folder, else the vocabulary built from its graphs and balanced questions."""
    return SceneVocabulary.read(root) if (root / FILE).is_file() else build(root)


def build(root: Path) -> SceneVocabulary:
    """The vocabulary of the graphs and balanced questions of all splits of a folder. Raises `InputError`."""
    builder = Builder()
    for split in graph_splits(root):
        for graph in each_graph(root, split):
            builder.add_graph(graph)
        if has_questions(root, split):
            for question in each_question(root, split):
                builder.add_question(question)
        builder.forget()
    return builder.finish()


@cache
def categories() -> Mapping[str, tuple[str, ...]]:
    """Categories of each known name, nearest first and complete."""
    table: dict[str, Any] = _table("categories.json")
    found: dict[str, list[str]] = {}
    for category, entry in sorted(table.items(), key=lambda item: (item[0] in _VAGUE, -len(item[1]["above"]))):
        for name in entry["members"]:
            found.setdefault(name, []).extend((category, *entry["above"]))
        if entry["above"]:
            found.setdefault(category, []).extend(entry["above"])
    return {name: tuple(dict.fromkeys(parents)) for name, parents in found.items()}


@cache
def category_names() -> frozenset[str]:
    """The 53 categories of the release."""
    return frozenset(_table("categories.json"))


@cache
def attribute_types() -> Mapping[str, tuple[str, ...]]:
    """Known values by attribute type."""
    return {kind: tuple(values) for kind, values in _table("attributes.json").items()}


class Builder:
    """A vocabulary that grows with graphs and with questions about them: first the graphs of a split."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.relations: set[str] = set()
        self.locations: set[str] = set()
        self.weathers: set[str] = set()
        self.words: set[str] = set()
        self.attributes = {kind: set(values) for kind, values in attribute_types().items()}
        self.parents: dict[str, list[str]] = {}
        self._objects: dict[str, dict[str, str]] = {}

    def add_graph(self, graph: SceneGraph) -> None:
        """Take its words in, and keep the names of its objects for its questions."""
        self._objects[graph.image] = {thing.id: thing.name for thing in graph}
        for thing in graph:
            self.names.add(thing.name)
            self.relations.update(relation.name for relation in thing.relations)
        self.locations |= {graph.location} - {""}
        self.weathers |= {graph.weather} - {""}

    def add_question(self, question: Question) -> None:
        """Take the types and categories in that its program states."""
        program, objects = question.program, self._objects.get(question.image, {})
        for step in program:
            self._add_type(step, question.answer, program)
            self._add_category(step, objects)

    def forget(self) -> None:
        """Forget the objects of graphs whose questions are all known."""
        self._objects.clear()

    def finish(self) -> SceneVocabulary:
        """The vocabulary of all that was added, everything sorted."""
        relations = self.relations | {LEFT, RIGHT}
        return SceneVocabulary(
            names=tuple(sorted(self.names)),
            parents={name: parents for name in sorted(self.names) if (parents := self._parents(name))},
            attributes={kind: tuple(sorted(values)) for kind, values in sorted(self.attributes.items())},
            relations=tuple(sorted(relations)),
            inverses={name: other for name, other in INVERSES.items() if {name, other} & relations},
            plurals=self._plurals(),
            locations=tuple(sorted(self.locations)),
            weathers=tuple(sorted(self.weathers)),
        )

    def _add_type(self, step: Step, answer: str, program: tuple[Step, ...]) -> None:
        operation = OPERATIONS[step.operation]
        kind = step.value if operation.verb == "query" else operation.kind
        is_scene = any(program[each].name == SCENE for each in step.dependencies)
        if operation.verb not in _GEOMETRY_FREE or kind in _NO_TYPES or is_scene or len(step.dependencies) != 1:
            return
        values = [answer] if operation.verb == "query" else [step.value, *step.options]
        self.attributes.setdefault(kind, set()).update(value for value in values if value)

    def _add_category(self, step: Step, objects: Mapping[str, str]) -> None:
        if not step.name or step.name == SCENE:
            return
        self.words.add(step.name)
        category = singular(step.name)
        if category not in category_names():
            return
        for name in (objects[each] for each in step.ids if each in objects):
            if singular(name) != category:
                self.parents.setdefault(name, []).append(category)

    def _parents(self, name: str) -> tuple[str, ...]:
        known = [parent for word in (name, singular(name)) for parent in categories().get(word, ())]
        learnt = self.parents.get(name, [])
        above = [upper for parent in learnt for upper in categories().get(parent, ())]
        return tuple(parent for parent in dict.fromkeys([*known, *learnt, *above]) if parent != name)

    def _plurals(self) -> dict[str, str]:
        words = self.words | self.names
        return {one: word for word in sorted(words) if (one := singular(word)) != word and one in self._known()}

    def _known(self) -> Iterable[str]:
        return self.names | category_names()


def _table(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
