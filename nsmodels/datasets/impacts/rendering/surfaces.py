"""Colour of a surface: its pattern, its roughness, its gloss, compiled. Colours are linear."""

from __future__ import annotations

import math

import numpy as np

from nsmodels.datasets.impacts.rendering.camera import compiled
from nsmodels.datasets.impacts.rendering.surroundings import SUN, sky

PLAIN, METAL, GRAIN, SPECKLED = range(4)
RING, SPECK, BUMP = 0.014, 0.011, 0.0095  # m: rings of wood, grains of stone, bumps of a rough surface
CONTRAST = 1.4  # between bumps of the roughest
AMBIENT, SUNLIGHT = 0.40, 0.75
MIRROR = 0.04  # share of the light that a smooth dielectric sends back at right angles
_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@compiled
def _corner(i: int, j: int, k: int, seed: np.uint64) -> float:
    """A number in [0, 1) that belongs to a corner of the grid."""
    z = (np.uint64(i + 4096) * _A) ^ (np.uint64(j + 4096) * _B) ^ (np.uint64(k + 4096) * _C) ^ seed
    z = (z ^ (z >> np.uint64(30))) * _B
    z = (z ^ (z >> np.uint64(27))) * _C
    return float((z >> np.uint64(40)) & np.uint64(0xFFFFFF)) / 16777216.0


@compiled
def value_noise(x: float, y: float, z: float, seed: np.uint64) -> float:
    """Smooth noise in [0, 1): numbers at the corners of a unit grid, joined linearly."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    total = 0.0
    for corner in range(8):
        a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
        share = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
        total += share * _corner(int(i) + a, int(j) + b, int(k) + c, seed)
    return total


@compiled
def shade_of(look: int, roughness: float, x: float, y: float, z: float, seed: np.uint64) -> float:
    """Factor of the colour at a place of the body, m: pattern of the material and bumps."""
    factor = 1.0
    if look == GRAIN:
        wave = value_noise(x / 0.05, y / 0.02, z / 0.02, seed)
        factor = 0.80 + 0.28 * math.sin(2 * math.pi * (math.sqrt(y * y + 4 * z * z) / RING + wave))
    elif look == SPECKLED:
        factor = 0.55 + 0.9 * value_noise(x / SPECK, y / SPECK, z / SPECK, seed)
    # Bumps are facets, each as bright as it happens to face the light.
    facet = _corner(math.floor(x / BUMP), math.floor(y / BUMP), math.floor(z / BUMP), seed ^ _A)
    factor *= 1.0 + CONTRAST * roughness * (facet - 0.5)
    return factor


@compiled
def ambient(nz: float) -> float:
    """Light from all sides on a surface: more from above than from below."""
    return AMBIENT * (0.65 + 0.35 * nz)


@compiled
def lit(colour, look, roughness, nx, ny, nz, dx, dy, dz, sun):
    """Light from a surface to the eye: scattered by the body, and reflected at the surface. sun: share that arrives."""
    facing = max(0.0, nx * SUN[0] + ny * SUN[1] + nz * SUN[2]) * sun
    light = ambient(nz) + SUNLIGHT * facing
    towards = -(dx * nx + dy * ny + dz * nz)
    rx, ry, rz = dx + 2 * towards * nx, dy + 2 * towards * ny, dz + 2 * towards * nz
    gloss = (1.0 - roughness) ** 2
    # A smooth surface shows a small, bright lamp, a rough one a wide, dim one: the same light (Blinn & Phong).
    power = 4.0 + 120.0 * gloss
    mirrored = sun * max(0.0, rx * SUN[0] + ry * SUN[1] + rz * SUN[2])
    lamp = (power + 2) / 20.0 * mirrored**power if mirrored > 0.5 else 0.0
    red, green, blue = sky(rx, ry, rz) if rz > -0.1 else (0.2, 0.19, 0.17)
    if look == METAL:
        share = 0.55 + 0.4 * gloss
        dull = (1.0 - share) * light
        return (
            colour[0] * (dull + share * (red + 0.8 * lamp)),
            colour[1] * (dull + share * (green + 0.8 * lamp)),
            colour[2] * (dull + share * (blue + 0.8 * lamp)),
        )
    share = gloss * (MIRROR + (1 - MIRROR) * (1 - min(1.0, max(0.0, towards))) ** 5)
    lamp *= MIRROR * 2.0
    return (
        colour[0] * light + share * red + lamp,
        colour[1] * light + share * green + lamp,
        colour[2] * light + share * blue + lamp,
    )
