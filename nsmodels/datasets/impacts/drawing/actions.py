"""Scenes drawn at random: where the object lies, what is around it, and what the hand does."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.scenes import FRAME, NEIGHBOUR_HEIGHT, TABLE, Objects, Scenes
from nsmodels.formats.clips.names import VERBS

GRAVITY = 9.81
SHARES = np.array([0.06, 0.2, 0.14, 0.22, 0.08, 0.2, 0.1])  # of the verbs
NO_SUPPORT, WITH_NEIGHBOUR, WITH_WATER = 0.06, 0.45, 0.08  # shares of the scenes
AT_NEIGHBOUR = 0.35  # share of pushes and strikes at the neighbour, where there is one
_PARTS = 24
_PUSH, _LIFT, _STRIKE, _SQUEEZE, _DROP, _TILT = range(1, len(VERBS))


def draw_scenes(objects: Objects, number: np.ndarray, seed: int) -> Scenes:
    """Scenes with these objects, one each; `number` int64 (n,), of the clip, decides everything random in them."""
    chance = np.stack([np.random.default_rng((seed, 1, int(each))).random(_PARTS) for each in number])
    verb = np.searchsorted(np.cumsum(SHARES)[:-1], chance[:, 0], side="right")
    has_water = (chance[:, 1] < WITH_WATER / 0.4) & np.isin(verb, (0, _LIFT, _DROP))
    has_support = (chance[:, 2] > NO_SUPPORT) | has_water
    has_neighbour = (chance[:, 3] < WITH_NEIGHBOUR) & ~has_water & has_support
    place = np.stack([0.05 * (2 * chance[:, 4] - 1), 0.05 * (2 * chance[:, 5] - 1), (chance[:, 6] - 0.5) * 1.6], 1)
    neighbour = _neighbour(objects, place, chance[:, 7:12])
    target = (has_neighbour & np.isin(verb, (_PUSH, _STRIKE)) & (chance[:, 12] < AT_NEIGHBOUR)).astype(np.int64)
    direction = _direction(verb, target, place, neighbour, chance[:, 13:15])
    duration = np.floor(np.choose(verb, (1, 3, 3, 1, 3, 2, 4)) + np.choose(verb, (0, 4, 3, 0, 3, 2, 3)) * chance[:, 16])
    return Scenes(
        objects=objects,
        place=place,
        has_support=has_support,
        has_neighbour=has_neighbour,
        has_water=has_water,
        neighbour=neighbour,
        gravity=np.full(len(number), GRAVITY),
        verb=verb,
        onset=6 + (2 * chance[:, 15]).astype(np.int64),
        duration=duration.astype(np.int64),
        contact=np.stack([2 * chance[:, 17] - 1, 2 * chance[:, 18] - 1], 1),
        direction=direction,
        force=_between(verb, chance[:, 19], _FORCE, np.log) * np.isin(verb, (_PUSH, _LIFT, _SQUEEZE, _DROP)),
        speed=_between(verb, chance[:, 20], _SPEED) / np.where(verb == _DROP, duration * FRAME, 1),
        tip=7 + 4.3 * chance[:, 21],
        target=target,
        aperture=0.04 + 0.13 * chance[:, 22] ** 0.4,
        seed=np.random.default_rng((seed, 2)).integers(1 << 32) + number.astype(np.uint64),
    )


# Lowest and highest by verb: force, N; speed, m/s (drop: height, m; tilt: rad/s; squeeze, none: not used).
_FORCE = np.array([(1, 1), (1, 25), (8, 60), (1, 1), (5, 60), (15, 60), (1, 1)])
_SPEED = np.array([(0, 0), (0.1, 0.5), (0.2, 0.5), (0.3, 1.8), (0, 0), (0.03, 0.16), (1.2, 2.8)])


def _between(verb, chance, ranges, scale=lambda values: values):
    """Values between those of the verb, evenly or in the logarithm."""
    low, high = scale(ranges[verb].T.astype(float))
    value = low + (high - low) * chance
    return np.exp(value) if scale is np.log else value


def _neighbour(objects: Objects, place: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Neighbours (n, 5), beside the object: x, y, radius, mass, hue."""
    radius = 0.02 + 0.015 * chance[:, 0]
    mass = 400.0 * np.pi * radius**2 * NEIGHBOUR_HEIGHT * (0.5 + 1.5 * chance[:, 1])
    angle = 2 * np.pi * chance[:, 2]
    reach = 0.5 * np.hypot(objects.extents[:, 0], objects.extents[:, 1]) + radius + 0.005 + 0.04 * chance[:, 3]
    x, y = place[:, 0] + reach * np.cos(angle), place[:, 1] + reach * np.sin(angle)
    limit = TABLE - radius
    return np.stack([np.clip(x, -limit, limit), np.clip(y, -limit, limit), radius, mass, chance[:, 4]], 1)


def _direction(verb, target, place, neighbour, chance):
    """Direction of the action: at the neighbour towards the object or anywhere, of a tilt along x, else anywhere."""
    angle = 2 * np.pi * chance[:, 0] - np.pi
    towards = np.arctan2(place[:, 1] - neighbour[:, 1], place[:, 0] - neighbour[:, 0]) + 0.6 * (chance[:, 1] - 0.5)
    angle = np.where(target == 1, towards, angle)
    return np.where(verb == _TILT, np.where(chance[:, 0] < 0.5, 0.0, np.pi), angle)
