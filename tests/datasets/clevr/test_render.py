from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.rendering.camera import Camera
from nsmodels.datasets.clevr.rendering.lighting import LAMP_POSITIONS
from nsmodels.datasets.clevr.rendering.render import render, render_split
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.datasets.clevr.rendering.shapes import MISS, hit, nearest, normal, object_table

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
LAMPS = np.asarray(LAMP_POSITIONS)

# Official image → its camera, from its pixel coordinates, and its lamp jitter, fitted to its pixels.
FITTED = json.loads((Path(__file__).parent / "fitted_lamps.json").read_text())


def thing(shape: str, material: str = "rubber", color: str = "red", size: str = "large", place=(0.0, 0.0)) -> dict:
    extent = {"large": 0.7, "small": 0.35}[size]
    return {
        "color": color,
        "size": size,
        "rotation": 0.0,
        "shape": shape,
        "3d_coords": [*place, extent],
        "material": material,
    }


@pytest.mark.parametrize("name", sorted(FITTED))
def test_renders_come_close_to_official_images(name):
    scenes = json.loads((OFFICIAL / "scenes" / "CLEVR_train_scenes.json").read_text())["scenes"]
    scene = next(scene for scene in scenes if scene["image_filename"] == name)
    image = Image.open(OFFICIAL / "images" / "train" / name).convert("RGB").resize((240, 160), Image.Resampling.BOX)
    camera, jitter = Camera(tuple(FITTED[name]["camera"])), np.array(FITTED[name]["lamp_jitter"])
    ours = render(scene, camera, LAMPS + jitter, 240, 160).astype(float)
    assert np.abs(jitter).max() <= 1.05
    assert np.abs(ours - np.asarray(image)).mean() < 3.0
    assert np.abs((ours - np.asarray(image)).mean(axis=(0, 1))).max() < 1.5


@pytest.mark.parametrize("shape", ["cube", "cylinder", "sphere"])
def test_rays_meet_each_solid_at_its_exact_distance(shape):
    objects = object_table([thing(shape)])
    assert hit(objects, 0, (5.0, 0.0, 0.7), (-1.0, 0.0, 0.0)) == pytest.approx(4.3, abs=1e-3)
    assert hit(objects, 0, (0.0, 0.0, 5.0), (0.0, 0.0, -1.0)) == pytest.approx(3.6, abs=1e-3)
    assert hit(objects, 0, (5.0, 0.0, 0.7), (1.0, 0.0, 0.0)) == MISS
    assert hit(objects, 0, (5.0, 0.71, 0.7), (-1.0, 0.0, 0.0)) == MISS
    assert normal(objects, 0, (0.7, 0.0, 0.7)) == pytest.approx((1.0, 0.0, 0.0), abs=1e-6)
    assert normal(objects, 0, (0.0, 0.0, 1.4)) == pytest.approx((0.0, 0.0, 1.0), abs=1e-6)


def test_edges_of_cubes_and_cylinders_are_bevelled():
    corner = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)
    start, back = tuple(np.array([0, 0, 0.7]) + 4 * corner), tuple(-corner)
    t = hit(object_table([thing("cube")]), 0, start, back)
    assert 4 - 0.7 * np.sqrt(3) + 0.02 < t < 4 - 0.7 * np.sqrt(3) + 0.2


def test_rotation_is_taken_as_radians():
    turned = thing("cube")
    turned["rotation"] = np.pi / 4
    assert hit(object_table([turned]), 0, (5.0, 0.0, 0.7), (-1.0, 0.0, 0.0)) < 5 - 0.9


def test_the_nearest_of_two_solids_is_found_and_the_mask_respected():
    objects = object_table([thing("sphere", place=(-2.0, 0.0)), thing("sphere", place=(2.0, 0.0))])
    ray = (6.0, 0.0, 0.7), (-1.0, 0.0, 0.0)
    assert nearest(objects, -1, *ray)[0] == 1
    assert nearest(objects, 0b01, *ray)[0] == 0
    assert nearest(objects, 0, *ray)[0] == -1


def test_an_empty_studio_is_smooth_and_grey_and_an_object_casts_a_shadow():
    empty = render({"objects": []}, Camera(), LAMPS, 96, 64).astype(float)
    assert 80 < empty.mean() < 170
    assert np.ptp(empty, axis=2).max() < 25
    assert np.abs(np.diff(empty, axis=1)).max() < 8
    darker = empty - render({"objects": [thing("cylinder", color="gray")]}, Camera(), LAMPS, 96, 64)
    assert ((darker > 8).all(axis=2)).sum() > 150


@pytest.mark.parametrize("color", ["red", "green", "blue"])
def test_colours_show_in_their_channel(color):
    image = render({"objects": [thing("sphere", color=color)]}, Camera(), LAMPS, 96, 64)
    patch = image[20:26, 45:51].reshape(-1, 3).mean(axis=0)
    assert patch.argmax() == ("red", "green", "blue").index(color)


def test_metal_shows_more_contrast_than_rubber():
    contrast = {
        material: render({"objects": [thing("sphere", material, "gray")]}, Camera(), LAMPS, 120, 80)[22:36, 53:67].std()
        for material in ("rubber", "metal")
    }
    assert contrast["metal"] > 2 * contrast["rubber"]


def test_a_split_has_the_layout_of_the_release(tmp_path):
    target = render_split(tmp_path, "val", 3, seed=1, width=48, height=32, workers=1, progress=False)
    written = json.loads(target.read_text())
    assert target == tmp_path / "scenes" / "CLEVR_val_scenes.json"
    assert list(written) == ["info", "scenes"]
    assert written["info"]["split"] == "val"
    assert [scene["image_index"] for scene in written["scenes"]] == [0, 1, 2]
    assert written["scenes"][2] == sample_scene(scene_generator(1, "val", 2), "val", 2, 48, 32)[0]
    images = sorted((tmp_path / "images" / "val").iterdir())
    assert [path.name for path in images] == [f"CLEVR_val_00000{i}.png" for i in range(3)]
    with Image.open(images[0]) as image:
        assert (image.mode, image.size) == ("RGBA", (48, 32))


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    one = render_split(tmp_path / "one", "train", 5, seed=2, width=48, height=32, workers=1, progress=False)
    many = render_split(tmp_path / "many", "train", 5, seed=2, width=48, height=32, workers=3, progress=False)
    assert one.read_bytes() == many.read_bytes()
    for path in (tmp_path / "one" / "images" / "train").iterdir():
        assert path.read_bytes() == (tmp_path / "many" / "images" / "train" / path.name).read_bytes()


def test_a_resumed_split_mends_what_is_missing_or_broken_and_keeps_the_rest(tmp_path):
    def make(seed: int) -> dict[str, bytes]:
        render_split(tmp_path, "train", 4, seed=seed, width=48, height=32, workers=1, progress=False)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    folder = tmp_path / "images" / "train"
    whole = make(3)
    kept, cut, gone = (folder / f"CLEVR_train_00000{i}.png" for i in range(3))
    before = kept.stat().st_mtime_ns
    cut.write_bytes(cut.read_bytes()[:-20])
    gone.unlink()
    assert make(3) == whole
    assert kept.stat().st_mtime_ns == before
    assert all(after != whole[name] for name, after in make(4).items())


def test_an_impossible_split_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="at least 1 scene"):
        render_split(tmp_path, "train", 0, seed=0)


def test_progress_is_plain_lines_without_a_terminal(tmp_path, capsys):
    render_split(tmp_path, "train", 2, seed=0, width=32, height=24, workers=1)
    assert "rendering train: 2 of 2 images" in capsys.readouterr().err
