"""The study: planted rules learnt again, by number of scenes and by share of wrong facts, scored on held-out scenes.

Seals `report.json`, `table.txt`, `learnt.rules` (of the largest number of scenes) and `figures/`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.config import LearnConfig
from nsmodels.logic.learning import Learnt, learn
from nsmodels.logic.literals import Gathered, Scene, Table, gather, packed, table
from nsmodels.logic.program import load
from nsmodels.logic.syntax import Program
from nsmodels.scenery.rule_learning import examples, figures
from nsmodels.scenery.rule_learning.config import CODE_VERSION, RuleStudyConfig
from nsmodels.scenery.rule_learning.measuring import Agreement, Labels, agreement, covered, equal_rules, predicted
from nsmodels.scenery.rule_learning.perceiving import perceived

MAKER = "nsmodels.scenery.rule_learning"
NOTHING = Agreement(0, 0, 0)
SINGLE = LearnConfig(max_literals=1, max_clauses=1, num_passes=0)  # the simple baseline: the best single literal


@dataclass
class Point:
    """Scores of what was learnt at one setting, over targets and seeds.

    Attributes:
        name: "scenes" or "wrong".
        value: number of scenes, or share of wrong facts.
        labels: of held-out objects, by true facts.
        perceived: the same by facts as wrong as those learnt from.
        baseline: labels of the best single literal, by true facts.
        rules: learnt rules that hold for the same held-out objects as a planted one, out of all learnt.
        planted: planted rules found again, out of all planted.
        cpu_seconds: of learning.
    """

    name: str
    value: float
    labels: Agreement = NOTHING
    perceived: Agreement = NOTHING
    baseline: Agreement = NOTHING
    rules: list[int] = field(default_factory=lambda: [0, 0])
    planted: list[int] = field(default_factory=lambda: [0, 0])
    num_literals: int = 0
    cpu_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The scores as plain values."""
        scores = {name: getattr(self, name) for name in ("labels", "perceived", "baseline")}
        shares = {
            f"{name}_{kind}": getattr(each, kind) for name, each in scores.items() for kind in ("precision", "recall")
        }
        return {
            self.name: self.value,
            "rule_precision": self.rules[0] / self.rules[1] if self.rules[1] else 1.0,
            "rule_recall": self.planted[0] / self.planted[1] if self.planted[1] else 1.0,
            **shares,
            "num_learnt": self.rules[1],
            "num_planted": self.planted[1],
            "num_literals": self.num_literals,
            "cpu_seconds": round(self.cpu_seconds, 2),
        }


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

    def __init__(self, folder: Path, config: RuleStudyConfig) -> None:
        self._config = config
        self._vocabulary = SceneVocabulary.read(folder)
        self._program = load(config.rules)
        seen, held_out = (folder / examples.GRAPHS.format(split) for split in ("train", "val"))
        self._graphs = examples.read_graphs(seen, max(config.num_scenes))
        self._held_out_graphs = examples.read_graphs(held_out, config.num_held_out)
        self._scenes = self._facts(self._graphs)
        self.held_out = self._facts(self._held_out_graphs)
        self._gathered = gather(self.held_out)
        if too_many := [number for number in config.num_scenes if number > len(self._graphs)]:
            raise InputError(f"{seen}: {len(self._graphs):,} scenes, field 'num_scenes' asks for {max(too_many):,}")
        unknown = [t for t in config.targets if self._program.arities.get(t) != 1]
        if unknown:
            raise InputError(f"field 'targets': {self._program.file} derives no '{unknown[0]}' of one object")
        truths = [Truth.of(self._program, config.targets, scenes) for scenes in (self._scenes, self.held_out)]
        self._truth, self.truth = truths
        self.targets = [t for t in config.targets if all(truth.labels[t].any() for truth in truths)]
        if not self.targets:
            raise InputError(f"{folder}: rules derive none of {', '.join(config.targets)} of objects in both splits")

    def _facts(self, graphs: Sequence[SceneGraph]) -> list[Scene]:
        return examples.scenes_of(graphs, self._vocabulary)

    def points(self) -> Iterator[tuple[Point, dict[str, Learnt]]]:
        """Points by number of scenes, then by share of wrong facts, with what the last seed learnt."""
        for number in self._config.num_scenes:
            point, facts = Point("scenes", number), table(self._scenes[:number], self._config.learning.min_examples)
            for seed in self._config.seeds:
                learnt = self._measure(point, facts, self._gathered, seed)
            yield point, learnt
        for share in self._config.wrong_shares:
            point = Point("wrong", share)
            for seed in self._config.seeds:
                seen, held_out = (
                    self._facts([perceived(graph, self._vocabulary, share, chance) for graph in graphs])
                    for graphs, chance in zip(self._both(), _generators(seed, 2), strict=True)
                )
                facts = table(seen, self._config.learning.min_examples)
                learnt = self._measure(point, facts, gather(held_out), seed)
            yield point, learnt

    def _both(self) -> tuple[list[SceneGraph], list[SceneGraph]]:
        return self._graphs, self._held_out_graphs

    def _measure(self, point: Point, facts: Table, as_seen: Gathered, seed: int) -> dict[str, Learnt]:
        """Learn all targets and add the scores to a point."""
        found: dict[str, Learnt] = {}
        point.num_literals = facts.num_literals
        for target, chance in zip(self.targets, _generators(seed, len(self.targets)), strict=True):
            if interrupts.requested():
                raise Interrupted(interrupts.LINE)
            labels = self._noisy(self._truth.labels[target][: facts.num_examples], chance)
            begun = cpu_seconds()
            found[target] = learnt = learn(facts.without([target]), packed(labels), self._config.learning)
            point.cpu_seconds += cpu_seconds() - begun
            truth = self.truth.labels[target]
            point.labels += agreement(predicted(learnt, self._gathered), truth)
            point.perceived += agreement(predicted(learnt, as_seen), truth)
            single = learn(facts.without([target]), packed(labels), SINGLE)
            point.baseline += agreement(predicted(single, self._gathered), truth)
            extensions = covered(learnt, self._gathered)
            right, again = equal_rules(extensions, self.truth.by_rule[target])
            _add(point.rules, right, len(extensions))
            _add(point.planted, again, len(self.truth.by_rule[target]))
        return found

    def _noisy(self, labels: Labels, chance: Generator) -> Labels:
        """Labels of which some are dropped, and others false."""
        drawn = chance.random(len(labels))
        return np.where(labels, drawn >= self._config.dropped, drawn < self._config.false)


