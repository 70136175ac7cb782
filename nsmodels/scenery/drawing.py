"""Pictures of scenes: background, weather, shadows, things, noise, JPEG."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from nsmodels.scenery.backgrounds import DIM, background
from nsmodels.scenery.scenes import HEIGHT, WIDTH, Item, Scene, rectangle
from nsmodels.scenery.tints import coloured
from nsmodels.scenery.words import INDOORS

SHADOW = 0.32  # darkness
BLOTCH = 9.0  # standard deviation of the uneven ground, in grey levels
NUM_DROPS, NUM_FLAKES = 70, 90
CELL = 16  # pixels of the sheet between the knots of uneven ground


def draw(scene: Scene, width: int | None = None, height: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of a scene, by default in the size of its settings."""
    width, height = width or scene.settings.width, height or scene.settings.height
    rng = np.random.Generator(np.random.SFC64(scene.seed))
    image = _empty(scene, width, height, rng)
    paint(image, scene.items)
    pen = ImageDraw.Draw(image)
    _weather(pen, scene.weather, width, height, rng)
    pixels = np.asarray(image).astype(np.float32)
    pixels *= scene.light * DIM[scene.weather]
    if scene.settings.noise:
        pixels += scene.settings.noise * _noise(rng, height, width)
    return np.clip(pixels, 0, 255).astype(np.uint8)


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
        sprite = _scaled(item.sprite, item.tint, item.pattern, item.is_mirrored, w, h)
        image.paste(sprite, (left, top), sprite)


@lru_cache(maxsize=2048)
def _scaled(file: str, tint: str, pattern: str, is_mirrored: bool, width: int, height: int) -> Image.Image:
    return coloured(file, tint, pattern, is_mirrored).resize((width, height), Image.Resampling.BILINEAR)


def _shadow(image: Image.Image, left: int, top: int, width: int, height: int) -> None:
    flat = max(3, round(0.16 * min(width, height) + 2))
    mask = _ellipse(max(3, round(0.96 * width)), flat)
    image.paste((18, 18, 26), (left + round(0.02 * width), top + height - flat * 2 // 3), mask)


@lru_cache(maxsize=2048)
def _ellipse(width: int, height: int) -> Image.Image:
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    inside = np.clip(1.25 - (x**2 + y**2), 0, 1)
    return Image.fromarray((255 * SHADOW * inside).astype(np.uint8))


def _empty(scene: Scene, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Background with the sky's clouds or the room's window, and uneven ground."""
    pixels = background(scene.place, scene.weather, scene.horizon, width, height)
    coarse = rng.standard_normal((HEIGHT // CELL + 2, WIDTH // CELL + 2), np.float32)
    uneven = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    mixed = pixels + BLOTCH * np.asarray(uneven)[..., None]
    image = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    (_window if scene.place in INDOORS else _sky)(pen, scene, width / WIDTH, height / HEIGHT, rng)
    return image


def _window(pen: ImageDraw.ImageDraw, scene: Scene, across: float, down: float, rng: np.random.Generator) -> None:
    left, high = int(rng.integers(10, WIDTH - 60)), round(0.62 * scene.horizon * HEIGHT)
    frame = tuple(v * s for v, s in zip((left, 8, left + 44, 8 + high), (across, down) * 2, strict=True))
    pen.rectangle(frame, fill=(164, 206, 240), outline=(250, 250, 250), width=max(1, round(3 * across)))
    pen.line(((left + 22) * across, 8 * down, (left + 22) * across, (8 + high) * down), fill=(250, 250, 250), width=2)


def _sky(pen: ImageDraw.ImageDraw, scene: Scene, across: float, down: float, rng: np.random.Generator) -> None:
    if scene.weather == "sunny":
        x, y = int(rng.integers(14, WIDTH - 14)) * across, 16 * down
        pen.ellipse((x - 11 * across, y - 11 * down, x + 11 * across, y + 11 * down), fill=(255, 238, 110))
        return
    shade = {"cloudy": (236, 238, 242), "rainy": (98, 104, 114), "snowy": (206, 212, 222)}[scene.weather]
    for x, y in zip(rng.integers(0, WIDTH, 4).tolist(), rng.integers(4, 22, 4).tolist(), strict=True):
        for dx, dy, r in ((-16, 3, 7), (-6, -1, 10), (7, -2, 11), (18, 3, 8)):
            cx, cy = (x + dx) * across, (y + dy) * down
            pen.ellipse((cx - r * across, cy - 0.7 * r * down, cx + r * across, cy + 0.7 * r * down), fill=shade)


def _weather(pen: ImageDraw.ImageDraw, weather: str, width: int, height: int, rng: np.random.Generator) -> None:
    if weather == "rainy":
        xs, ys = rng.integers(0, width, NUM_DROPS).tolist(), rng.integers(-6, height, NUM_DROPS).tolist()
        for x, y in zip(xs, ys, strict=True):
            pen.line((x, y, x - 0.014 * width, y + 0.05 * height), fill=(150, 176, 214))
    elif weather == "snowy":
        xs, ys = rng.integers(0, width, NUM_FLAKES).tolist(), rng.integers(0, height, NUM_FLAKES).tolist()
        radius = max(0.5, 1.1 * width / WIDTH)
        for x, y in zip(xs, ys, strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 255, 255))


@lru_cache(maxsize=4)
def _grain(height: int, width: int) -> Float[np.ndarray, "2h 2w 1"]:
    rng = np.random.Generator(np.random.SFC64(0))
    return rng.standard_normal((2 * height, 2 * width, 1), np.float32)


def _noise(rng: np.random.Generator, height: int, width: int) -> Float[np.ndarray, "h w 1"]:
    """Noise of standard deviation 1: a random cut from a larger sheet of it."""
    y, x = rng.integers(0, height), rng.integers(0, width)
    return _grain(height, width)[y : y + height, x : x + width]
