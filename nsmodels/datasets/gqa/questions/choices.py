"""Valid and plausible answers of questions: what could be said at all, and what occurs in the split."""

from __future__ import annotations

import json

from nsmodels.datasets.gqa.programs.operations import SHARED
from nsmodels.datasets.gqa.programs.words import INDOORS
from nsmodels.datasets.gqa.questions.asking import Source
from nsmodels.datasets.gqa.questions.nouns import ANY

Choices = tuple[list[str], list[str]]


class AnswerChoices:
    """Choices by scope of the answer (`Draft.scope`).

    Args:
        source: vocabulary and frequencies of the split.
    """

    def __init__(self, source: Source) -> None:
        self.source, self.words = source, source.words
        self._known: dict[tuple[str, ...], Choices] = {}
        self._lines: dict[tuple[str, ...], str] = {}
        self._named: dict[str, Choices] = {}

    def of(self, scope: tuple[str, ...], answer: str) -> Choices:
        """Valid and plausible answers; both contain the answer."""
        found = self._known.get(scope)
        if found is None:
            found = self._known[scope] = self._made(scope)
        if answer not in found[0] or answer not in found[1]:
            return [*found[0], *({answer} - set(found[0]))], [*found[1], *({answer} - set(found[1]))]
        return found

    def _made(self, scope: tuple[str, ...]) -> Choices:
        kind = scope[0]
        if kind == "truth":
            return ["yes", "no"], ["yes", "no"]
        if kind == "options":
            return sorted(scope[1:]), sorted(scope[1:])
        if kind == "common":
            return list(SHARED), list(SHARED)
        return {"value": self._values, "scene": self._scene, "name": self._names, "related": self._related}[kind](
            *scope[1:]
        )

    def _values(self, name: str, kind: str) -> Choices:
        if kind == "hposition":
            return ["left", "right"], ["left", "right"]
        return list(self.words.attributes[kind]), sorted(self.source.counts.values[name, kind])

    def _scene(self, kind: str) -> Choices:
        counts = self.source.counts
        if kind == "weather":
            return list(self.words.weathers), sorted(filter(None, counts.weathers))
        rooms = [each for each in self.words.locations if kind != "room" or each in INDOORS]
        return rooms, sorted(each for each in counts.places if each in rooms)

    def line(self, scope: tuple[str, ...], answer: str) -> str:
        """Valid and plausible answers as JSON, in the released form."""
        valid, plausible = self.of(scope, answer)
        if valid is not self._known[scope][0]:
            return json.dumps({"valid": valid, "plausible": plausible})
        if scope not in self._lines:
            self._lines[scope] = json.dumps({"valid": valid, "plausible": plausible})
        return self._lines[scope]

    def _names(self, category: str) -> Choices:
        if category not in self._named:
            self._named[category] = self._names_below(category)
        return self._named[category]

    def _names_below(self, category: str) -> Choices:
        names = [each for each in self.words.names if category == ANY or self.words.is_a(each, category)]
        return names, sorted(each for each in names if each in self.source.counts.names)

    def _related(self, relation: str, role: str, anchor: str, category: str) -> Choices:
        """Names; plausible those that occur in this relation to a thing of that name."""
        valid, occurring = self._names(category)
        if role == ANY:
            return valid, occurring
        found = self.source.counts.relatives[anchor, relation, role]
        return valid, [each for each in occurring if each in found]
