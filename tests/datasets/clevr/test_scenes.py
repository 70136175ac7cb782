from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nsmodels.datasets.clevr import vocabulary
from nsmodels.datasets.clevr.rendering.camera import project
from nsmodels.datasets.clevr.rendering.caster import visible_pixels
from nsmodels.datasets.clevr.rendering.scenes import DIRECTIONS, relationships, sample_scene, scene_generator
from nsmodels.datasets.clevr.rendering.shapes import HALF_EXTENT, object_table

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
OFFICIAL_SCENES = [
    scene
    for split in ("train", "val")
    for scene in json.loads((OFFICIAL / "scenes" / f"CLEVR_{split}_scenes.json").read_text())["scenes"]
]


@cache
def samples():
    """Forty scenes, sampled by the first test that looks at them."""
    return [sample_scene(scene_generator(7, "train", index), "train", index) for index in range(40)]


@pytest.mark.parametrize("scene", OFFICIAL_SCENES, ids=lambda scene: scene["image_filename"])
def test_relationships_equal_the_official_ones(scene):
    assert relationships([thing["3d_coords"] for thing in scene["objects"]]) == scene["relationships"]
    assert scene["directions"] == DIRECTIONS


def test_relations_need_more_than_the_margin():
    behind = np.array(DIRECTIONS["behind"])
    assert relationships([np.zeros(3), 0.19 * behind])["behind"] == [[], []]
    assert relationships([np.zeros(3), 0.21 * behind])["behind"] == [[1], []]


def test_a_scene_has_the_keys_and_types_of_the_release_in_their_order():
    official, (scene, _, _) = OFFICIAL_SCENES[0], samples()[0]
    assert list(scene) == list(official)
    assert list(scene["relationships"]) == list(official["relationships"])
    for thing in scene["objects"]:
        assert list(thing) == list(official["objects"][0])
        assert [type(value) for value in thing["pixel_coords"]] == [int, int, float]
        assert thing["3d_coords"][2] == pytest.approx(HALF_EXTENT[thing["size"]])
        assert thing["3d_coords"] == np.float32(thing["3d_coords"]).astype(float).tolist()
        assert 0 <= thing["rotation"] < 360
        for name, values in vocabulary.ATTRIBUTES.items():
            assert thing[name] in values
    assert json.loads(json.dumps(scene)) == scene


def test_objects_keep_their_distances_and_stay_visible():
    for scene, camera, _ in samples():
        things = scene["objects"]
        assert 3 <= len(things) <= 10
        coords = np.array([thing["3d_coords"] for thing in things])
        assert np.abs(coords[:, :2]).max() <= 3
        for i in range(len(things)):
            for j in range(i):
                apart = coords[i, :2] - coords[j, :2]
                assert np.hypot(*apart) - coords[i, 2] - coords[j, 2] >= 0.25 - 1e-6
                for name in ("right", "behind"):
                    assert abs(apart @ np.array(DIRECTIONS[name])[:2]) >= 0.4 - 1e-6
        # 200 pixels are asked for; they are counted on a coarser grid, hence the slack.
        assert visible_pixels(object_table(things), camera, 480, 320).min() >= 170


def test_every_pair_is_related_one_way_or_the_other():
    for scene, _, _ in samples():
        relations = scene["relationships"]
        for first, second in (("left", "right"), ("front", "behind")):
            for i in range(len(scene["objects"])):
                assert sorted(relations[first][i] + relations[second][i] + [i]) == list(range(len(scene["objects"])))


def test_pixel_coords_are_those_of_the_returned_camera():
    scene, camera, _ = samples()[3]
    pixels = project([thing["3d_coords"] for thing in scene["objects"]], camera, 480, 320)
    written = np.array([thing["pixel_coords"] for thing in scene["objects"]])
    assert (np.round(pixels[:, :2]) == written[:, :2]).all()
    np.testing.assert_allclose(pixels[:, 2], written[:, 2])


def test_the_same_seed_gives_the_same_scene_and_no_other_stream_repeats_it():
    first = json.dumps(sample_scene(scene_generator(1, "train", 5))[0]["objects"])
    assert first == json.dumps(sample_scene(scene_generator(1, "train", 5))[0]["objects"])
    others = [(1, "val", 5), (1, "train", 6), (2, "train", 5)]
    assert all(json.dumps(sample_scene(scene_generator(*key))[0]["objects"]) != first for key in others)


def test_attributes_and_counts_cover_their_ranges():
    things = [thing for scene, _, _ in samples() for thing in scene["objects"]]
    for name, values in vocabulary.ATTRIBUTES.items():
        assert {thing[name] for thing in things} == set(values)
    assert len({len(scene["objects"]) for scene, _, _ in samples()}) >= 6
