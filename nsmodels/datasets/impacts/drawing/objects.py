"""Objects drawn at random, each from its own number, so that they are the same whatever the number of processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nsmodels.datasets.impacts.physics import materials
from nsmodels.datasets.impacts.scenes import BALL, BAR, BOX, DISC, LIDDED, OPEN, PLATE, SEALED, SOLID, Objects

JITTER = 0.10  # of the figures of a material, by object
ANIMATE = 0.2  # share of the objects that move by themselves
_PARTS = 32  # random numbers of an object


def draw_objects(
    number: np.ndarray, shape: np.ndarray, material: np.ndarray, seed: int, confounding: float, painted: float
) -> Objects:
    """Objects of these shapes and materials, int64 (n,); `number` (n,) decides everything random in them.

    `confounding` is the correlation of the hue of the paint with the logarithm of the density; `painted` the share of
    the objects that have any.
    """
    chance = np.stack([np.random.default_rng((seed, int(each))).random(_PARTS) for each in number])
    figures = materials.FIGURES[material] * np.exp(np.log1p(JITTER) * (2 * chance[:, :9] - 1))
    values = dict(zip(materials.COLUMNS, figures.T, strict=True))
    values["poisson"] = np.minimum(values["poisson"], 0.49)
    values["restitution"] = np.minimum(values["restitution"], 0.9)
    extents, opening, wall = _dimensions(shape, chance[:, 9:14])
    is_painted = chance[:, 14] < painted
    hue = _hue(values["density"], chance[:, 15], chance[:, 16], confounding)
    is_animate = chance[:, 21] < ANIMATE
    count = len(number)
    objects = Objects(
        number=number,
        shape=shape,
        material=material,
        extents=extents,
        wall=wall,
        opening=opening,
        mass=np.zeros(count),
        inertia=np.zeros((count, 3)),
        volume=np.zeros(count),
        **values,
        **_surface(material, chance, hue, is_painted),
        temperature=2 + 58 * chance[:, 23],
        drive=np.where(is_animate, 4 + 6 * chance[:, 24], 0.0),
        drive_rate=3 + 2 * chance[:, 25],
        drive_direction=2 * np.pi * chance[:, 26],
        seal=np.where(opening == LIDDED, 1 + 9 * chance[:, 27], np.inf),
    )
    return weighed(objects)


def _surface(
    material: np.ndarray, chance: np.ndarray, hue: np.ndarray, is_painted: np.ndarray
) -> dict[str, np.ndarray]:
    """What is seen of the objects: paint where there is any, else what their material looks like."""
    clearest, roughest = materials.TRANSPARENCY[material].T, materials.ROUGHNESS[material].T
    shade = materials.COLOURS[material] + materials.SHADE * (2 * chance[:, 18:21] - 1)
    return {
        "hue": hue,
        "colour": np.where(is_painted[:, None], paint(hue), np.clip(shade, 0, 1)),
        "painted": is_painted,
        "transparency": np.where(is_painted, 0.0, _between(clearest, chance[:, 17])),
        "roughness": _between(roughest, chance[:, 22]),
    }


def _between(ends: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Values (n,) between two ends (2, n), by a number from 0 to 1."""
    low, high = ends
    return low + (high - low) * chance


def paint(hue: np.ndarray) -> np.ndarray:
    """RGB (n, 3) of paints of a hue in [0, 1], from red over green to violet."""
    turn = 0.8 * (hue[:, None] % 1.0) + np.array([0, 2 / 3, 1 / 3])
    wave = np.clip(np.abs(turn % 1.0 * 6 - 3) - 1, 0, 1)
    return 0.18 + 0.62 * wave


def weighed(objects: Objects) -> Objects:
    """The objects with mass, inertia and displaced volume as their dimensions and density have them."""
    volume, moments = _solid(objects.shape, objects.extents)
    inner = np.maximum(objects.extents - 2 * objects.wall[:, None], 0)
    hollow = (objects.opening != SOLID)[:, None]
    hole, hole_moments = _solid(objects.shape, inner)
    mass = objects.density * (volume - np.where(hollow[:, 0], hole, 0))
    inertia = objects.density[:, None] * (moments - np.where(hollow, hole_moments, 0))
    displaced = np.where(objects.opening == OPEN, volume - hole, volume)
    return replace(objects, mass=mass, inertia=inertia, volume=displaced)


def _solid(shape: np.ndarray, extents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Volume (n,) and moments of inertia (n, 3) at density 1 of solid bodies."""
    a, b, c = extents.T
    block = np.stack([b * b + c * c, a * a + c * c, a * a + b * b], 1) / 12
    disc = np.stack([a * a / 16 + c * c / 12, a * a / 16 + c * c / 12, a * a / 8], 1)
    ball = np.repeat((a * a / 10)[:, None], 3, 1)
    is_disc, is_ball = shape == DISC, shape == BALL
    volume = a * b * c * np.select([is_disc, is_ball], [np.pi / 4, np.pi / 6], 1.0)
    return volume, volume[:, None] * np.select([is_disc[:, None], is_ball[:, None]], [disc, ball], block)


def _dimensions(shape: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Extents (n, 3), opening and wall of objects of a size of 5 to 16 cm."""
    one, two, three, four, five = chance.T
    large, ball, box = 0.06 + 0.09 * one, 0.05 + 0.04 * one, 0.05 + 0.05 * one
    thin = 0.004 + 0.008 * two
    plate = np.stack([large, large, thin], 1)
    bar = np.stack([0.08 + 0.08 * one, 0.02 + 0.012 * two, 0.006 + 0.007 * three], 1)
    boxes = np.stack([box, box * (0.7 + 0.3 * two), box * (0.6 + 0.4 * three)], 1)
    kinds = [each[:, None] == shape_of for each, shape_of in ((shape, PLATE), (shape, BAR), (shape, BOX))]
    extents = np.select(
        [*kinds, (shape == DISC)[:, None]], [plate, bar, boxes, plate], np.repeat(ball[:, None], 3, axis=1)
    )
    opening = np.where(shape == BOX, np.select([four < 0.2, four < 0.6], [SEALED, LIDDED], OPEN), SOLID)
    return extents, opening, np.where(shape == BOX, 0.003 + 0.005 * five, 0.0)


def _hue(density: np.ndarray, first: np.ndarray, second: np.ndarray, correlation: float) -> np.ndarray:
    """Hue in [0, 1] of a given correlation with the logarithm of the density, which is that of materials used alike.

    A standard normal variable is added to the standardised logarithm, and the sum is squeezed into (0, 1) linearly,
    three deviations wide, which leaves the correlation.
    """
    of_all = np.log(materials.FIGURES[:, 1])
    standard = (np.log(density) - of_all.mean()) / of_all.std()
    normal = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
    mixed = correlation * standard + np.sqrt(1 - correlation**2) * normal
    return np.clip(0.5 + mixed / 6, 0, 1)
