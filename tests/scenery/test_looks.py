"""Looks: priors per name, sprites kept apart, colours and pictures that can be told apart."""

from __future__ import annotations

import zipfile
from collections import Counter
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from nsmodels.scenery.catalogue import catalogue
from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.drawing import draw
from nsmodels.scenery.graphics.furniture import is_drawn
from nsmodels.scenery.graphics.tints import PALETTE, coloured, natural_color
from nsmodels.scenery.scenes import Scene
from nsmodels.scenery.words import ATTRIBUTES, COLORS, vocabulary
from tests.scenery.samples import scenes

NUM = 900
SIZE = (48, 48)


def colors(found: tuple[Scene, ...]) -> Counter[tuple[str, str]]:
    """How often tinted things of each name have each colour."""
    names = [name for name, entry in catalogue().items() if "tint" in entry.traits]
    return Counter(
        (item.name, item.tint) for scene in found for item in scene.items if item.tint and item.name in names
    )


def test_the_split_ood_has_the_reversed_prior() -> None:
    usual, reversed_ = colors(scenes("train", NUM)), colors(scenes("ood", NUM))
    most = {}
    for (name, color), count in usual.items():
        if count > usual[name, most.get(name, "")]:
            most[name] = color
    num_usual, num_reversed = usual.total(), reversed_.total()
    share = sum(usual[pair] for pair in most.items()) / num_usual
    share_reversed = sum(reversed_[pair] for pair in most.items()) / num_reversed
    assert share > 0.3  # the best guess by name; 1 of 11 where names tell nothing
    assert share_reversed < 0.08
    validation = colors(scenes("val", NUM // 3))
    assert sum(validation[pair] for pair in most.items()) / validation.total() > 0.2


def test_without_bias_names_tell_nothing() -> None:
    settings = ScenerySettings(bias=0)
    found = colors(tuple(compose(7, "train", index, settings) for index in range(250)))
    shares = [sum(n for (_, each), n in found.items() if each == color) / found.total() for color in COLORS]
    assert max(shares) < 0.14
    assert min(shares) > 0.05


def test_unseen_sprites_are_in_no_other_split() -> None:
    kept_apart = {name for name, entry in catalogue().items() if any(sprite.is_unseen for sprite in entry.sprites)}
    assert len(kept_apart) >= 20
    unseen = {(item.name, item.sprite) for scene in scenes("unseen", 400) for item in scene.items}
    others = {
        (item.name, item.sprite) for split in ("train", "val", "ood") for s in scenes(split, 300) for item in s.items
    }
    apart = {file for name, file in unseen if name in kept_apart}
    assert len({name for name, _ in unseen} & kept_apart) >= 20
    assert not apart & {file for _, file in others}
    assert all((name, file) in others for name, file in unseen if name == "man")


def test_every_name_is_drawn() -> None:
    found = Counter(thing.name for scene in scenes("train", NUM) for thing in scene.graph)
    assert found.keys() == set(vocabulary().names)
    assert max(found.values()) < 0.1 * found.total()


@pytest.mark.parametrize("tint", ["", "green"])
def test_pictures_of_different_names_differ(tint: str) -> None:
    pictures, names = [], []
    for name, entry in catalogue().items():
        if not tint or "tint" in entry.traits:
            for sprite in entry.sprites:
                ground = Image.new("RGBA", SIZE, (128, 128, 128, 255))
                ground.alpha_composite(coloured(sprite.file, tint).resize(SIZE))
                pictures.append(np.asarray(ground)[..., :3].astype(np.float32).ravel())
                names.append(name)
    blank = np.full_like(pictures[0], 128)
    for (name, picture), (other, second) in combinations(zip(names, pictures, strict=True), 2):
        if name != other and {name, other} != {"man", "woman"}:
            assert np.abs(picture - second).mean() > 5, (name, other)
    assert min(np.abs(picture - blank).mean() for picture in pictures) > 8


def test_tinted_things_have_the_colour_that_is_stated() -> None:
    palette = np.array(list(PALETTE.values()))
    for name in ("car", "elephant", "apple", "shirt", "handbag", "couch"):
        for color in COLORS:
            sprite = np.asarray(coloured(catalogue()[name].sprites[0].file, color)).astype(int)
            pixels = sprite[sprite[..., 3] > 250][:, :3]
            nearest = np.abs(pixels[:, None] - palette).sum(2).argmin(1)
            counts = np.bincount(nearest, minlength=len(COLORS))
            assert tuple(PALETTE)[counts.argmax()] == color, (name, counts)


def test_natural_colours_are_those_that_people_name() -> None:
    expected = {"lemon": "yellow", "orange": "orange", "strawberry": "red", "carrot": "orange", "pear": "green"}
    expected |= {"pig": "pink", "elephant": "gray", "tomato": "red", "eggplant": "purple", "egg": "white", "zebra": ""}
    assert {name: natural_color(catalogue()[name].sprites[0].file) for name in expected} == expected


def test_sizes_are_relative_to_the_usual_one() -> None:
    areas: dict[str, list[float]] = {"small": [], "": [], "large": []}
    for scene in scenes("train", 300):
        for item in scene.items:
            if (
                not item.root
                and not item.is_aloft
                and item.baseline > 120
                and "person" not in catalogue()[item.name].classes
            ):
                if {"tall", "short"} & set(item.attributes):
                    continue
                size = next((value for value in item.attributes if value in ATTRIBUTES["size"]), "")
                areas[size].append(max(item.width, item.height) / catalogue()[item.name].size)
    assert max(areas["small"]) < np.median(areas[""]) < min(areas["large"])


def test_facts_are_balanced() -> None:
    found = [thing for scene in scenes("train", NUM) for thing in scene.graph]
    values = Counter(value for thing in found for value in thing.attributes)
    by_type = Counter(vocabulary().type_of[value] for thing in found for value in thing.attributes)
    num_asked = by_type.total() + sum(len(thing.relations) for thing in found) + len(found)
    assert by_type["color"] >= 0.15 * num_asked
    assert max(values[color] for color in COLORS) < 0.2 * by_type["color"]
    for kind in ("pattern", "size", "pose", "state"):
        assert max(values[value] for value in ATTRIBUTES[kind]) < 0.7 * by_type[kind], kind
    places = Counter(scene.place for scene in scenes("train", NUM))
    weathers = Counter(scene.weather for scene in scenes("train", NUM) if scene.weather)
    assert min(places.values()) > 0.75 * NUM / 6
    assert min(weathers.values()) > 0.75 * weathers.total() / 4


def test_weathers_and_places_differ_in_the_picture() -> None:
    means: dict[tuple[str, str], list[np.ndarray]] = {}
    for scene in scenes("train", 120):
        small = draw(scene, 16, 12).astype(np.float32)
        means.setdefault((scene.place, scene.weather), []).append(small)
    averages = {key: np.mean(values, 0) for key, values in means.items()}
    assert len(averages) == 18
    assert all(np.abs(averages[a] - averages[b]).mean() > 5 for a, b in combinations(averages, 2))


def test_the_archive_holds_the_sprites_of_the_catalogue_and_the_notice() -> None:
    folder = files("nsmodels.scenery.graphics")
    with (folder / "sprites.zip").open("rb") as stream, zipfile.ZipFile(stream) as archive:
        assert archive.read("NOTICE").decode() == (folder / "NOTICE").read_text(encoding="utf-8")
        shipped = {name.removesuffix(".png") for name in archive.namelist()} - {"NOTICE"}
    used = {sprite.file for entry in catalogue().values() for sprite in entry.sprites}
    assert shipped == {file for file in used if not is_drawn(file)}
    assert "CC BY 4.0" in (folder / "NOTICE").read_text(encoding="utf-8")
