from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS
from nsmodels.systems.visual.reasoning.belief import OPPOSITE, SceneBelief, relation_probabilities
from nsmodels.systems.visual.reasoning.worlds import likely_worlds, most_likely_world, sample_world


def test_the_most_likely_scene_of_a_certain_belief_is_the_scene(official_scenes):
    for scene in official_scenes:
        again = SceneBelief.from_scene(scene).most_likely()
        for mine, theirs in zip(again["objects"], scene["objects"], strict=True):
            assert {name: mine[name] for name in ATTRIBUTES} == {name: theirs[name] for name in ATTRIBUTES}
        for name in RELATIONS:
            assert again["relationships"][name] == [sorted(row) for row in scene["relationships"][name]]


def test_relations_from_coordinates_agree_with_every_official_scene(official_scenes):
    for scene in official_scenes:
        truth = SceneBelief.from_scene(scene)
        for name, table in relation_probabilities(truth.coords).items():
            assert ((table > 0.5) == (truth.relations[name] > 0.5)).all()
            assert np.abs(table - truth.relations[name]).max() < 0.01


def test_opposite_relations_mirror_each_other():
    tables = relation_probabilities(np.random.default_rng(0).uniform(-3, 3, (6, 3)))
    for name, opposite in OPPOSITE.items():
        np.testing.assert_allclose(tables[name], tables[opposite].T)
        assert (np.diag(tables[name]) == 0).all()


def test_absent_objects_leave_the_scene_and_the_rest_is_renumbered(official_scenes):
    scene = next(s for s in official_scenes if len(s["objects"]) >= 4)
    presence = np.ones(len(scene["objects"]))
    presence[1] = 0.4
    smaller = replace(SceneBelief.from_scene(scene), presence=presence).most_likely()
    kept = [k for k in range(len(presence)) if k != 1]
    assert [o["color"] for o in smaller["objects"]] == [scene["objects"][k]["color"] for k in kept]
    for name in RELATIONS:
        expected = [[kept.index(j) for j in sorted(scene["relationships"][name][i]) if j != 1] for i in kept]
        assert smaller["relationships"][name] == expected


def test_a_belief_with_a_missing_table_is_refused(official_scenes):
    belief = SceneBelief.from_scene(official_scenes[0])
    with pytest.raises(InputError, match="`color` must be an array of shape"):
        replace(belief, attributes={**belief.attributes, "color": belief.attributes["color"][:, :7]})


def test_an_unknown_value_is_named(official_scenes):
    scene = official_scenes[0]
    objects = [{**scene["objects"][0], "color": "pink"}, *scene["objects"][1:]]
    with pytest.raises(InputError, match="`color` is 'pink'"):
        SceneBelief.from_scene({**scene, "objects": objects})


def test_sampled_worlds_follow_the_belief(official_scenes, blurred):
    belief = blurred(official_scenes[0], np.random.default_rng(0), signal=3.0)
    rng = np.random.default_rng(1)
    worlds = [sample_world(belief, rng) for _ in range(3000)]
    colors = np.stack([np.eye(8)[world.values["color"]] for world in worlds]).mean(axis=0)
    np.testing.assert_allclose(colors, belief.attributes["color"], atol=0.04)
    for name in RELATIONS:
        table = np.stack([world.relations[name] for world in worlds]).mean(axis=0)
        np.testing.assert_allclose(table, belief.relations[name], atol=0.04)


def test_likely_worlds_come_in_falling_probability_and_never_twice(official_scenes, blurred):
    belief = blurred(official_scenes[0], np.random.default_rng(3), signal=4.0)
    logs, seen = [], set()
    for world in likely_worlds(belief, {"color", "shape"}, 60):
        values = {name: world.values[name] for name in ("color", "shape")}
        chosen = [np.take_along_axis(belief.attributes[n], v[:, None], 1) for n, v in values.items()]
        here = np.where(world.present, belief.presence, 1 - belief.presence)
        logs.append(sum(np.log(p).sum() for p in chosen) + np.log(here).sum())
        seen.add((world.present.tobytes(), *(v.tobytes() for v in values.values())))
    assert len(seen) == len(logs) == 60
    assert (np.diff(logs) <= 1e-9).all()


def test_a_certain_belief_has_one_world(official_scenes):
    belief = SceneBelief.from_scene(official_scenes[0])
    (world,) = likely_worlds(belief, set(ATTRIBUTES) | set(RELATIONS), 10)
    assert (world.values["color"] == most_likely_world(belief).values["color"]).all()
