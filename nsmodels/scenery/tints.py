"""Colours of sprites: tints, patterns, and the colour that an untinted sprite has."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image, ImageFilter

from nsmodels.scenery.sprites import load_sprite

PALETTE = {
    **{"red": (214, 36, 44), "orange": (244, 134, 26), "yellow": (250, 214, 48), "green": (58, 158, 58)},
    **{"blue": (40, 104, 214), "purple": (134, 72, 186), "pink": (248, 152, 192), "brown": (128, 78, 44)},
    **{"black": (44, 44, 50), "white": (244, 244, 244), "gray": (140, 144, 150)},
}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
DARKEST = 0.16  # pixels of a sprite below this lightness are drawn lines and eyes, which keep their colour
NATURAL = 0.66  # least share of pixels near one colour for an untinted sprite to have that colour
OUTLINE = (30, 30, 36)
_STRIPE, _CELL, _DOT, _SPACING = 18, 12, 5, 17  # sizes of patterns in pixels of a sprite


@lru_cache(maxsize=4096)
def coloured(file: str, tint: str = "", pattern: str = "", is_mirrored: bool = False) -> Image.Image:
    """RGBA sprite with tint and pattern and a dark outline; "" leaves it as it is."""
    sprite = np.asarray(load_sprite(file)).astype(np.float32)
    if tint:
        sprite[..., :3] = _tinted(sprite, tint, pattern)
    image = _outlined(Image.fromarray(sprite.astype(np.uint8)))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if is_mirrored else image


@lru_cache(maxsize=1024)
def natural_color(file: str) -> str:
    """Name of the colour that most of an untinted sprite has; "" where none prevails."""
    sprite = np.asarray(load_sprite(file)).astype(np.float32)
    pixels = sprite[sprite[..., 3] > 127][:, :3]
    counts = np.bincount(_nearest(pixels), minlength=len(PALETTE)) / len(pixels)
    return list(PALETTE)[int(counts.argmax())] if counts.max() >= NATURAL else ""


def _tinted(sprite: Float[np.ndarray, "h w 4"], tint: str, pattern: str) -> Float[np.ndarray, "h w 3"]:
    lightness = sprite[..., :3] @ LUMA / 255
    is_body = (sprite[..., 3] > 127) & (lightness >= DARKEST)
    usual = np.median(lightness[is_body]) if is_body.any() else 0.5
    shade = np.where(lightness < DARKEST, lightness, np.clip(lightness / usual, 0.45, 1.5))[..., None]
    color = np.array(PALETTE[tint], np.float32)
    if pattern not in ("", "plain"):
        second = np.array(PALETTE["gray" if tint == "white" else "black" if tint == "yellow" else "white"], np.float32)
        color = np.where((_drawn(pattern, *lightness.shape) & is_body)[..., None], second, color)
    bright = color + (255 - color) * np.clip(shade - 1, 0, 1) * 0.9
    return np.where(shade <= 1, color * shade, bright)


def _drawn(pattern: str, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Where the second colour of a pattern is."""
    y, x = np.mgrid[:height, :width]
    if pattern == "striped":
        return (x + y) % _STRIPE < _STRIPE // 2
    if pattern == "checkered":
        return (x // _CELL + y // _CELL) % 2 == 0
    rows = y // _SPACING
    near_x = (x + rows % 2 * (_SPACING // 2)) % _SPACING - _SPACING // 2
    return near_x**2 + (y % _SPACING - _SPACING // 2) ** 2 <= _DOT**2


def _outlined(image: Image.Image) -> Image.Image:
    """The sprite over a faint dark rim, so that it stands out from a ground of its own colour."""
    rim = image.getchannel("A").filter(ImageFilter.MaxFilter(3)).point(lambda value: int(0.45 * value))
    under = Image.new("RGBA", image.size, (*OUTLINE, 0))
    under.putalpha(rim)
    under.alpha_composite(image)
    return under


def _nearest(pixels: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """Index of the palette colour next to each pixel, lightness counted for less than hue."""
    palette = np.array(list(PALETTE.values()), np.float32)
    return ((_opponent(pixels)[:, None] - _opponent(palette)) ** 2).sum(-1).argmin(1)


def _opponent(pixels: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    red, green, blue = pixels.T
    return np.stack([0.6 * (red + green + blue) / 3, red - green, 0.5 * (red + green) - blue], 1)
