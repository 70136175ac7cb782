"""Rules learnt from the scene graphs of a folder, scored on scenes that were held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from nsmodels.core.errors import InputError, near
from nsmodels.formats.scenes.facts import ScenePredicates
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.config import LearnConfig
from nsmodels.logic.learning import Learnt, learn
from nsmodels.logic.literals import Scene, gather, packed, table
from nsmodels.logic.program import read
from nsmodels.logic.syntax import Program
from nsmodels.scenery.rule_learning import examples
from nsmodels.scenery.rule_learning.measuring import Agreement, predicted
from nsmodels.scenery.rule_learning.seeing import Perceive, SeenScenes, as_stated


@dataclass(frozen=True)
class LearntRules:
    """Rules for some targets.

    Attributes:
        learnt: by target.
        agreements: labels of the rules against those of held-out scenes, by target.
        declarations: of a rule file over the vocabulary of the scenes.
        about: where they were learnt.
    """

    learnt: dict[str, Learnt]
    agreements: dict[str, Agreement]
    declarations: str
    about: str

    def text(self) -> str:
        """The rules, each target with its scores on held-out scenes."""
        lines = []
        for target, found in self.learnt.items():
            score = self.agreements[target]
            lines.append(f"# {target}: {len(found.clauses)} rules, {found.bits_saved:,.0f} bits saved; {score.text()}")
            lines += map(str, found.rules(target)) if found.clauses else ["# no rule saves anything"]
        return "\n".join(lines)

    def rule_file(self) -> str:
        """The rules as a rule file with its declarations."""
        rules = {target: found.rules(target) for target, found in self.learnt.items()}
        heads = dict.fromkeys(rule.head.predicate for each in rules.values() for rule in each)
        own = f"concept {', '.join(heads)}: object.\n" if heads else ""
        return f"# {self.about}\nnote 'learnt from data'.\n\n{self.declarations}{own}\n{self.text()}\n"


@dataclass(frozen=True)
class Source:
    """Scenes to learn from.

    Attributes:
        folder: has `sceneGraphs/`.
        vocabulary: of the graphs.
        splits: to learn from, and to score on.
        most: scenes of a split, at most.
        perceive: what a model sees in the images of graphs; None: the facts are those of the graphs.
    """

    folder: Path
    vocabulary: SceneVocabulary
    splits: tuple[str, str] = ("train", "val")
    most: int | None = None
    perceive: Perceive | None = None

    def path(self, place: int) -> Path:
        """The file of graphs of a split."""
        return self.folder / examples.GRAPHS.format(self.splits[place])

    def read(self, place: int) -> SeenScenes:
        """The graphs of a split with what is seen of them."""
        graphs = examples.read_graphs(self.path(place), self.most)
        predicates = ScenePredicates(self.vocabulary)
        return SeenScenes(
            graphs, self.perceive(graphs) if self.perceive else [as_stated(g, predicates) for g in graphs]
        )


def learn_from_folder(
    source: Source, targets: Sequence[str], labels: Program | None, config: LearnConfig
) -> LearntRules:
    """Learn rules from the scenes of a dataset folder.

    Args:
        source: the scenes.
        targets: predicates of one object.
        labels: rules that derive the targets; None: the facts of the graphs state them.
        config: limits of the search.

    Raises `InputError` for missing files, and for a target that no example has.
    """
    seen, held_out = source.read(0), source.read(1)
    true, true_held_out = (examples.scenes_of(each.graphs, source.vocabulary) for each in (seen, held_out))
    predicates = ScenePredicates(source.vocabulary)
    literals, gathered = table(seen.scenes, config.min_examples), gather(held_out.scenes)
    learnt, agreements = {}, {}
    for target in targets:
        own = seen.labels(_labels(target, labels, true, str(source.path(0))))
        learnt[target] = learn(literals.without([target]), packed(own), config)
        found = predicted(learnt[target], gathered)
        agreements[target] = held_out.agreement(found, _held_out(target, labels, true_held_out))
    about = f"Learnt from {len(true):,} scenes of {source.path(0)}, "
    about += f"scored on {len(true_held_out):,} of {source.path(1).name}."
    return LearntRules(learnt, agreements, _without(predicates.declarations(), targets, predicates), about)


def _labels(target: str, program: Program | None, scenes: Sequence[Scene], where: str) -> Bool[np.ndarray, " objects"]:
    if program is not None:
        if program.arities.get(target) != 1:
            unary = [name for name, arity in program.arities.items() if arity == 1]
            raise InputError(f"{program.file}: no predicate '{target}' of one object{near(target, unary)}")
        found = examples.derived(program, target, scenes)
    else:
        found = examples.stated(target, scenes)
    if not found.any():
        known = {name for scene in scenes for name, values in scene.facts if len(values) == 1}
        remedy = near(target, known) if program is None else ""
        raise InputError(f"{where}: no object is '{target}'{remedy or '; give --rules that derive it, or more scenes'}")
    return found


def _held_out(target: str, program: Program | None, scenes: Sequence[Scene]) -> Bool[np.ndarray, " objects"]:
    return examples.derived(program, target, scenes) if program else examples.stated(target, scenes)


def program_of(learnt: Mapping[str, Learnt], predicates: ScenePredicates) -> Program:
    """The program of learnt rules, by target, over the vocabulary of their scenes."""
    rules = {target: found.rules(target) for target, found in learnt.items()}
    heads = dict.fromkeys([*learnt, *(rule.head.predicate for each in rules.values() for rule in each)])
    declared = _without(predicates.declarations(), list(learnt), predicates)
    lines = [f"concept {', '.join(heads)}: object.", *(str(rule) for each in rules.values() for rule in each)]
    return read(declared + "\n".join(lines), "learnt rules")


def _without(declared: str, targets: Sequence[str], predicates: ScenePredicates) -> str:
    """Declarations without those of the targets, which are declared with the other heads."""
    lines = []
    for line in declared.splitlines():
        start, colon, kinds = line.removesuffix(".").partition(":")
        keyword, _, names = start.partition(" ")
        kept = [name for name in names.split(", ") if keyword != "concept" or name not in targets]
        lines += [f"{keyword} {', '.join(kept)}{colon}{kinds}."] if kept else []
    return "\n".join(lines) + "\n"
