"""Sprites: the shipped graphics, cropped to what can be seen, with a margin for an outline."""

from __future__ import annotations

import io
import zipfile
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Bool
from PIL import Image

from nsmodels.scenery.furniture import SHAPES, draw_furniture

MARGIN = 2  # pixels around the visible part


@cache
def load_sprite(file: str) -> Image.Image:
    """RGBA sprite by name, cropped to its visible pixels plus `MARGIN`. Raises `KeyError` for an unknown name."""
    image = draw_furniture(file) if file.partition("-")[0] in SHAPES else _shipped(file)
    visible = image.getchannel("A").point(lambda value: 255 if value > 127 else 0)
    cropped = image.crop(visible.getbbox())
    framed = Image.new("RGBA", (cropped.width + 2 * MARGIN, cropped.height + 2 * MARGIN))
    framed.paste(cropped, (MARGIN, MARGIN))
    return framed


def aspect(file: str) -> float:
    """Width of a sprite over its height, margins included."""
    image = load_sprite(file)
    return image.width / image.height


@lru_cache(maxsize=4096)
def silhouette(file: str, is_mirrored: bool, width: int, height: int) -> Bool[np.ndarray, "h w"]:
    """Pixels that the sprite covers when it is drawn with this width and height."""
    alpha = load_sprite(file).getchannel("A").resize((width, height), Image.Resampling.BILINEAR)
    covered = np.asarray(alpha) > 127
    return covered[:, ::-1] if is_mirrored else covered


def _shipped(file: str) -> Image.Image:
    with zipfile.ZipFile(io.BytesIO(_archive())) as archive, archive.open(f"{file}.png") as stream:
        return Image.open(stream).convert("RGBA")


@cache
def _archive() -> bytes:
    return (files("nsmodels.scenery") / "sprites.zip").read_bytes()
