"""Contact of two bodies: how long it lasts, how large its force is, whether it breaks one of them. Compiled."""

from __future__ import annotations

import math

from numba import njit

TABLE_YOUNG = 11e9  # Pa; table and floor are of wood
EDGE_RADIUS = 0.004  # m, by which edges and corners are rounded
ONE_LESS = 0.91  # 1 - nu^2 of what touches the object


@njit(cache=True, nogil=True)
def stiffness(young, poisson, other):
    """E*, Pa, of two touching bodies: 1 / E* = (1 - nu1^2) / E1 + (1 - nu2^2) / E2."""
    return 1.0 / ((1.0 - poisson * poisson) / young + ONE_LESS / other)


@njit(cache=True, nogil=True)
def duration(mass, radius, modulus, speed):
    """Time, s, that two bodies touch after Hertz: 2.87 (m^2 / (R E*^2 v))^(1/5), m the reduced mass.

    It is 2.94 d / v, d the deepest indentation (15 m v^2 / (16 sqrt(R) E*))^(2/5); Johnson, Contact Mechanics, 1985.
    """
    return 2.87 * (mass * mass / (radius * modulus * modulus * max(speed, 1e-3))) ** 0.2


@njit(cache=True, nogil=True)
def peak_force(impulse, duration):
    """Largest force, N, of a half sine with this impulse: J = 2 F tau / pi."""
    return math.pi * impulse / (2.0 * duration)


@njit(cache=True, nogil=True)
def bending_stress(force, shape, length, width, height, wall):
    """Largest stress, Pa, in the object under a force across its thinnest part, as if it were applied slowly.

    A bar on two supports has F L / 4 over b h^2 / 6; a plate, disc or wall about F / h^2 (Roark, a load in the middle,
    the logarithm of size over contact being about two); a ball is split by F / (pi r^2).
    """
    if shape == 1:
        return 1.5 * force * length / (width * height * height)
    if shape == 4:
        return force / (math.pi * 0.25 * length * length)
    thin = wall if wall > 0 else height
    return force / (thin * thin)
