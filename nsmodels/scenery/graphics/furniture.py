"""Drawn things: furniture whose make shows its material, pillows, mirrors and signposts of several shapes.

Wood: planks on thick legs. Metal: a riveted sheet on thin braced legs. Plastic: one moulded piece.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

# Sizes in pixels of the sprites; the top surface begins at `TOP` of the height.
SIZES = {"table": (144, 84), "bench": (144, 62), "shelf": (132, 110), "stool": (70, 84)}
BASE, DARK, LIGHT = (176, 176, 176, 255), (112, 112, 112, 255), (232, 232, 232, 255)
GLASS, GLINT, INK = (196, 228, 244, 255), (255, 255, 255, 255), (20, 20, 22, 255)

Pen = ImageDraw.ImageDraw


def draw_furniture(name: str) -> Image.Image:
    """RGBA sprite in greys, to be tinted, of a name such as "table-wood" or "pillow-round"."""
    shape, _, material = name.partition("-")
    if shape in _FURNISHINGS:
        return _FURNISHINGS[shape](material)
    width, height = SIZES[shape]
    image = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(image)
    _MATERIALS[material](pen, width, height)
    if shape == "shelf":
        _board(pen, material, 0, int(0.5 * height), width)
    if shape == "bench":
        _board(pen, material, 0, int(0.45 * height), width)
    return image


def _wood(pen: Pen, width: int, height: int) -> None:
    for left in (8, width - 24):
        pen.rectangle((left, 14, left + 15, height - 1), fill=BASE)
        for offset in (4, 10):
            pen.line((left + offset, 16, left + offset, height - 1), fill=DARK, width=2)
    _board(pen, "wood", 0, 0, width)


def _metal(pen: Pen, width: int, height: int) -> None:
    for left in (7, width - 12):
        pen.rectangle((left, 8, left + 5, height - 1), fill=DARK)
    pen.line((10, height - 4, width - 10, 12), fill=DARK, width=3)
    pen.line((10, 12, width - 10, height - 4), fill=DARK, width=3)
    _board(pen, "metal", 0, 0, width)


def _plastic(pen: Pen, width: int, height: int) -> None:
    middle = width // 2
    pen.polygon(((middle - 10, 10), (middle + 10, 10), (middle + 13, height - 8), (middle - 13, height - 8)), fill=BASE)
    pen.polygon(((middle - 4, 12), (middle, 12), (middle, height - 10), (middle - 5, height - 10)), fill=LIGHT)
    pen.rounded_rectangle((middle - 30, height - 10, middle + 30, height - 1), radius=5, fill=BASE)
    _board(pen, "plastic", 0, 0, width)


def _board(pen: Pen, material: str, left: int, top: int, width: int) -> None:
    """A horizontal board: grain, a bright sheet with rivets, or a thick rounded plate."""
    right = left + width - 1
    if material == "wood":
        pen.rectangle((left, top, right, top + 15), fill=BASE)
        for offset in (4, 9):
            pen.line((left + 2, top + offset, right - 2, top + offset), fill=DARK, width=2)
        pen.line((left, top, right, top), fill=LIGHT, width=2)
    elif material == "metal":
        pen.rectangle((left, top, right, top + 9), fill=BASE)
        pen.line((left, top + 3, right, top + 3), fill=LIGHT, width=4)
        for x in range(left + 6, right, 22):
            pen.ellipse((x, top + 5, x + 4, top + 9), fill=DARK)
    else:
        pen.rounded_rectangle((left, top, right, top + 17), radius=8, fill=BASE)
        pen.line((left + 10, top + 5, right - 30, top + 5), fill=LIGHT, width=4)


_MATERIALS: dict[str, Callable[[Pen, int, int], None]] = {"wood": _wood, "metal": _metal, "plastic": _plastic}

EDGE = 88  # width and height of furnishings in pixels of the sprites


def _pillow(shape: str) -> Image.Image:
    image = Image.new("RGBA", (EDGE, EDGE))
    pen = ImageDraw.Draw(image)
    _outline(pen, shape, (2, 2, EDGE - 3, EDGE - 3), BASE, 14)
    seam = (16, 28, EDGE - 17, EDGE - 10) if shape == "triangular" else (9, 9, EDGE - 10, EDGE - 10)
    _outline(pen, shape, seam, DARK, 10)
    _outline(pen, shape, (seam[0] + 3, seam[1] + 4, seam[2] - 3, seam[3] - 3), BASE, 8)
    for x, y in _corners(shape):
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=DARK)
    for x, y in ((-15, -15), (15, -15), (-15, 15), (15, 15)):  # folds towards the button in the middle
        pen.line((EDGE // 2, EDGE * 0.58, EDGE // 2 + x, EDGE * 0.58 + y), fill=DARK, width=3)
    pen.ellipse((EDGE // 2 - 6, EDGE * 0.58 - 6, EDGE // 2 + 6, EDGE * 0.58 + 6), fill=LIGHT)
    return image


def _mirror(shape: str) -> Image.Image:
    image = Image.new("RGBA", (EDGE, EDGE))
    pen = ImageDraw.Draw(image)
    _outline(pen, shape, (2, 2, EDGE - 3, EDGE - 3), BASE, 2)
    inner = (24, 42, EDGE - 25, EDGE - 15) if shape == "triangular" else (16, 16, EDGE - 17, EDGE - 17)
    _outline(pen, shape, inner, GLASS, 2)
    for offset in (0, 9):
        pen.line((36 + offset, 66, 50 + offset, 48), fill=GLINT, width=3)
    return image


def _signpost(shape: str) -> Image.Image:
    image = Image.new("RGBA", (EDGE, EDGE + 50))
    pen = ImageDraw.Draw(image)
    pen.rectangle((EDGE // 2 - 4, EDGE // 2, EDGE // 2 + 4, EDGE + 49), fill=DARK)
    _outline(pen, shape, (2, 2, EDGE - 3, EDGE - 3), BASE, 2)
    pen.rectangle((EDGE // 2 - 5, 34, EDGE // 2 + 5, 58), fill=INK)
    pen.rectangle((EDGE // 2 - 5, 64, EDGE // 2 + 5, 73), fill=INK)
    return image


def _outline(
    pen: Pen, shape: str, box: tuple[float, float, float, float], fill: tuple[int, int, int, int], radius: int
) -> None:
    left, top, right, bottom = box
    if shape == "round":
        pen.ellipse(box, fill=fill)
    elif shape == "square":
        pen.rounded_rectangle(box, radius, fill=fill)
    else:
        pen.polygon(((left, bottom), ((left + right) / 2, top), (right, bottom)), fill=fill)


def _corners(shape: str) -> tuple[tuple[int, int], ...]:
    low, high = 7, EDGE - 8
    corners = {"square": ((low, low), (low, high), (high, low), (high, high)), "round": ()}
    return corners.get(shape, ((low, high), (EDGE // 2, low), (high, high)))


_FURNISHINGS: dict[str, Callable[[str], Image.Image]] = {"pillow": _pillow, "mirror": _mirror, "signpost": _signpost}


def is_drawn(name: str) -> bool:
    """Whether a sprite of this name is drawn here, and not one of the shipped graphics."""
    return name.partition("-")[0] in (*SIZES, *_FURNISHINGS)
