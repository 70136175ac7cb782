"""Edits: one fact changes, and nothing else, in the graph and in the picture."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.scenery.drawing import draw
from nsmodels.scenery.edits import KINDS, MOVE, RECOLOUR, REMOVE, SWAP, Edited, edits, recolour, remove
from nsmodels.scenery.scenes import Scene
from nsmodels.scenery.words import COLORS
from tests.scenery.samples import scenes

Fact = tuple[str, ...]


@cache
def found_edits() -> list[tuple[Scene, Edited]]:
    """Scenes with an edit of each; in a function, for every process of the suite imports this file."""
    return [(scene, edited) for scene in scenes("train", 30) for edited in edits(scene, 0)]


def facts(graph: SceneGraph) -> set[Fact]:
    """Everything that a graph states, boxes aside."""
    stated: set[Fact] = {("place", graph.location), ("weather", graph.weather)}
    for thing in graph:
        stated |= {(thing.id, "name", thing.name)} | {(thing.id, "is", value) for value in thing.attributes}
        stated |= {(thing.id, relation.name, relation.target) for relation in thing.relations}
    return stated


def changed(scene: Scene, edited: Edited) -> tuple[set[Fact], set[Fact]]:
    """Facts that an edit removed, and those that it added."""
    before, after = facts(scene.graph), facts(edited.scene.graph)
    return before - after, after - before


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_and_reproducible(kind: str) -> None:
    found = [edited for scene in scenes("train", 10) for edited in edits(scene, 4, (kind,))]
    assert found == [edited for scene in scenes("train", 10) for edited in edits(scene, 4, (kind,))]
    assert len(found) >= 10
    assert {edited.kind for edited in found} == {kind}


def test_a_recoloured_thing_differs_in_its_colour_alone() -> None:
    for scene, edited in found_edits():
        if edited.kind == RECOLOUR:
            assert edited.before != edited.after
            assert {edited.before, edited.after} <= set(COLORS)
            lost, gained = changed(scene, edited)
            assert (lost, gained) == ({(edited.thing, "is", edited.before)}, {(edited.thing, "is", edited.after)})
            assert scene.graph.by_id[edited.thing].box == edited.scene.graph.by_id[edited.thing].box


def test_a_swapped_thing_differs_in_its_name_alone() -> None:
    for scene, edited in found_edits():
        if edited.kind == SWAP:
            lost, gained = changed(scene, edited)
            assert (lost, gained) == ({(edited.thing, "name", edited.before)}, {(edited.thing, "name", edited.after)})


def test_a_removed_thing_takes_only_its_own_facts() -> None:
    for scene, edited in found_edits():
        if edited.kind == REMOVE:
            lost, gained = changed(scene, edited)
            assert not gained
            assert lost == {fact for fact in facts(scene.graph) if edited.thing in fact}


def test_a_moved_thing_changes_only_its_own_relations() -> None:
    for scene, edited in found_edits():
        if edited.kind == MOVE:
            lost, gained = changed(scene, edited)
            assert lost | gained
            assert all(edited.thing in (fact[0], fact[2]) and fact[1] not in ("name", "is") for fact in lost | gained)


def test_the_picture_changes_only_where_the_thing_is() -> None:
    counts: Counter[str] = Counter()
    for scene, edited in found_edits():
        if counts[edited.kind] < 6:
            counts[edited.kind] += 1
            differs = np.any(draw(scene) != draw(edited.scene), 2)
            assert differs.any()
            for each in (scene, edited.scene):
                item = next((item for item in each.items if item.id == edited.thing), None)
                if item:  # with the shadow beside and below it
                    left, top = int(item.left) - 2, int(item.top) - 2
                    right, bottom = round(item.left + item.width) + 3, round(item.top + 1.3 * item.height) + 6
                    differs[max(0, top) : bottom, max(0, left) : right] = False
            assert not differs.any(), edited
    assert set(counts) == set(KINDS)


def test_edited_scenes_keep_what_can_be_seen_and_have_ids_of_their_own() -> None:
    ids = {scene.image for scene, _ in found_edits()}
    for scene, edited in found_edits():
        assert edited.scene.image not in ids
        assert edited.scene.image.isdigit()
        assert len(edited.scene.image) == len(scene.image)
        assert min(seen.share for seen in edited.scene.seen.values()) >= scene.settings.least_visible


def test_what_carries_something_is_not_removed_and_natural_colours_stay() -> None:
    for scene in scenes("train", 60):
        for item in scene.items:
            if any(other.root == item.id for other in scene.items):
                assert remove(scene, item.id) is None
            if not item.tint:
                assert recolour(scene, item.id, "red") is None
