"""Questions that only rules answer: about labels that no perceived fact states.

"Is the dog wet?" of a name that one thing of a scene has, as often yes as no for each label; the noes are about names
that things with the label have, too. "What is wet?" of scenes in which one thing is; its name is the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from nsmodels.formats.scenes.facts import Fact, ScenePredicates
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.logic.answers import ask
from nsmodels.logic.config import AskConfig
from nsmodels.logic.syntax import Atom, Program, Variable
from nsmodels.scenery.rule_learning.measuring import Labels

YES, NO = "yes", "no"
WITHOUT_PROOFS = AskConfig(max_proofs=0)
KINDS = ("is", "what")  # "Is the dog wet?", "What is wet?"


@dataclass(frozen=True)
class RuleQuestion:
    """A question about a label: of the thing of a name, or (`name` empty) which thing has it."""

    scene: int
    target: str
    name: str
    answer: str

    @property
    def kind(self) -> str:
        """ "is", answered yes or no, or "what", answered by a name."""
        return KINDS[0] if self.name else KINDS[1]


def draw_questions(
    graphs: Sequence[SceneGraph], labels: Mapping[str, Labels], most: int, chance: Generator
) -> list[RuleQuestion]:
    """Up to `most` questions of each kind for each target; labels are of the objects of all graphs in order."""
    found: list[RuleQuestion] = []
    for target, flags in labels.items():
        is_asked, what_asked = _possible(graphs, target, flags)
        named = {each.name for each in is_asked if each.answer == YES}
        sides = [[q for q in is_asked if q.answer == YES], [q for q in is_asked if q.answer == NO and q.name in named]]
        number = min(most // 2, *map(len, sides))
        found += [q for side in sides for q in _some(side, number, chance)] + _some(what_asked, most, chance)
    return found


def _possible(
    graphs: Sequence[SceneGraph], target: str, flags: Labels
) -> tuple[list[RuleQuestion], list[RuleQuestion]]:
    asked: list[RuleQuestion] = []
    what: list[RuleQuestion] = []
    first = 0
    for number, graph in enumerate(graphs):
        own = flags[first : first + len(graph.things)].tolist()
        first += len(own)
        times = Counter(thing.name for thing in graph)
        single = [(thing.name, has) for thing, has in zip(graph, own, strict=True) if times[thing.name] == 1]
        asked += [RuleQuestion(number, target, name, YES if has else NO) for name, has in single]
        if sum(own) == 1:
            what.append(RuleQuestion(number, target, "", graph.things[own.index(True)].name))
    return asked, what


def _some(questions: list[RuleQuestion], number: int, chance: Generator) -> list[RuleQuestion]:
    chosen = chance.permutation(len(questions))[:number]
    return [questions[int(k)] for k in sorted(chosen)]


@dataclass(frozen=True)
class Prior:
    """Answers without any look at a scene: "no", and the most frequent name with each label in training."""

    names: Mapping[str, str]

    @classmethod
    def of(cls, graphs: Sequence[SceneGraph], labels: Mapping[str, Labels]) -> Prior:
        """The prior of training scenes."""
        things = [thing.name for graph in graphs for thing in graph]
        counts = {
            target: Counter(name for name, has in zip(things, flags, strict=False) if has)
            for target, flags in labels.items()
        }
        return cls({target: min(each, key=lambda name: (-each[name], name)) for target, each in counts.items() if each})

    def answer(self, question: RuleQuestion) -> str:
        """Its answer to a question."""
        return NO if question.name else self.names.get(question.target, "")


class RuleAnswers:
    """Answers of a program to questions about scenes of weighted facts.

    Args:
        program: that derives the labels; None: nothing does, and every answer is that of the prior.
        scenes: the facts of each scene with their probabilities, without labels.
        predicates: of the vocabulary of the scenes.
        prior: answers where nothing is derived.
    """

    def __init__(
        self, program: Program | None, scenes: Sequence[Mapping[Fact, float]], predicates: ScenePredicates, prior: Prior
    ) -> None:
        self._program, self._scenes, self._predicates, self._prior = program, scenes, predicates, prior
        self._derived: dict[tuple[int, str], dict[str, float]] = {}

    def answer(self, question: RuleQuestion) -> str:
        """The answer to a question."""
        found = self._of(question.scene, question.target)
        if not found:
            return self._prior.answer(question)
        if not question.name:
            return self._name_of(question.scene, max(found, key=lambda each: (found[each], each)))
        meant = self._meant(question)
        return YES if meant and found.get(meant, 0.0) >= 0.5 else NO

    def _of(self, scene: int, target: str) -> dict[str, float]:
        """The probability of the label for each object that may have it."""
        if self._program is None:
            return {}
        if (scene, target) not in self._derived:
            query = Atom(target, (Variable("X"),))
            answers = ask(self._program, self._scenes[scene], query, WITHOUT_PROOFS)
            self._derived[scene, target] = {str(each.fact[1][0]): each.probability for each in answers}
        return self._derived[scene, target]

    def _meant(self, question: RuleQuestion) -> str:
        """The object that most likely has the name; empty: none may."""
        name = self._predicates.of_name(question.name)
        named = {fact[1][0]: p for fact, p in self._scenes[question.scene].items() if fact[0] == name}
        return str(max(named, key=lambda each: (named[each], each), default=""))

    def _name_of(self, scene: int, thing: str) -> str:
        facts, predicates = self._scenes[scene], self._predicates
        names = predicates.vocabulary.names
        return max(names, key=lambda name: facts.get((predicates.of_name(name), (thing,)), 0.0))


def accuracies(questions: Sequence[RuleQuestion], answer: Callable[[RuleQuestion], str]) -> dict[str, float]:
    """Share of right answers by kind of question; kinds without questions are left out."""
    right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for question in questions:
        right[question.kind].append(answer(question) == question.answer)
    return {kind: float(np.mean(each)) for kind, each in right.items() if each}


def chance_of(questions: Sequence[RuleQuestion], graphs: Sequence[SceneGraph]) -> dict[str, float]:
    """Expected share of right answers of a guess: yes or no, or the name of some thing of the scene."""
    shares: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for question in questions:
        names = [thing.name for thing in graphs[question.scene]]
        shares[question.kind].append(0.5 if question.name else names.count(question.answer) / len(names))
    return {kind: float(np.mean(each)) for kind, each in shares.items() if each}


def certain(graphs: Sequence[SceneGraph], predicates: ScenePredicates) -> list[dict[Fact, float]]:
    """The true facts of scenes, each with probability 1."""
    return [dict.fromkeys(predicates.facts(graph), 1.0) for graph in graphs]
