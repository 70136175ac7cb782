from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares

from nsmodels.datasets.clevr.rendering.camera import (
    BASE_POSITION,
    JITTER,
    Camera,
    project,
    sample_camera,
    unproject,
    unproject_to_height,
)

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
SCENES = [
    scene
    for split in ("train", "val")
    for scene in json.loads((OFFICIAL / "scenes" / f"CLEVR_{split}_scenes.json").read_text())["scenes"]
]


def fitted_camera(scene: dict) -> Camera:
    """The camera that explains the pixel coordinates and depths of an official scene best."""
    coords = [thing["3d_coords"] for thing in scene["objects"]]
    pixels = np.array([thing["pixel_coords"] for thing in scene["objects"]])
    weights = np.array([0.1, 0.1, 30.0])
    fit = least_squares(
        lambda p: ((project(coords, Camera(tuple(p)), 480, 320) - pixels) * weights).ravel(), BASE_POSITION
    )
    return Camera(tuple(fit.x))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene["image_filename"])
def test_a_jitter_within_bounds_reproduces_every_official_pixel_coordinate(scene):
    camera = fitted_camera(scene)
    assert np.abs(np.subtract(camera.position, BASE_POSITION)).max() <= JITTER
    expected = np.array([thing["pixel_coords"] for thing in scene["objects"]])
    found = project([thing["3d_coords"] for thing in scene["objects"]], camera, 480, 320)
    assert (np.round(found[:, :2]) == expected[:, :2]).all()
    np.testing.assert_allclose(found[:, 2], expected[:, 2], atol=2e-3)


def test_unproject_inverts_project():
    rng = np.random.default_rng(0)
    coords = rng.uniform(-3, 3, (50, 3))
    camera = sample_camera(rng)
    np.testing.assert_allclose(unproject(project(coords, camera, 480, 320), camera, 480, 320), coords, atol=1e-9)


def test_unproject_to_height_finds_the_point_of_known_height():
    coords = np.array([[1.0, -2.0, 0.7], [-2.5, 0.3, 0.35]])
    pixels = project(coords, Camera(), 128, 96)[:, :2]
    np.testing.assert_allclose(unproject_to_height(pixels, coords[:, 2], Camera(), 128, 96), coords, atol=1e-9)


def test_the_camera_looks_at_the_origin_with_z_upwards():
    pixels = project([[0, 0, 0], [0, 0, 1]], Camera(), 480, 320)
    np.testing.assert_allclose(pixels[0], [240, 160, float(np.linalg.norm(BASE_POSITION))], atol=1e-9)
    assert pixels[1, 0] == pytest.approx(240)
    assert pixels[1, 1] < 160


def test_horizontal_field_of_view_does_not_depend_on_the_aspect():
    wide, tall = project([[1, 1, 0]], Camera(), 480, 320)[0], project([[1, 1, 0]], Camera(), 480, 360)[0]
    assert wide[0] == tall[0]
    assert tall[1] - wide[1] == pytest.approx(20)


def test_sampled_cameras_stay_within_the_jitter():
    rng = np.random.default_rng(3)
    offsets = np.array([sample_camera(rng).position for _ in range(200)]) - BASE_POSITION
    assert np.abs(offsets).max() <= JITTER
    assert offsets.min() < -0.45
    assert offsets.max() > 0.45
