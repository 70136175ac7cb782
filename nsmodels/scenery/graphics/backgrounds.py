"""Backgrounds: the ground and the sky or wall of each place, under each weather."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from nsmodels.scenery.config import HEIGHT, WIDTH

Color = tuple[int, int, int]
# Upper and lower colour of what is above the horizon, and of the ground.
SKIES: dict[str, tuple[Color, Color]] = {
    "sunny": ((84, 164, 240), (206, 232, 252)),
    "cloudy": ((150, 164, 180), (202, 210, 218)),
    "rainy": ((110, 120, 136), (160, 170, 180)),
    "snowy": ((168, 180, 196), (222, 228, 236)),
}
GROUNDS: dict[str, tuple[Color, Color]] = {
    "kitchen": ((196, 200, 196), (222, 224, 218)),
    "living room": ((136, 96, 62), (166, 120, 80)),
    "street": ((92, 92, 96), (112, 112, 116)),
    "beach": ((222, 198, 144), (240, 220, 172)),
    "field": ((96, 158, 70), (122, 184, 84)),
    "mountains": ((134, 122, 104), (158, 144, 122)),
}
WALLS: dict[str, tuple[Color, Color]] = {
    "kitchen": ((226, 236, 234), (206, 222, 220)),
    "living room": ((232, 214, 178), (222, 198, 158)),
}
DIM = {"sunny": 1.05, "cloudy": 0.96, "rainy": 0.92, "snowy": 1.0, "": 1.0}  # factor of brightness
NUM_VARIANTS = 4
BLOTCH, CELL = 9.0, 16  # uneven ground: standard deviation in grey levels, pixels of the sheet between its knots
SNOW, SNOWED = (236, 240, 246), 0.72  # colour of snow, and how much of the ground it covers


@lru_cache(maxsize=512)
def background(place: str, weather: str, horizon: float, variant: int, width: int, height: int) -> Image.Image:
    """Empty place as an RGB image, not to be drawn on; variants differ in the unevenness of their ground."""
    line = round(horizon * HEIGHT)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.paste(_gradient(WALLS.get(place) or SKIES[weather], line), (0, 0))
    image.paste(_gradient(_ground(place, weather), HEIGHT - line), (0, line))
    _DETAILS[place](ImageDraw.Draw(image), line, weather)
    return _uneven(image.resize((width, height), Image.Resampling.BILINEAR), variant)


def _uneven(image: Image.Image, variant: int) -> Image.Image:
    rng = np.random.Generator(np.random.SFC64(variant))
    coarse = rng.standard_normal((HEIGHT // CELL + 2, WIDTH // CELL + 2), np.float32)
    blotches = np.asarray(Image.fromarray(coarse).resize(image.size, Image.Resampling.BICUBIC))
    pixels = np.asarray(image) + BLOTCH * blotches[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _ground(place: str, weather: str) -> tuple[Color, Color]:
    upper, lower = GROUNDS[place]
    return (_mixed(upper, SNOW, SNOWED), _mixed(lower, SNOW, SNOWED)) if weather == "snowy" else (upper, lower)


def _mixed(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _gradient(colors: tuple[Color, Color], height: int) -> Image.Image:
    upper, lower = (np.array(color, np.float32) for color in colors)
    rows = np.linspace(upper, lower, height)
    return Image.fromarray(np.broadcast_to(rows[:, None], (height, WIDTH, 3)).astype(np.uint8))


def _kitchen(pen: ImageDraw.ImageDraw, line: int, _: str) -> None:
    for x in range(0, WIDTH, 14):
        pen.line((x, 0, x, line), fill=(188, 206, 204))
    for y in range(6, line, 14):
        pen.line((0, y, WIDTH, y), fill=(188, 206, 204))
    for row, top in enumerate(range(line, HEIGHT, 16)):
        for left in range(-(row % 2) * 22, WIDTH, 44):
            pen.rectangle((left, top, left + 21, top + 15), fill=(176, 182, 180))
    pen.rectangle((0, line - 3, WIDTH, line), fill=(120, 132, 132))


def _living_room(pen: ImageDraw.ImageDraw, line: int, _: str) -> None:
    for x in range(6, WIDTH, 20):
        pen.line((x, 0, x, line), fill=(214, 190, 150), width=5)
    for row, y in enumerate(range(line + 8, HEIGHT, 13)):
        pen.line((0, y, WIDTH, y), fill=(110, 76, 48))
        for x in range(row % 3 * 24, WIDTH, 72):
            pen.line((x, y, x, y + 13), fill=(110, 76, 48))
    pen.rectangle((0, line - 5, WIDTH, line), fill=(244, 238, 226))


def _street(pen: ImageDraw.ImageDraw, line: int, weather: str) -> None:
    for number, left in enumerate(range(-8, WIDTH, 38)):
        top = line - (26, 38, 30, 44, 22)[number % 5]
        shade = (118, 126, 140) if number % 2 else (142, 134, 132)
        pen.rectangle((left, top, left + 37, line), fill=shade)
        for x in range(left + 5, left + 34, 9):
            for y in range(top + 5, line - 5, 9):
                pen.rectangle((x, y, x + 4, y + 4), fill=(196, 206, 214))
    pen.rectangle((0, line, WIDTH, line + 7), fill=(186, 184, 180))
    pen.line((0, line + 8, WIDTH, line + 8), fill=(70, 70, 74), width=2)
    middle = (line + HEIGHT) // 2 + 6
    for left in range(4, WIDTH, 40):
        pen.rectangle((left, middle, left + 21, middle + 3), fill=(232, 232, 226))


def _beach(pen: ImageDraw.ImageDraw, line: int, weather: str) -> None:
    sea = (38, 132, 188) if weather in ("sunny", "") else (84, 116, 140)
    pen.rectangle((0, line - 16, WIDTH, line + 3), fill=sea)
    for y, offset in ((line - 12, 0), (line - 7, 13), (line - 2, 6)):
        for x in range(offset, WIDTH, 34):
            pen.line((x, y, x + 12, y), fill=_mixed(sea, (255, 255, 255), 0.4))
    pen.rectangle((0, line + 3, WIDTH, line + 5), fill=(244, 246, 246))


def _field(pen: ImageDraw.ImageDraw, line: int, weather: str) -> None:
    hill = _mixed((78, 132, 74), SNOW, SNOWED if weather == "snowy" else 0.0)
    pen.ellipse((-60, line - 22, 110, line + 40), fill=hill)
    pen.ellipse((80, line - 15, 300, line + 40), fill=_mixed(hill, (0, 0, 0), 0.08))
    pen.rectangle((0, line, WIDTH, HEIGHT), fill=None)
    _cover(pen, "field", line, weather)
    for x in range(3, WIDTH, 26):
        pen.rectangle((x, line - 7, x + 2, line + 5), fill=(150, 118, 84))
    for y in (line - 4, line + 1):
        pen.line((0, y, WIDTH, y), fill=(150, 118, 84))


def _mountains(pen: ImageDraw.ImageDraw, line: int, weather: str) -> None:
    for left, width, high in ((-30, 120, 44), (130, 130, 50), (60, 110, 36)):
        peak = (left + width // 2, line - high)
        pen.polygon(((left, line), peak, (left + width, line)), fill=(112, 118, 132))
        snow = tuple((peak[0] + x, peak[1] + y) for x, y in ((-12, 14), (-4, 10), (3, 15), (12, 13)))
        pen.polygon((peak, *reversed(snow)), fill=(240, 244, 248))
    _cover(pen, "mountains", line, weather)
    stone = _mixed((96, 90, 82), SNOW, 0.4 if weather == "snowy" else 0.0)
    for number in range(26):
        x, y = number * 67 % WIDTH, line + 6 + number * 41 % (HEIGHT - line)
        pen.ellipse((x, y, x + 5, y + 2), fill=stone)


def _cover(pen: ImageDraw.ImageDraw, place: str, line: int, weather: str) -> None:
    """The ground again, over what reaches below the horizon."""
    upper, lower = _ground(place, weather)
    for y in range(line, HEIGHT):
        pen.line((0, y, WIDTH, y), fill=_mixed(upper, lower, (y - line) / (HEIGHT - line)))


_DETAILS = {
    "kitchen": _kitchen,
    "living room": _living_room,
    "street": _street,
    "beach": _beach,
    "field": _field,
    "mountains": _mountains,
}
