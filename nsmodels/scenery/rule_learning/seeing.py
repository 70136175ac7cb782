"""Scenes as a trained perception sees them, with the labels of the true objects that its objects are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from nsmodels.formats.scenes.facts import OBJECT, Fact, ScenePredicates, constant_of
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.perceived import PerceivedScene, matches
from nsmodels.logic.literals import Scene
from nsmodels.scenery.rule_learning.measuring import Agreement, Labels

Perceive = Callable[[Sequence[SceneGraph]], list[PerceivedScene]]
NONE = -1


@dataclass(frozen=True)
class SeenScenes:
    """Scene graphs with what is perceived in their images.

    Attributes:
        graphs: the truth.
        seen: what is perceived, with probabilities.
    """

    graphs: Sequence[SceneGraph]
    seen: Sequence[PerceivedScene]

    @cached_property
    def scenes(self) -> list[Scene]:
        """The objects and facts that are more likely than not."""
        return [_scene(each) for each in self.seen]

    @cached_property
    def pairs(self) -> list[dict[str, str]]:
        """By scene, the true object of each perceived one, where there is one."""
        return [
            {str(each): str(each) for each in likely.objects}
            if scene.boxes == _boxes(graph)
            else matches({each: scene.boxes[str(each)] for each in likely.objects}, _boxes(graph))  # type: ignore[misc]
            for graph, scene, likely in zip(self.graphs, self.seen, self.scenes, strict=True)
        ]

    @cached_property
    def places(self) -> Int[np.ndarray, " objects"]:
        """Of each perceived object, objects of all scenes in order, the place of its true one among all; else -1."""
        found, first = [], 0
        for graph, scene, pairs in zip(self.graphs, self.scenes, self.pairs, strict=True):
            place = {constant_of(thing): first + k for k, thing in enumerate(graph)}
            found += [place[pairs[each]] if each in pairs else NONE for each in map(str, scene.objects)]
            first += len(place)
        return np.array(found, int)

    def first(self, number: int) -> SeenScenes:
        """The first scenes."""
        return SeenScenes(self.graphs[:number], self.seen[:number])

    def labels(self, truth: Labels) -> Labels:
        """Of each perceived object the label of its true one; False where it has none."""
        return (self.places != NONE) & truth[self.places] if len(self.places) else np.zeros(0, bool)

    def agreement(self, found: Labels, truth: Labels) -> Agreement:
        """Labels found on perceived objects against those of the true ones; what is missed counts as not found."""
        return Agreement(int((found & self.labels(truth)).sum()), int(found.sum()), int(truth.sum()))

    def facts_right(self, predicates: ScenePredicates) -> Agreement:
        """Likely facts that are true, of all found and of all true ones; that something is an object is no fact."""
        total = Agreement(0, 0, 0)
        for graph, scene, pairs in zip(self.graphs, self.scenes, self.pairs, strict=True):
            true = {fact for fact in predicates.facts(graph) if fact[0] != OBJECT}
            found = [fact for fact in scene.facts if fact[0] != OBJECT]
            right = sum(_translated(fact, pairs, scene) in true for fact in found)
            total += Agreement(right, len(found), len(true))
        return total


def as_stated(graph: SceneGraph, predicates: ScenePredicates) -> PerceivedScene:
    """A scene graph as if it were perceived, without error."""
    return PerceivedScene(dict.fromkeys(predicates.facts(graph), 1.0), _boxes(graph))


def _scene(seen: PerceivedScene) -> Scene:
    likely = seen.likely()
    objects = [each for each in seen.boxes if (OBJECT, (each,)) in likely]
    absent = seen.boxes.keys() - set(objects)
    return Scene(tuple(objects), frozenset(fact for fact in likely if absent.isdisjoint(fact[1])))


def _boxes(graph: SceneGraph) -> dict[str, tuple[float, float, float, float]]:
    return {constant_of(each): (each.box.x, each.box.y, each.box.w, each.box.h) for each in graph}


def _translated(fact: Fact, pairs: dict[str, str], scene: Scene) -> Fact:
    """The fact about true objects; one about an object that is none stays about it, and so is not true."""
    mine = set(map(str, scene.objects))
    return fact[0], tuple(pairs.get(each, f"no {each}") if each in mine else each for each in fact[1])
