"""What the hand does in a clip, as functions of time: it weighs the object, taps it, then acts. Compiled."""

from __future__ import annotations

import math

from numba import njit

# Each clip begins with the same exploration. The fingers hold the object and lift it a little, so that its weight, its
# width, its give under two strengths of grip and its warmth are felt; they press it down and rub it along the table, so
# that its friction is felt and its roughness heard; a rod of steel taps it, so that it rings.
HEFT_END, HOLD_END, TAP_TIME = 0.10, 0.20, 0.225  # s
HEFT = 0.006  # m
RUB_WAY, RUB_FORCE = 0.008, 2.0  # m, N
GRIP, FIRM_GRIP = 10.0, 45.0  # N, in the first step and after it
TAP_SPEED, TAP_MASS, TAP_YOUNG = 0.6, 0.015, 200e9  # m/s, kg, Pa
TAP_PLACE = (0.35, 0.25)  # in half extents
ROD_MASS = 0.05  # kg
DROP_TURN = 0.2  # rad, at most, by which an object is tipped before it is dropped
HELD_HEIGHT = 0.02  # m above where the table would be, where the hand holds an object without a table
PAD_RADIUS = 0.008  # m
NO_VERB, PUSH, LIFT, STRIKE, SQUEEZE, DROP, TILT = range(7)


@njit(cache=True, nogil=True)
def ease(time, length):
    """Smooth way from 0 to 1 in a time: 3 t^2 - 2 t^3, its speed and its acceleration."""
    if time <= 0.0:
        return 0.0, 0.0, 0.0
    if time >= length:
        return 1.0, 0.0, 0.0
    t = time / length
    return t * t * (3.0 - 2.0 * t), 6.0 * t * (1.0 - t) / length, (6.0 - 12.0 * t) / (length * length)


@njit(cache=True, nogil=True)
def heft(time):
    """Height of the weighing, m, and its speed: HEFT sin^2 (pi t / HEFT_END)."""
    if time >= HEFT_END:
        return 0.0, 0.0
    rate = 2.0 * math.pi / HEFT_END
    return 0.5 * HEFT * (1.0 - math.cos(rate * time)), 0.5 * HEFT * rate * math.sin(rate * time)


@njit(cache=True, nogil=True)
def give(force, modulus, young, poisson, side, width, wall):
    """How far, m, the two fingers come together: round pads sink into the object (Hertz), the walls of a box bend.

    A sphere of radius R sinks (9 F^2 / (16 R E*^2))^(1/3); the middle of a clamped plate with sides a bends by
    0.0056 F a^2 / D, D = E h^3 / (12 (1 - nu^2)) (Timoshenko and Woinowsky-Krieger, Theory of Plates and Shells).
    """
    sunk = (9.0 * force * force / (16.0 * PAD_RADIUS * modulus * modulus)) ** (1.0 / 3.0)
    if wall > 0.0:
        sunk += 0.0056 * force * side * side * 12.0 * (1.0 - poisson * poisson) / (young * wall**3)
    return min(2.0 * sunk, 0.6 * width)


@njit(cache=True, nogil=True)
def pad_friction(friction):
    """Coefficient of friction of the soft pads of the fingers on an object, of its coefficient on the table."""
    return 0.5 + 0.5 * friction
