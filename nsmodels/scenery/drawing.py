"""Pictures of scenes: background, weather, shadows, things, noise, JPEG."""

from __future__ import annotations

import io
import random
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Int16, UInt8
from PIL import Image, ImageDraw

from nsmodels.scenery.config import HEIGHT, WIDTH
from nsmodels.scenery.graphics.backgrounds import DIM, NUM_VARIANTS, background
from nsmodels.scenery.graphics.tints import coloured
from nsmodels.scenery.scenes import Item, Scene, rectangle
from nsmodels.scenery.words import INDOORS

SHADOW = 0.32  # darkness
NUM_CLOUDS, NUM_DROPS, NUM_FLAKES = 4, 70, 90


def draw(scene: Scene, width: int | None = None, height: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of a scene, by default in the size of its settings."""
    width, height = width or scene.settings.width, height or scene.settings.height
    rng = random.Random(scene.seed)
    image = _empty(scene, width, height, rng)
    paint(image, scene.items)
    _weather(ImageDraw.Draw(image), scene.weather, width, height, rng)
    lit = np.asarray(image.point(_curve(round(scene.light * DIM[scene.weather], 2))))
    noisy = lit + _noise(scene.settings.noise, height, width, rng)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


@cache
def _curve(factor: float) -> list[int]:
    """Brighter or darker grey levels, for each channel."""
    return [min(255, round(factor * level)) for level in range(256)] * 3


def encode(scene: Scene, width: int | None = None, height: int | None = None) -> bytes:
    """The picture as a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(draw(scene, width, height)).save(stream, "JPEG", quality=scene.settings.quality)
    return stream.getvalue()


def paint(image: Image.Image, items: tuple[Item, ...], has_shadows: bool = True) -> None:
    """Draw things over an RGB image, back to front."""
    for item in items:
        left, top, w, h = rectangle(item, *image.size)
        if has_shadows and not item.is_aloft and not item.root:
            _shadow(image, left, top, w, h)
        sprite = _scaled(item, w, h)
        image.paste(sprite, (left, top), sprite)


def _scaled(item: Item, width: int, height: int) -> Image.Image:
    sprite = coloured(item.sprite, item.tint, item.pattern).resize((width, height), Image.Resampling.BILINEAR)
    return sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if item.is_mirrored else sprite


def _shadow(image: Image.Image, left: int, top: int, width: int, height: int) -> None:
    flat = max(3, round(0.16 * min(width, height) + 2))
    mask = _ellipse(max(3, round(0.96 * width)), flat)
    image.paste((18, 18, 26), (left + round(0.02 * width), top + height - flat * 2 // 3), mask)


@lru_cache(maxsize=2048)
def _ellipse(width: int, height: int) -> Image.Image:
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    inside = np.clip(1.25 - (x**2 + y**2), 0, 1)
    return Image.fromarray((255 * SHADOW * inside).astype(np.uint8))


def _empty(scene: Scene, width: int, height: int, rng: random.Random) -> Image.Image:
    """Background with the sky's clouds or the room's window."""
    variant = rng.randrange(NUM_VARIANTS)
    image = background(scene.place, scene.weather, scene.horizon, variant, width, height).copy()
    pen = ImageDraw.Draw(image)
    (_window if scene.place in INDOORS else _sky)(pen, scene, width / WIDTH, height / HEIGHT, rng)
    return image


def _window(pen: ImageDraw.ImageDraw, scene: Scene, across: float, down: float, rng: random.Random) -> None:
    left, high = rng.randrange(10, WIDTH - 60), round(0.62 * scene.horizon * HEIGHT)
    frame = tuple(v * s for v, s in zip((left, 8, left + 44, 8 + high), (across, down) * 2, strict=True))
    pen.rectangle(frame, fill=(164, 206, 240), outline=(250, 250, 250), width=max(1, round(3 * across)))
    pen.line(((left + 22) * across, 8 * down, (left + 22) * across, (8 + high) * down), fill=(250, 250, 250), width=2)


def _sky(pen: ImageDraw.ImageDraw, scene: Scene, across: float, down: float, rng: random.Random) -> None:
    if scene.weather == "sunny":
        x, y = rng.randrange(14, WIDTH - 14) * across, 16 * down
        pen.ellipse((x - 11 * across, y - 11 * down, x + 11 * across, y + 11 * down), fill=(255, 238, 110))
        return
    shade = {"cloudy": (236, 238, 242), "rainy": (98, 104, 114), "snowy": (206, 212, 222)}[scene.weather]
    for _ in range(NUM_CLOUDS):
        x, y = rng.randrange(WIDTH), rng.randrange(4, 22)
        for dx, dy, r in ((-16, 3, 7), (-6, -1, 10), (7, -2, 11), (18, 3, 8)):
            cx, cy = (x + dx) * across, (y + dy) * down
            pen.ellipse((cx - r * across, cy - 0.7 * r * down, cx + r * across, cy + 0.7 * r * down), fill=shade)


def _weather(pen: ImageDraw.ImageDraw, weather: str, width: int, height: int, rng: random.Random) -> None:
    if weather == "rainy":
        for _ in range(NUM_DROPS):
            x, y = rng.randrange(width), rng.randrange(-6, height)
            pen.line((x, y, x - 0.014 * width, y + 0.05 * height), fill=(150, 176, 214))
    elif weather == "snowy":
        size = max(1, round(2.2 * width / WIDTH))
        for _ in range(NUM_FLAKES):
            x, y = rng.randrange(width), rng.randrange(height)
            pen.rectangle((x, y, x + size - 1, y + size - 1), fill=(255, 255, 255))


@lru_cache(maxsize=4)
def _grain(strength: float, height: int, width: int) -> Int16[np.ndarray, "2h 2w 3"]:
    rng = np.random.Generator(np.random.SFC64(0))
    grain = (strength * rng.standard_normal((2 * height, 2 * width, 1), np.float32)).round().astype(np.int16)
    return np.repeat(grain, 3, 2)


def _noise(strength: float, height: int, width: int, rng: random.Random) -> Int16[np.ndarray, "h w 3"]:
    """Grey noise of this standard deviation: a random cut from a larger sheet of it."""
    y, x = rng.randrange(height), rng.randrange(width)
    return _grain(strength, height, width)[y : y + height, x : x + width]
