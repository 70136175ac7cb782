"""Examples to learn from: scene graphs of a folder as facts, and the labels of their objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.facts import ScenePredicates, constant_of
from nsmodels.formats.scenes.graphs import SceneGraph, read_graph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.chaining import GIVEN, chain
from nsmodels.logic.literals import Scene
from nsmodels.logic.syntax import Program

GRAPHS = "sceneGraphs/{}_sceneGraphs.json"  # in a dataset folder, by split


def read_graphs(path: Path, most: int | None = None) -> list[SceneGraph]:
    """The first scene graphs of a released file. Raises `InputError` for a file that is missing or malformed."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; expected scene graphs of a dataset as GQA's or its twin") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); expected the scene graphs of a dataset") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: expected an object with a scene graph per image, got {type(document).__name__}")
    return [read_graph(image, document[image], str(path)) for image in list(document)[:most]]


def vocabulary_beside(path: Path) -> SceneVocabulary | None:
    """The vocabulary of the dataset folder that a file of scene graphs is in; None where there is none."""
    folders = (each for each in list(path.resolve().parents)[:2] if (each / "vocabulary.json").exists())
    folder = next(folders, None)
    return SceneVocabulary.read(folder) if folder else None


def scene_of(graph: SceneGraph, predicates: ScenePredicates) -> Scene:
    """A scene graph as facts on objects."""
    return Scene(tuple(map(constant_of, graph)), frozenset(predicates.facts(graph)))


def scenes_of(graphs: Iterable[SceneGraph], vocabulary: SceneVocabulary) -> list[Scene]:
    """Scene graphs as facts on objects."""
    predicates = ScenePredicates(vocabulary)
    return [scene_of(graph, predicates) for graph in graphs]


def stated(target: str, scenes: Sequence[Scene]) -> Bool[np.ndarray, " objects"]:
    """Whether the facts of a scene state the target of each object, objects of all scenes in order."""
    return np.array([(target, (each,)) in scene.facts for scene in scenes for each in scene.objects], bool)


def derived(program: Program, target: str, scenes: Sequence[Scene]) -> Bool[np.ndarray, " objects"]:
    """Whether rules derive the target of each object with certainty, objects of all scenes in order."""
    return np.logical_or.reduce(list(derived_by_rule(program, target, scenes).values()))


def derived_by_rule(program: Program, target: str, scenes: Sequence[Scene]) -> dict[int, Bool[np.ndarray, " objects"]]:
    """The objects that each rule for the target derives it of with certainty, by number of the rule."""
    total = sum(len(scene.objects) for scene in scenes)
    numbers = [number for number, rule in enumerate(program.rules) if rule.head.predicate == target]
    found = {number: np.zeros(total, bool) for number in numbers or [GIVEN]}
    first = 0
    for scene in scenes:
        facts = {fact: 1.0 for fact in scene.facts if fact[0] in program.arities}
        grounding = chain(program, facts, target)
        for place, each in enumerate(scene.objects):
            fact = (target, (each,))
            for derivation in grounding.derivations[fact] if fact in grounding.certain else ():
                if derivation.probability >= 1 and derivation.rule in found:
                    found[derivation.rule][first + place] = True
        first += len(scene.objects)
    return found
