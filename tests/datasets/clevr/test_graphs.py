"""Scenes of CLEVR as scene graphs: boxes against the ray caster, relations as stated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.graphs import VOCABULARY, each_graph, scene_graph, solid_box
from nsmodels.datasets.clevr.rendering import caster
from nsmodels.datasets.clevr.rendering.camera import FOCAL_PER_WIDTH
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.datasets.clevr.rendering.shapes import object_table
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
WIDTH, HEIGHT = 240, 160


def test_boxes_are_those_of_the_solids_in_the_picture() -> None:
    errors = []
    for number in range(12):
        scene, camera, _ = sample_scene(scene_generator(3, "train", number), "train", number, WIDTH, HEIGHT)
        for thing in scene["objects"]:
            eye, focal = np.asarray(camera.position, float), FOCAL_PER_WIDTH * WIDTH
            alone = caster._first_seen(object_table([thing]), eye, camera.axes, focal, WIDTH, HEIGHT) == 0
            rows, columns = np.nonzero(alone)
            box = solid_box(thing, (WIDTH, HEIGHT))
            seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            stated = np.array([box.x, box.y, box.x + box.w, box.y + box.h]).clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
            errors += (seen - stated).tolist()
    assert np.abs(errors).mean() < 1.0
    assert np.abs(errors).max() <= 4  # rounded edges, the camera's jitter, whole pixels


def test_graphs_of_official_scenes_state_what_the_scenes_state() -> None:
    scenes = json.loads((OFFICIAL / "scenes" / "CLEVR_val_scenes.json").read_text())["scenes"]
    graphs = list(each_graph(OFFICIAL, "val"))
    assert len(graphs) == len(scenes) > 0
    for scene, (path, graph) in zip(scenes, graphs, strict=True):
        assert path.name == graph.image == scene["image_filename"]
        assert (graph.width, graph.height) == (480, 320)
        for number, (thing, solid) in enumerate(zip(graph, scene["objects"], strict=True)):
            assert (thing.name, *thing.attributes) == tuple(solid[k] for k in ("shape", "size", "color", "material"))
            x, y = solid["pixel_coords"][:2]
            assert thing.box.x < x < thing.box.x + thing.box.w
            assert thing.box.y < y < thing.box.y + thing.box.h
            stated = {(name, str(k)) for name, rows in scene["relationships"].items() for k, row in enumerate(rows)
                      if number in row}  # fmt: skip
            assert {(each.name, each.target) for each in thing.relations} == stated


def test_a_depth_that_is_not_stated_is_that_of_the_usual_camera() -> None:
    scene, _, _ = sample_scene(scene_generator(3, "train", 0), "train", 0)
    for thing in scene["objects"]:
        flat = thing | {"pixel_coords": thing["pixel_coords"][:2]}
        one, other = solid_box(thing, (480, 320)), solid_box(flat, (480, 320))
        assert other.w == pytest.approx(one.w, rel=0.12)
    scene["objects"][0]["pixel_coords"] = [10, 10, -3.0]
    with pytest.raises(InputError, match=r"train_000000.png: objects\[0\]: field 'pixel_coords': depth -3.00"):
        scene_graph(scene, (480, 320))


def test_the_vocabulary_states_its_functions_in_a_file(tmp_path: Path) -> None:
    VOCABULARY.write(tmp_path)
    assert SceneVocabulary.read(tmp_path) == VOCABULARY
    SceneVocabulary(("dog",)).write(tmp_path)
    assert "functions" not in json.loads((tmp_path / "vocabulary.json").read_text())
