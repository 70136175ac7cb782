"""Pictures of scenes: things are where they are, look as they are, and each clip is drawn for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.datasets.impacts.config import ImpactsConfig
from nsmodels.datasets.impacts.generation import scenes_of
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.rendering.camera import circle
from nsmodels.datasets.impacts.rendering.render import render
from nsmodels.datasets.impacts.scenes import BALL, PLATE, Motion, Scenes

NUM = 40
LAST = -1


@pytest.fixture(scope="module")
def clips() -> tuple[Scenes, Motion]:
    scenes = scenes_of(ImpactsConfig(), "train", np.arange(NUM))
    scenes = replace(scenes, has_neighbour=np.zeros(NUM, bool), has_water=np.zeros(NUM, bool))
    return scenes, simulate(scenes)


def without_objects(scenes: Scenes, motion: Motion) -> np.ndarray:
    """Pictures of the same clips from which the object is far away."""
    return render(scenes, replace(motion, position=motion.position + np.array((0.0, 50.0, 0.0))))


def test_an_object_appears_where_the_camera_projects_it(clips: tuple[Scenes, Motion]) -> None:
    scenes, motion = clips
    moved = replace(
        scenes, objects=replace(scenes.objects, transparency=np.zeros(NUM), colour=np.tile((1, 0, 0), (NUM, 1)))
    )
    moved = replace(moved, objects=replace(moved.objects, painted=np.ones(NUM, bool)))
    picture = render(moved, replace(motion, tool=np.zeros_like(motion.tool)))[:, LAST].astype(float)
    is_red = picture[..., 0] - picture[..., 1:].max(axis=-1) > 60
    seen = 0
    for i in range(NUM):
        place, size = motion.position[i, LAST], np.linalg.norm(scenes.objects.extents[i]) / 2
        x, y, radius = circle(*place.tolist(), float(size))
        if 10 < x < 54 and 10 < y < 54:
            rows, columns = np.nonzero(is_red[i])
            assert np.hypot(columns.mean() + 0.5 - x, rows.mean() + 0.5 - y) < 2.5, i
            assert np.hypot(columns + 0.5 - x, rows + 0.5 - y).max() < radius + 1, i
            seen += 1
    assert seen > NUM / 2


def test_larger_objects_cover_more_and_clear_ones_show_what_is_behind(clips: tuple[Scenes, Motion]) -> None:
    scenes, motion = clips
    rows = np.flatnonzero(np.isin(scenes.objects.shape, (PLATE, BALL)))
    scenes = scenes.take(rows)
    motion = simulate(scenes)
    objects = replace(scenes.objects, transparency=np.zeros(len(rows)))
    empty = without_objects(scenes, motion)[:, LAST].astype(int)

    def difference(objects) -> np.ndarray:
        return np.abs(render(replace(scenes, objects=objects), motion)[:, LAST].astype(int) - empty).mean(
            axis=(1, 2, 3)
        )

    opaque = difference(objects)
    assert (difference(replace(objects, extents=1.5 * objects.extents)) > opaque).mean() > 0.8
    dark = replace(objects, colour=np.zeros((len(rows), 3)))
    clear, whole = difference(replace(dark, transparency=np.full(len(rows), 0.9))), difference(dark)
    assert (clear <= 0.75 * whole).all()
    assert (clear > 0).sum() > len(rows) / 2


def test_a_picture_follows_from_its_own_clip(clips: tuple[Scenes, Motion]) -> None:
    scenes, motion = clips
    video, rows = render(scenes, motion), np.array([31, 3])
    np.testing.assert_array_equal(render(scenes.take(rows), simulate(scenes.take(rows))), video[rows])
    warm = replace(scenes, objects=replace(scenes.objects, temperature=scenes.objects.temperature + 30))
    np.testing.assert_array_equal(render(warm, motion), video)


def test_only_what_the_hand_does_not_hide_is_still(clips: tuple[Scenes, Motion]) -> None:
    scenes, motion = clips
    empty = without_objects(scenes, replace(motion, tool=np.zeros_like(motion.tool), tilt=np.zeros_like(motion.tilt)))
    spread = empty.astype(float).std(axis=1)
    assert 0 < spread.mean() < 6
    hands = without_objects(scenes, replace(motion, tilt=np.zeros_like(motion.tilt)))
    assert (np.abs(hands[:, 0].astype(int) - empty[:, 0]).max(axis=(1, 2, 3)) > 40).all()
