"""The study: planted rules learnt again, by number of scenes and by share of wrong facts, scored on held-out scenes;
with a trained model also from the facts that it perceives; and questions that only rules answer.

Seals `report.json`, `table.txt`, `learnt.rules` and `perceived.rules` (of the most scenes) and `figures/`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from nsmodels.core import disk, interrupts
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Order
from nsmodels.core.provenance import cpu_seconds
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.formats.scenes.facts import ScenePredicates
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.config import LearnConfig
from nsmodels.logic.learning import Learnt, learn
from nsmodels.logic.literals import Gathered, Scene, gather, packed, table
from nsmodels.logic.program import load
from nsmodels.logic.syntax import Program
from nsmodels.scenery.rule_learning import examples, figures
from nsmodels.scenery.rule_learning.config import CODE_VERSION, RuleStudyConfig
from nsmodels.scenery.rule_learning.learner import program_of
from nsmodels.scenery.rule_learning.measuring import Labels, agreement, covered, equal_rules, predicted
from nsmodels.scenery.rule_learning.perceiving import perceived
from nsmodels.scenery.rule_learning.points import PERCEIVED, SCENES, WRONG, Lesson, Point
from nsmodels.scenery.rule_learning.questions import (
    Prior,
    RuleAnswers,
    accuracies,
    certain,
    chance_of,
    draw_questions,
)
from nsmodels.scenery.rule_learning.reporting import line_of, metrics_of, table_of
from nsmodels.scenery.rule_learning.seeing import Perceive, SeenScenes

MAKER = "nsmodels.scenery.rule_learning"
SINGLE = LearnConfig(max_literals=1, max_clauses=1, num_passes=0)  # the simple baseline: the best single literal


@dataclass(frozen=True)
class Truth:
    """Labels of objects by planted rules: by target, and by target and rule."""

    labels: dict[str, Labels]
    by_rule: dict[str, list[Labels]]

    @classmethod
    def of(cls, program: Program, targets: Sequence[str], scenes: Sequence[Scene]) -> Truth:
        """The labels that a program derives."""
        by_rule = {target: list(examples.derived_by_rule(program, target, scenes).values()) for target in targets}
        return cls({target: np.logical_or.reduce(each) for target, each in by_rule.items()}, by_rule)


class Study:
    """The scenes of a dataset with their planted labels, and the points that are measured on them."""

    def __init__(
        self, folder: Path, config: RuleStudyConfig, words: SceneVocabulary, perceive: Perceive | None = None
    ) -> None:
        self._config = config
        self._vocabulary = words
        self._program = load(config.rules)
        seen, held_out = (folder / examples.GRAPHS.format(split) for split in ("train", "val"))
        most = max([*config.num_scenes, *(config.num_perceived if perceive else ())])
        self._graphs = examples.read_graphs(seen, most)
        self._held_out_graphs = examples.read_graphs(held_out, config.num_held_out)
        self._scenes = self._facts(self._graphs)
        self.held_out = self._facts(self._held_out_graphs)
        self._gathered = gather(self.held_out)
        if too_many := [number for number in config.num_scenes if number > len(self._graphs)]:
            raise InputError(f"{seen}: {len(self._graphs):,} scenes, field 'num_scenes' asks for {max(too_many):,}")
        self.predicates = ScenePredicates(self._vocabulary)
        unknown = [t for t in config.targets if self._program.arities.get(t) != 1]
        if unknown:
            raise InputError(f"field 'targets': {self._program.file} derives no '{unknown[0]}' of one object")
        truths = [Truth.of(self._program, config.targets, scenes) for scenes in (self._scenes, self.held_out)]
        self._truth, self.truth = truths
        self.targets = [t for t in config.targets if all(truth.labels[t].any() for truth in truths)]
        if not self.targets:
            raise InputError(f"{folder}: rules derive none of {', '.join(config.targets)} of objects in both splits")
        self.num_perceived, self.seen = self._perceived(perceive) if perceive else ([], None)

    def _perceived(self, perceive: Perceive) -> tuple[list[int], tuple[SeenScenes, SeenScenes]]:
        """Numbers of perceived scenes, as far as there are so many, and both splits as a model sees them."""
        numbers = [number for number in self._config.num_perceived if number <= len(self._graphs)]
        most = max(numbers, default=0)
        if not most:
            raise InputError(
                f"field 'num_perceived': expected numbers up to {len(self._graphs):,}, the scenes there are"
            )
        return numbers, (
            SeenScenes(self._graphs[:most], perceive(self._graphs[:most])),
            SeenScenes(self._held_out_graphs, perceive(self._held_out_graphs)),
        )

    def _facts(self, graphs: Sequence[SceneGraph]) -> list[Scene]:
        return examples.scenes_of(graphs, self._vocabulary)

    def points(self) -> Iterator[tuple[Point, dict[str, Learnt]]]:
        """Points by number of scenes, by share of wrong facts, and by number of perceived scenes, with what the last
        seed learnt.
        """
        for number in self._config.num_scenes:
            point, lesson = Point(SCENES, number), self._lesson(self._scenes[:number], self._gathered)
            yield point, self._measured(point, [lesson] * len(self._config.seeds))
        for share in self._config.wrong_shares:
            point = Point(WRONG, share)
            yield point, self._measured(point, (self._wrong_lesson(share, seed) for seed in self._config.seeds))
        for number in self.num_perceived:
            point, lesson = Point(PERCEIVED, number), self._perceived_lesson(number)
            yield point, self._measured(point, [lesson] * len(self._config.seeds))

    def _lesson(self, scenes: Sequence[Scene], seen: Gathered) -> Lesson:
        facts = table(scenes, self._config.learning.min_examples)
        return Lesson(facts, facts.num_examples, np.copy, seen, agreement)

    def _wrong_lesson(self, share: float, seed: int) -> Lesson:
        seen, held_out = (
            self._facts([perceived(graph, self._vocabulary, share, chance) for graph in graphs])
            for graphs, chance in zip((self._graphs, self._held_out_graphs), _generators(seed, 2), strict=True)
        )
        return self._lesson(seen, gather(held_out))

    def _perceived_lesson(self, number: int) -> Lesson:
        assert self.seen is not None
        seen, held_out = self.seen[0].first(number), self.seen[1]
        facts = table(seen.scenes, self._config.learning.min_examples)
        num_true = sum(len(graph.things) for graph in seen.graphs)
        return Lesson(facts, num_true, seen.labels, gather(held_out.scenes), held_out.agreement)

    def _measured(self, point: Point, lessons: Iterable[Lesson]) -> dict[str, Learnt]:
        """Learn all targets with each seed and add the scores to a point; what the last seed learnt."""
        found: dict[str, Learnt] = {}
        for lesson, seed in zip(lessons, self._config.seeds, strict=True):
            point.num_literals = lesson.facts.num_literals
            for target, chance in zip(self.targets, _generators(seed, len(self.targets)), strict=True):
                if interrupts.requested():
                    raise Interrupted(interrupts.LINE)
                labels = lesson.own(self._noisy(self._truth.labels[target][: lesson.num_true], chance))
                found[target] = self._learnt(point, lesson, target, labels)
        return found

    def _learnt(self, point: Point, lesson: Lesson, target: str, labels: Labels) -> Learnt:
        """What is learnt of a target; adds its scores to a point."""
        begun, facts, truth = cpu_seconds(), lesson.facts.without([target]), self.truth.labels[target]
        learnt = learn(facts, packed(labels), self._config.learning)
        point.cpu_seconds += cpu_seconds() - begun
        point.labels += agreement(predicted(learnt, self._gathered), truth)
        point.perceived += lesson.judge(predicted(learnt, lesson.seen), truth)
        single = learn(facts, packed(labels), SINGLE)
        point.baseline += agreement(predicted(single, self._gathered), truth)
        extensions = covered(learnt, self._gathered)
        right, again = equal_rules(extensions, self.truth.by_rule[target])
        _add(point.rules, right, len(extensions))
        _add(point.planted, again, len(self.truth.by_rule[target]))
        return learnt

    def questions(self, learnt: dict[str, dict[str, Learnt]]) -> dict[str, Any]:
        """Accuracy on questions that only rules answer: with rules that were learnt, with those given, and without.

        `learnt`: by "scenes" and "perceived", what was learnt of most scenes.
        """
        (chance,), graphs = _generators(self._config.seeds[0], 1), self._held_out_graphs
        asked = draw_questions(graphs, self._of_targets(self.truth), self._config.num_questions, chance)
        prior, predicates = Prior.of(self._graphs, self._of_targets(self._truth)), self.predicates
        rows: dict[str, dict[str, float]] = {
            "chance": chance_of(asked, graphs),
            "prior": accuracies(asked, prior.answer),
        }
        facts = {SCENES: certain(graphs, predicates)}
        facts |= {PERCEIVED: [each.facts for each in self.seen[1].seen]} if self.seen else {}
        for kind, scenes in facts.items():
            programs = {"without rules": None, "rules learnt": program_of(learnt[kind], predicates)}
            for name, program in {**programs, "rules given": self._program}.items():
                answers = RuleAnswers(program, scenes, predicates, prior)
                rows[f"{name}, {'true' if kind == SCENES else 'perceived'} facts"] = accuracies(asked, answers.answer)
        return {"num": dict(Counter(each.kind for each in asked)), "rows": rows}

    def report(self, points: list[dict[str, Any]]) -> dict[str, Any]:
        """All that was measured, without the questions."""
        config, seen = self._config, self.seen[1].facts_right(self.predicates) if self.seen else None
        shares = [float(self.truth.labels[target].mean()) for target in self.targets]
        found = {
            "rules": config.rules,
            "targets": {t: len(self.truth.by_rule[t]) for t in self.targets},
            "targets_without_objects": [t for t in config.targets if t not in self.targets],
            "seeds": config.seeds,
            "num_held_out_scenes": len(self.held_out),
            "chance_precision": float(np.mean(shares)),
            "by_scenes": [each for each in points if SCENES in each],
            "by_wrong_facts": [each for each in points if WRONG in each],
            "by_perceived": [each for each in points if PERCEIVED in each],
        }
        facts = {"precision": seen.precision, "recall": seen.recall} if seen else None
        return found | ({"model": config.model, "perceived_facts": facts} if facts else {})

    def _of_targets(self, truth: Truth) -> dict[str, Labels]:
        return {target: truth.labels[target] for target in self.targets}

    def _noisy(self, labels: Labels, chance: Generator) -> Labels:
        """Labels of which some are dropped, and others false."""
        drawn = chance.random(len(labels))
        return np.where(labels, drawn >= self._config.dropped, drawn < self._config.false)


def _add(counts: list[int], right: int, total: int) -> None:
    counts[0] += right
    counts[1] += total


def _generators(seed: int, number: int) -> list[Generator]:
    return [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(number)]


def study(order: Order[RuleStudyConfig], words: SceneVocabulary, perceive: Perceive | None = None) -> Manifest:
    """Run the study on the scenes of an order, which has the folders of GQA or of its twin, and seal it.

    `words`: of the scene graphs; `perceive`: what a trained model reads from their images; facts are then perceived,
    too. Raises `InputError` for bad data, and when it was interrupted.
    """

    def run(part: Part) -> StudyResult:
        found = Study(order.data, order.config, words, perceive)
        points: list[dict[str, Any]] = []
        learnt: dict[str, dict[str, Learnt]] = {}
        for point, learnt[point.name] in found.points():  # of each name the last one has the most scenes
            points.append(point.to_json())
            print(line_of(points[-1]), file=sys.stderr, flush=True)
        for name, file in ((SCENES, "learnt.rules"), (PERCEIVED, "perceived.rules")):
            rules = "".join(f"{rule}\n" for target, each in learnt.get(name, {}).items() for rule in each.rules(target))
            if name in learnt:
                disk.write_atomic(part.path / file, rules)
        report = found.report(points)
        report |= {"questions": found.questions(learnt)} if order.config.num_questions else {}
        caption = (
            f"Rules planted over scene graphs and learnt again; {order.config.dropped:.0%} of the labels missing, "
            f"{order.config.false:.1%} false; means over {len(order.config.seeds)} seeds, scored on held-out scenes"
        )
        return StudyResult(report, table_of(report), figures.curves(report), caption, metrics_of(report))

    return seal_study(order, MAKER, "rule learning", CODE_VERSION, order.config.seeds[0], run)
