"""How strongly a blow at a place excites each mode of a body: shapes of the modes, compiled.

A place is (u, v) in [-1, 1]: along the length and the width of a body, from its middle. A shape is 1 at its largest;
MEAN_SQUARE is its mean square over the body: the mass that moves with a mode is the mass of the body times it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

PLATE_KIND, BAR_KIND, BOX_KIND, DISC_KIND, BALL_KIND = range(5)
KINDS = ("plate", "bar", "box", "disc", "ball")
BETA = (2.3650204, 3.9266024, 5.4978039, 7.0685827, 8.6393798)  # halves of the roots βL of `modes.BAR`
# Over the body, of Legendre products of a plate, of a free bar (1/4), of sines of a wall, of powers of a disc.
MEAN_SQUARE = np.array(
    [
        [1 / 9, 8 / 45, 1 / 5, 1 / 15, 1 / 15, 1 / 7, 1 / 7, 1 / 25],
        [0.25] * 8,
        [0.25] * 8,
        [0.17, 0.22, 0.13, 0.14, 0.11, 0.09, 0.12, 0.16],
        [0.2] * 8,
    ]
)


@njit(cache=True, nogil=True, inline="always")
def _p2(x: float) -> float:
    return 1.5 * x * x - 0.5


@njit(cache=True, nogil=True, inline="always")
def _p3(x: float) -> float:
    return x * (2.5 * x * x - 1.5)


@njit(cache=True, nogil=True)
def _free_bar(mode: int, x: float) -> float:
    """Shape of a free bar at x in [-1, 1]: even modes cosh and cos, odd ones sinh and sin; 1 at the ends."""
    b = BETA[mode]
    if mode % 2 == 0:
        return 0.5 * (math.cosh(b * x) / math.cosh(b) + math.cos(b * x) / math.cos(b))
    return 0.5 * (math.sinh(b * x) / math.sinh(b) + math.sin(b * x) / math.sin(b))


@njit(cache=True, nogil=True)
def shape_at(kind: int, mode: int, u: float, v: float) -> float:
    """Shape of a mode at a place, in [-1, 1]."""
    if kind == PLATE_KIND:
        return _plate(mode, u, v)
    if kind == BAR_KIND:
        return _free_bar(mode, u) if mode < 5 else _free_bar(mode - 5, u)
    if kind == BOX_KIND:
        return _wall(mode, u, v)
    if kind == DISC_KIND:
        return _disc(mode, u, v)
    # A blow is always at a pole of the shapes of a ball, which the blow itself chooses.
    return 1.0


@njit(cache=True, nogil=True)
def _plate(mode: int, u: float, v: float) -> float:
    """Legendre products near the shapes of a free square plate: twist, saddle, bowl, and the next five."""
    if mode == 0:
        return u * v
    if mode == 1:
        return u * u - v * v
    if mode == 2:
        return 0.75 * (u * u + v * v) - 0.5
    if mode == 3:
        return _p2(u) * v
    if mode == 4:
        return u * _p2(v)
    if mode == 5:
        return _p3(u)
    if mode == 6:
        return _p3(v)
    return _p2(u) * _p2(v)


@njit(cache=True, nogil=True)
def _wall(mode: int, u: float, v: float) -> float:
    """Products of sines of a wall with hinged edges."""
    i = (1, 1, 2, 2, 1, 3, 2, 3)[mode]
    j = (1, 2, 1, 2, 3, 1, 3, 2)[mode]
    return math.sin(0.5 * math.pi * i * (u + 1.0)) * math.sin(0.5 * math.pi * j * (v + 1.0))


@njit(cache=True, nogil=True)
def _disc(mode: int, u: float, v: float) -> float:
    """Powers of the radius near the shapes of a free disc; a nodal diameter is a quarter wave from the blow."""
    radius = min(math.sqrt(u * u + v * v), 1.0)
    if mode == 1:
        return 1.75 * radius * radius - 0.75
    if mode == 3:
        return radius * (2.4 * radius * radius - 1.4)
    if mode == 6:
        return radius * radius * (2.6 * radius * radius - 1.6)
    if mode == 7:
        return 1.0 - 3.8 * radius * radius * (1.0 - 0.5 * radius * radius)
    power = (2, 0, 3, 0, 4, 5, 0, 0)[mode]
    return radius**power


def mean_square_of(kind: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean squares of the shapes of the modes, float64 (n, K), by the kind of the body."""
    return MEAN_SQUARE[kind]