def _add(counts: list[int], right: int, total: int) -> None:
    counts[0] += right
    counts[1] += total


def _generators(seed: int, number: int) -> list[Generator]:
    return [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(number)]


def study(order: Order[RuleStudyConfig]) -> Manifest:
    """Run the study on the scenes of an order, which has the folders of GQA or of its twin, and seal it.

    Raises `InputError` for bad data, and when it was interrupted.
    """

    def run(part: Part) -> StudyResult:
        found = Study(order.data, order.config)
        points: list[dict[str, Any]] = []
        for point, learnt in found.points():
            points.append(point.to_json())
            print(_line(points[-1]), file=sys.stderr, flush=True)
            if point.name == "scenes":  # the last one has the most scenes
                rules = "".join(f"{rule}\n" for target, each in learnt.items() for rule in each.rules(target))
                disk.write_atomic(part.path / "learnt.rules", rules)
        report = _report(order.config, found, points)
        caption = (
            f"Rules planted over scene graphs and learnt again; {order.config.dropped:.0%} of the labels missing, "
            f"{order.config.false:.1%} false; means over {len(order.config.seeds)} seeds, scored on held-out scenes"
        )
        return StudyResult(report, table_of(report), figures.curves(report), caption, _metrics(report))

    return seal_study(order, MAKER, "rule learning", CODE_VERSION, order.config.seeds[0], run)


def _report(config: RuleStudyConfig, found: Study, points: list[dict[str, Any]]) -> dict[str, Any]:
    shares = [float(found.truth.labels[target].mean()) for target in found.targets]
    return {
        "rules": config.rules,
        "targets": {t: len(found.truth.by_rule[t]) for t in found.targets},
        "targets_without_objects": [t for t in config.targets if t not in found.targets],
        "seeds": config.seeds,
        "num_held_out_scenes": len(found.held_out),
        "chance_precision": float(np.mean(shares)),
        "by_scenes": [each for each in points if "scenes" in each],
        "by_wrong_facts": [each for each in points if "wrong" in each],
    }


def _metrics(report: dict[str, Any]) -> dict[str, Any]:
    last = report["by_scenes"][-1]
    found = {name: last[name] for name in ("rule_precision", "rule_recall", "labels_precision", "labels_recall")}
    for each in report["by_wrong_facts"]:
        found |= {f"wrong_{each['wrong']:g}/{name}": each[name] for name in ("rule_precision", "rule_recall")}
    return found


def _line(point: dict[str, Any]) -> str:
    what = f"{point['scenes']:,} scenes" if "scenes" in point else f"{point['wrong']:.0%} wrong facts"
    rules = f"rules {point['rule_precision']:.2f} right, {point['rule_recall']:.2f} found"
    return f"{what}: {rules}; {point['cpu_seconds']} CPU-s"


def table_of(report: dict[str, Any]) -> str:
    """Tables by number of scenes and by share of wrong facts, in %."""
    head = (
        f"{'':>12} {'rules':>15} {'labels':>15} {'as perceived':>15} {'one literal':>15} {'literals':>9} {'CPU-s':>7}"
    )
    kinds = f"{'':>12}" + f" {'prec.':>7} {'recall':>7}" * 4
    lines = [f"planted: {report['rules']}, {sum(report['targets'].values())} rules for {len(report['targets'])} labels"]
    for key, title in (("by_scenes", "scenes"), ("by_wrong_facts", "wrong")):
        lines += ["", head, f"{title:>12}{kinds[12:]}"]
        for each in report[key]:
            value = f"{each[title]:,}" if title == "scenes" else f"{each[title]:.0%}"
            names = ("rule", "labels", "perceived", "baseline")
            cells = "".join(
                f" {100 * each[f'{name}_{kind}']:>7.1f}" for name in names for kind in ("precision", "recall")
            )
            lines.append(f"{value:>12}{cells} {each['num_literals']:>9,} {each['cpu_seconds']:>7}")
    about = f"{report['num_held_out_scenes']:,} held-out scenes, seeds {', '.join(map(str, report['seeds']))}"
    lines += ["", f"{about}; chance: precision {100 * report['chance_precision']:.1f}"]
    lines.append(
        "rules: learnt ones that hold for the same held-out objects as a planted one, planted ones found again"
    )
    lines.append(
        "labels, one literal: by true facts of held-out scenes; as perceived: by facts as wrong as those learnt from"
    )
    return "\n".join(lines) + "\n"
