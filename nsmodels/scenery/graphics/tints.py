"""Colours of sprites: tints, patterns, and the colour that an untinted sprite has."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image, ImageFilter

from nsmodels.scenery.graphics.furniture import is_drawn
from nsmodels.scenery.graphics.sprites import load_sprite

PALETTE = {
    **{"red": (214, 36, 44), "orange": (244, 134, 26), "yellow": (250, 214, 48), "green": (58, 158, 58)},
    **{"blue": (40, 104, 214), "purple": (134, 72, 186), "pink": (248, 152, 192), "brown": (128, 78, 44)},
    **{"black": (44, 44, 50), "white": (244, 244, 244), "gray": (140, 144, 150)},
}
# Second colour of patterns: white, but where that would make two colours look alike.
SECOND = {"white": "gray", "gray": "black", "yellow": "black", "pink": "black"}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
DARKEST = 0.16  # pixels of a sprite below this lightness are drawn lines and eyes, which keep their colour
DIMMEST, BRIGHTEST = 0.45, 1.5  # range of the shade of tinted pixels, where the usual one of the sprite is 1
_STEPS = 170  # grey levels for a shade of 1
LEAST_COLOURED = 12  # range of red, green, blue
NATURAL = 0.7  # least share of pixels near one colour for an untinted sprite to have that colour
OUTLINE, RIM = (30, 30, 36), 0.45  # colour around a sprite, and how opaque it is
_STRIPE, _CELL, _DOT, _SPACING = 18, 12, 5, 17  # sizes of patterns in pixels of a sprite


@lru_cache(maxsize=8192)
def coloured(file: str, tint: str = "", pattern: str = "") -> Image.Image:
    """RGBA sprite with tint and pattern and a faint dark rim, so that it stands out from a ground of its own colour.

    "" leaves it as it is.
    """
    sprite = load_sprite(file)
    if tint:
        shade = _shade(file)
        alpha = sprite.getchannel("A")
        kept, sprite = sprite, _filled(shade, tint)
        if pattern not in ("", "plain"):
            sprite.paste(_filled(shade, SECOND.get(tint, "white")), (0, 0), _pattern(pattern, *shade.size))
        sprite.paste(kept, (0, 0), _kept(file))
        sprite.putalpha(alpha)
    under = _rim(file).copy()
    under.alpha_composite(sprite)
    return under


@lru_cache(maxsize=1024)
def natural_color(file: str) -> str:
    """Name of the colour that most of an untinted sprite has; "" where none prevails."""
    sprite = np.asarray(load_sprite(file)).astype(np.float32)
    pixels = sprite[sprite[..., 3] > 127][:, :3]
    counts = np.bincount(_nearest(pixels), minlength=len(PALETTE)) / len(pixels)
    return list(PALETTE)[int(counts.argmax())] if counts.max() >= NATURAL else ""


@cache
def _shade(file: str) -> Image.Image:
    """Grey image of a sprite's lightness relative to its usual one; drawn lines keep theirs."""
    sprite = np.asarray(load_sprite(file)).astype(np.float32)
    lightness = sprite[..., :3] @ LUMA / 255
    is_body = (sprite[..., 3] > 127) & (lightness >= DARKEST)
    usual = np.median(lightness[is_body]) if is_body.any() else 0.5
    shade = np.where(lightness < DARKEST, lightness, np.clip(lightness / usual, DIMMEST, BRIGHTEST))
    return Image.fromarray((_STEPS * shade).round().clip(0, 255).astype(np.uint8))


def _filled(shade: Image.Image, color: str) -> Image.Image:
    """RGB image in one colour with these shades."""
    return Image.merge("RGB", [shade.point(curve) for curve in _curves(color)])


@cache
def _curves(color: str) -> list[list[int]]:
    """Value of red, green, blue by grey level of a shade: darker below 1, towards white above."""
    shade = np.arange(256)[:, None] / _STEPS
    pure = np.array(PALETTE[color], np.float32)
    bright = pure + (255 - pure) * np.clip(shade - 1, 0, 1) * 0.9
    return np.where(shade <= 1, pure * shade, bright).round().astype(int).T.tolist()


@cache
def _kept(file: str) -> Image.Image:
    """Mask of the coloured pixels of drawn things, which are in greys else: glass, for instance, has no tint."""
    sprite = np.asarray(load_sprite(file)).astype(int)
    is_coloured = np.ptp(sprite[..., :3], 2) > LEAST_COLOURED
    return Image.fromarray(np.where(is_coloured & is_drawn(file), 255, 0).astype(np.uint8))


@cache
def _rim(file: str) -> Image.Image:
    alpha = load_sprite(file).getchannel("A").filter(ImageFilter.MaxFilter(3))
    rim = Image.new("RGBA", alpha.size, (*OUTLINE, 0))
    rim.putalpha(alpha.point([round(RIM * level) for level in range(256)]))
    return rim


@cache
def _pattern(pattern: str, width: int, height: int) -> Image.Image:
    return Image.fromarray(255 * _drawn(pattern, height, width).astype(np.uint8))


def _drawn(pattern: str, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Where the second colour of a pattern is."""
    y, x = np.mgrid[:height, :width]
    if pattern == "striped":
        return (x + y) % _STRIPE < 0.4 * _STRIPE
    if pattern == "checkered":
        return (x // _CELL + y // _CELL) % 2 == 0
    rows = y // _SPACING
    near_x = (x + rows % 2 * (_SPACING // 2)) % _SPACING - _SPACING // 2
    return near_x**2 + (y % _SPACING - _SPACING // 2) ** 2 <= _DOT**2


def _nearest(pixels: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """Index of the palette colour next to each pixel, lightness counted for less than hue."""
    palette = np.array(list(PALETTE.values()), np.float32)
    return ((_opponent(pixels)[:, None] - _opponent(palette)) ** 2).sum(-1).argmin(1)


def _opponent(pixels: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    red, green, blue = pixels.T
    return np.stack([0.6 * (red + green + blue) / 3, red - green, 0.5 * (red + green) - blue], 1)
