"""Modes of vibration of plates, bars, boxes, discs and balls: frequencies in closed form, shapes, damping.

Legend, SI units: E Young's modulus, ρ density, ν Poisson's ratio, η loss factor, h thickness, a side of a square plate,
L length of a bar, R radius. Every function takes arrays (n,) and returns arrays (n, NUM_MODES).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NUM_MODES = 8
WATER = 1000.0  # kg/m3
AIR_DAMPING = 3.0  # 1/s, what a free body loses to air and supports at any frequency
Floats = NDArray[np.float64]

# Free square plate: λ², the first five by Leissa, "The free vibration of rectangular plates" (J. Sound Vib. 31, 1973),
# the others by a converged Ritz series of Legendre polynomials at ν = 0.3 (tests/datasets/impacts compute it again).
PLATE = np.array([13.49, 19.79, 24.43, 35.02, 35.02, 61.09, 61.09, 63.69])
# Free bar: the roots βL of cosh x cos x = 1. It bends across its thickness in five modes, across its width in three.
BAR = np.array([4.730041, 7.853205, 10.995608, 14.137165, 17.278760])
NUM_FLAT, NUM_EDGE = 5, 3
# Free circular plate, ν = 1/3: λ² of 2 nodal diameters and 0 circles, then of (0, 1), (3, 0), (1, 1), (4, 0), (5, 0),
# (2, 1), (0, 2), with R for a; Itao & Crandall, "Natural modes and natural frequencies of uniform, circular, free-edge
# plates" (J. Appl. Mech. 46, 1979).
DISC = np.array([5.25, 9.08, 12.23, 20.52, 21.6, 33.1, 35.25, 38.55])
# Wall of a box, its edges hinged (they turn with the next wall, but do not move): λ² = π² (i² + j²), exact.
WALL = np.pi**2 * np.array([2.0, 5, 5, 8, 10, 10, 13, 13])
# Solid sphere: roots ωR/c of the torsional modes n = 2, 3, 4 (2.501, 3.865, 5.095) and near those of the lowest
# spheroidal ones, c the speed of shear waves; Lamb, "On the vibrations of an elastic sphere" (Proc. London Math. Soc.
# 13, 1881).
BALL = np.array([2.501, 2.65, 3.865, 3.92, 5.095, 5.10, 5.4, 6.3])


def plate_modes(side: Floats, thickness: Floats, young: Floats, density: Floats, poisson: Floats) -> Floats:
    """Hz (n, K) of a free square plate: f = λ²/(2πa²) · sqrt(E h²/(12 ρ (1 - ν²)))."""
    speed = thickness * np.sqrt(young / (12 * density * (1 - poisson**2)))
    return PLATE * (speed / (2 * np.pi * side**2))[:, None]


def disc_modes(radius: Floats, thickness: Floats, young: Floats, density: Floats, poisson: Floats) -> Floats:
    """Hz (n, K) of a free circular plate; λ² refers to the radius."""
    speed = thickness * np.sqrt(young / (12 * density * (1 - poisson**2)))
    return DISC * (speed / (2 * np.pi * radius**2))[:, None]


def bar_modes(length: Floats, width: Floats, thickness: Floats, young: Floats, density: Floats) -> Floats:
    """Hz (n, K) of a free bar: f = (βL)²/(2πL²) · sqrt(EI/(ρA)), I/A = h²/12; then the same across the width."""
    speed = np.sqrt(young / density)[:, None] / (2 * np.pi * length**2)[:, None]
    flat = BAR[:NUM_FLAT] ** 2 * speed * (thickness / np.sqrt(12))[:, None]
    edge = BAR[:NUM_EDGE] ** 2 * speed * (width / np.sqrt(12))[:, None]
    return np.concatenate([flat, edge], axis=1)


def wall_modes(side: Floats, thickness: Floats, young: Floats, density: Floats, poisson: Floats) -> Floats:
    """Hz (n, K) of the square walls of a hollow box with hinged edges."""
    speed = thickness * np.sqrt(young / (12 * density * (1 - poisson**2)))
    return WALL * (speed / (2 * np.pi * side**2))[:, None]


def ball_modes(radius: Floats, young: Floats, density: Floats, poisson: Floats) -> Floats:
    """Hz (n, K) of a solid ball: of most materials far above what is heard, so that a ball only clicks."""
    shear = np.sqrt(young / (2 * (1 + poisson) * density))
    return BALL * (shear / (2 * np.pi * radius))[:, None]


def added_mass(kind: NDArray[np.int64], extents: Floats, wall: Floats, density: Floats) -> Floats:
    """Mass of the water that moves with a body under water, in units of its own, (n,)."""
    # A plate moves β = 0.669 (ρw/ρ) (R/h) of its mass on each side (Lamb, "On the vibrations of an elastic plate in
    # contact with water", Proc. R. Soc. A 98, 1920); the walls of a box on the outside; a bar a cylinder of its width,
    # (ρw/ρ) π b / (4 h); a ball hardly any in its shear modes.
    length, width, height = extents.T
    ratio = WATER / density
    flat = 2 * 0.669 * ratio * length / (2 * height)
    by_kind = [flat, ratio * np.pi * width / (4 * height), 0.669 * ratio * length / (2 * np.maximum(wall, 1e-4)), flat]
    return np.choose(kind, [*by_kind, np.zeros(len(kind))])


def damping(frequency: Floats, loss: Floats) -> Floats:
    """Rate of decay d = α + π f η in 1/s, (n, K).

    A loss factor that is the same at all frequencies makes a mode decay by π f η (Wildes & Richards, "Recovering
    material properties from sound", 1988; measured by Krotkov, Klatzky & Zumel).
    """
    return AIR_DAMPING + np.pi * frequency * loss[:, None]
