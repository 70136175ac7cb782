"""Sprites: the shipped graphics, cropped to what can be seen, with a margin for an outline."""

from __future__ import annotations

import io
import zipfile
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from PIL import Image

from nsmodels.scenery.graphics.furniture import draw_furniture, is_drawn

MARGIN = 2  # pixels around the visible part


@cache
def load_sprite(file: str) -> Image.Image:
    """RGBA sprite by name, cropped to its visible pixels plus `MARGIN`. Raises `KeyError` for an unknown name."""
    image = draw_furniture(file) if is_drawn(file) else _shipped(file)
    visible = image.getchannel("A").point([255 * (level > 127) for level in range(256)])
    cropped = image.crop(visible.getbbox())
    framed = Image.new("RGBA", (cropped.width + 2 * MARGIN, cropped.height + 2 * MARGIN))
    framed.paste(cropped, (MARGIN, MARGIN))
    return framed


def aspect(file: str) -> float:
    """Width of a sprite over its height, margins included."""
    image = load_sprite(file)
    return image.width / image.height


class Silhouette(NamedTuple):
    """Pixels that a sprite covers.

    Attributes:
        covered: whether each is.
        box: left, top, width and height of the smallest rectangle around them.
        num: how many there are.
    """

    covered: Bool[np.ndarray, "h w"]
    box: tuple[int, int, int, int]
    num: int


@lru_cache(maxsize=16384)
def silhouette(file: str, is_mirrored: bool, width: int, height: int) -> Silhouette:
    """Pixels that the sprite covers when it is drawn with this width and height."""
    alpha = load_sprite(file).getchannel("A").resize((width, height), Image.Resampling.BILINEAR)
    covered = np.asarray(alpha) > 127
    covered = covered[:, ::-1] if is_mirrored else covered
    return Silhouette(covered, extent(covered), int(covered.sum()))


def extent(covered: Bool[np.ndarray, "h w"]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the smallest rectangle around true cells; zeros where there are none."""
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def _shipped(file: str) -> Image.Image:
    with zipfile.ZipFile(io.BytesIO(_archive())) as archive, archive.open(f"{file}.png") as stream:
        return Image.open(stream).convert("RGBA")


@cache
def _archive() -> bytes:
    return (files("nsmodels.scenery.graphics") / "sprites.zip").read_bytes()
