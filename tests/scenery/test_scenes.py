"""Scenes: reproducible, disjoint, with boxes, relations and words that agree with the picture."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import Box, Relation, as_json, read_graph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import SPLITS, ScenerySettings
from nsmodels.scenery.drawing import draw, paint
from nsmodels.scenery.scenes import Scene, look
from nsmodels.scenery.words import vocabulary
from nsmodels.scenery.writing import write_scenes, write_split
from tests.scenery.samples import scenes


def test_files_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    settings = ScenerySettings(width=112, height=84, max_things=5)
    graphs = [write_split(tmp_path / str(count), "val", 60, settings, count, seed=3) for count in (0, 2)]
    assert graphs[0] == graphs[1]
    names = [sorted(path.name for path in (tmp_path / count / "images").iterdir()) for count in "02"]
    assert names[0] == names[1] == sorted(f"{graph.image}.jpg" for graph in graphs[0])
    for name in names[0]:
        assert (tmp_path / "0" / "images" / name).read_bytes() == (tmp_path / "2" / "images" / name).read_bytes()
    write_scenes([(tmp_path / "again.jpg", compose(3, "val", 41, settings))])
    assert (tmp_path / "again.jpg").read_bytes() == (
        tmp_path / "0" / "images" / f"{graphs[0][41].image}.jpg"
    ).read_bytes()


def test_splits_and_seeds_share_nothing() -> None:
    found = [compose(seed, split, index) for seed in (0, 1) for split in SPLITS for index in range(8)]
    assert len({draw(scene, 56, 42).tobytes() for scene in found}) == len(found)
    ids = [scene.image for scene in found[: len(found) // 2]]
    assert len(set(ids)) == len(ids)
    assert all(image.isdigit() and str(int(image)) == image for image in ids)


def test_boxes_are_tight_on_what_can_be_seen() -> None:
    for scene in scenes("train", 20):
        for item in scene.items:
            changed = _difference(scene, item.id)
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            box = scene.graph.by_id[item.id].box
            found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            stated = (box.x, box.y, box.x + box.w, box.y + box.h)
            assert np.abs(np.subtract(found, stated)).max() <= 3, (item, found, stated)


def _difference(scene: Scene, thing: str) -> np.ndarray:
    """Pixels that change clearly when a thing is left out, on a ground of a colour that nothing has."""
    pictures = []
    for items in (scene.items, tuple(item for item in scene.items if item.id != thing)):
        image = Image.new("RGB", (scene.settings.width, scene.settings.height), (0, 255, 200))
        paint(image, items, has_shadows=False)
        pictures.append(np.asarray(image).astype(int))
    return np.abs(pictures[0] - pictures[1]).max(2) > 50


def test_everything_stated_can_be_seen() -> None:
    for scene in scenes("train", 300):
        assert len(scene.items) >= scene.settings.min_things
        assert {item.id for item in scene.items} == scene.graph.by_id.keys()
        assert min(seen.share for seen in scene.seen.values()) >= scene.settings.least_visible
        assert min(max(thing.box.w, thing.box.h) for thing in scene.graph) >= 16
        shown = look(scene.items, 160, 120)
        assert min(max(seen.box.w, seen.box.h) if seen.box else 0 for seen in shown.values()) >= 11


def test_left_and_right_follow_the_rule_of_the_release() -> None:
    num = 0
    for scene in scenes("train", 300):
        graph = scene.graph
        stated = {(a.id, each.name, each.target) for a in graph for each in a.relations}
        for a, b in permutations(graph, 2):
            gap = b.box.x - a.box.x - a.box.w
            rows_a, rows_b = (set(range(each.box.y, each.box.y + each.box.h)) for each in (a, b))
            is_left = 0 <= gap <= graph.width / 4 and len(rows_a & rows_b) >= 0.55 * min(len(rows_a), len(rows_b))
            assert ((a.id, "to the left of", b.id) in stated) == is_left
            assert ((b.id, "to the right of", a.id) in stated) == is_left
            num += is_left
    assert num > 300


def test_inverses_are_stated_and_depth_follows_the_ground() -> None:
    inverses = vocabulary().inverses
    for scene in scenes("train", 300):
        by_id = {item.id: item for item in scene.items}
        for thing in scene.graph:
            for relation in thing.relations:
                target = scene.graph.by_id[relation.target]
                inverse = inverses.get(relation.name)
                assert inverse is None or Relation(inverse, thing.id) in target.relations
                if relation.name == "in front of":
                    assert by_id[thing.id].baseline > by_id[target.id].baseline
                    assert _common(thing.box, target.box) > 0
                if relation.name in ("on", "riding"):
                    assert thing.box.centre[1] < target.box.centre[1]


def _common(first: Box, second: Box) -> int:
    across = min(first.x + first.w, second.x + second.w) - max(first.x, second.x)
    return max(0, across) * max(0, min(first.y + first.h, second.y + second.h) - max(first.y, second.y))


def test_graphs_use_the_words_and_survive_the_released_form(tmp_path: Path) -> None:
    vocabulary().write(tmp_path)
    words = SceneVocabulary.read(tmp_path)
    assert words == vocabulary()
    for scene in scenes("train", 300):
        graph = scene.graph
        assert read_graph(graph.image, as_json(graph), "here") == graph
        assert graph.location in words.locations
        assert (graph.weather in words.weathers) != (graph.location in ("kitchen", "living room"))
        for thing in graph:
            assert thing.name in words.names
            types = [words.type_of[value] for value in thing.attributes]
            assert len(types) == len(set(types))
            assert {relation.name for relation in thing.relations} <= set(words.relations)


def test_the_vocabulary_is_large_and_sound() -> None:
    words = vocabulary()
    values = [value for values in words.attributes.values() for value in values]
    assert len(words.names) >= 150
    assert len(words.categories) >= 22
    assert len(words.relations) >= 8
    assert len(values) == len(set(values)) == len(words.type_of)
    assert all(words.inverses[inverse] == name for name, inverse in words.inverses.items())
    assert not set(words.names) & set(words.categories)
    assert words.is_a("dog", "mammals")
    assert words.is_a("mouse", "mice")
    assert not words.is_a("dog", "vehicle")


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match=r"split 'trian': unknown.*did you mean train"):
        compose(0, "trian", 0)
    with pytest.raises(InputError, match="from 0 to 999,999"):
        compose(0, "train", 1_000_000)
    with pytest.raises(InputError, match="min_things=9 is above max_things=3"):
        ScenerySettings.from_mapping({"min_things": 9, "max_things": 3})
