"""What each impact adds to each mode, and the noise of sliding and breaking: strengths at the microphone, compiled.

Legend: J impulse, τ contact time, f frequency of a mode, φ its shape at the place of the impact, r distance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.impacts.scenes import (
    BOX,
    FLOOR_TOP,
    FRAME,
    NEIGHBOUR,
    NUM_STEPS,
    PLATE,
    TABLE,
    TABLE_TOP,
    Motion,
    Scenes,
)
from nsmodels.datasets.impacts.sound.modes import NUM_MODES
from nsmodels.datasets.impacts.sound.shapes import shape_at
from nsmodels.datasets.impacts.sound.voices import AIR, BESIDE, NUM_VOICES, OBJECT, SPEED_OF_SOUND, WOOD, Voices

MICROPHONE = (0.0, -0.45, 0.35)  # m
ON_FLOOR = 0.2  # of the sound of the table: the floor hardly gives way
RIM = 0.3  # shape of the modes of the lid of the neighbour at its side
INSIDE = 0.8  # of half a wall: its edges, where the shapes are 0, give way too
HELD, BROKEN = 80.0, 250.0  # 1/s, added to the damping by fingers and by cracks
SCRAPE = 0.002  # blows of sliding: standard deviation of the impulse of 1/16000 s, in s times sqrt(N m) ...
GRAIN = 4e-4  # m, what passes under a sliding surface in a period of its noise
BREAK_BLOW, BREAK_TIME = 0.02, 0.03  # m/s per sample times the mass; s, in which the splinters calm down
Floats = NDArray[np.float64]


class Blows(NamedTuple):
    """What excites the modes of n clips; a tuple, which compiled functions take.

    Attributes:
        start: int64 (n + 1,), rows of the impacts of a clip. time: (c,), s.
        amplitude: (c, 3 K), Pa, of each mode after an impact; it begins as a sine.
        click: (c,), Pa s2, strength of the sound of the sudden motion, see `click_of`. width: (c,), s, of the click.
        rubbing: (n, NUM_BINS), N s, standard deviation of the blows of sliding, one a sample. pace: (n, NUM_BINS), Hz,
            up to which they are even.
        touch: (n, 3 K), Pa / (N s), what a blow of sliding or breaking gives to a mode.
        is_held: bool (n, T). cracked: (n,), s, when it broke; infinite where it did not. shatter: (n,), N s.
    """

    start: NDArray[np.int64]
    time: Floats
    amplitude: Floats
    click: Floats
    width: Floats
    rubbing: Floats
    pace: Floats
    touch: Floats
    is_held: NDArray[np.bool_]
    cracked: Floats
    shatter: Floats


def blows_of(scenes: Scenes, motion: Motion, voices: Voices) -> Blows:
    """Strengths of all that sounds in n clips."""
    contacts = motion.contacts
    # One layout in memory, so that everything is compiled once.
    names = ("start", "time", "body", "impulse", "duration", "place")
    start, time, body, impulse, duration, place = (np.ascontiguousarray(getattr(contacts, name)) for name in names)
    position = np.ascontiguousarray(motion.position)
    amplitude = np.zeros((len(contacts), NUM_VOICES))
    click, width = np.zeros((2, len(contacts)))
    _strengths(start, time, body, impulse, duration, place, position, voices, amplitude, click, width)
    speed, force = np.maximum(motion.slide_speed, 0), np.maximum(motion.slide_force, 0)
    distance = np.linalg.norm(motion.position.mean(axis=1) - MICROPHONE, axis=1)
    first = np.argmax(motion.broken, axis=1)
    return Blows(
        start,
        time,
        amplitude,
        click,
        width,
        rubbing=SCRAPE * force * np.sqrt(speed) * (0.05 + scenes.objects.roughness[:, None]),
        pace=np.clip(speed / GRAIN, 30.0, 6000.0),
        touch=0.5 * voices.gain / distance[:, None],
        is_held=np.ascontiguousarray(motion.held),
        cracked=np.where(motion.broken.any(axis=1), first * FRAME, np.inf),
        shatter=BREAK_BLOW * voices.mass,
    )


@njit(cache=True, nogil=True)
def spectrum(frequency: float, duration: float) -> float:
    """|F(f)| / J of a half sine of force: |cos πfτ / (1 - (2fτ)²)|, its Fourier transform; van den Doel & Pai 1998."""
    x = 2.0 * frequency * duration
    if abs(x - 1.0) < 1e-4:
        return 0.25 * math.pi
    return abs(math.cos(0.5 * math.pi * x) / (1.0 - x * x))


@njit(cache=True, nogil=True)
def click_of(impulse: float, duration: float, mass: float, radius: float, distance: float) -> tuple[float, float]:
    """Strength C (Pa s2) and width T (s) of the sound of a body that is suddenly moved.

    A ball of radius a that is accelerated sends out a dipole, p = ρ a³ / (2 c r) · dA/dt far away and for long waves
    (Koss & Alfredson, "Transient sound radiated by spheres undergoing an elastic collision", J. Sound Vib. 27, 1973). A
    half sine of force gives A = J/m · g(t) with g(t) = π/(2T) sin(πt/T), so that p = C g'(t).
    """
    strength = AIR * radius**3 / (2.0 * SPEED_OF_SOUND * distance) * impulse / mass
    return strength, max(duration, 1.0 / 8000.0)


@njit(cache=True, nogil=True)
def _strengths(start, time, body, impulse, duration, place, position, voices, amplitude, click, width):
    """Fill amplitude (c, 3 K), click and width (c,)."""
    for i in range(len(start) - 1):
        for c in range(start[i], start[i + 1]):
            at = position[i, min(max(int(time[c] / FRAME), 0), NUM_STEPS - 1)]
            near = _distance(at)
            click[c], width[c] = click_of(impulse[c], duration[c], voices.mass[i], voices.radius[i], near)
            for j in range(NUM_VOICES):
                strength = _excitation(j, body[c], voices.kind[i], voices.extents[i], place[c], at)
                if strength != 0.0 and voices.gain[i, j] > 0.0:
                    force = impulse[c] * spectrum(voices.frequency[i, j], duration[c])
                    amplitude[c, j] = strength * force * voices.gain[i, j] / near


@njit(cache=True, nogil=True)
def _distance(at):
    """From the microphone, m."""
    x, y, z = MICROPHONE
    return math.sqrt((at[0] - x) ** 2 + (at[1] - y) ** 2 + (at[2] - z) ** 2)


@njit(cache=True, nogil=True)
def _excitation(voice, body, kind, extents, place, at):
    """Shape of a mode where an impact acts, 0 where it acts on a different body."""
    owner, k = voice // NUM_MODES, voice % NUM_MODES
    if owner == OBJECT:
        u, v = _on_body(kind, extents, place)
        return shape_at(kind, k, u, v)
    if owner == WOOD and (body in (TABLE_TOP, FLOOR_TOP)):
        u, v = min(max(at[0] / TABLE, -1.0), 1.0), min(max(at[1] / TABLE, -1.0), 1.0)
        return shape_at(PLATE, k, u, v) * (1.0 if body == TABLE_TOP else ON_FLOOR)
    return RIM if owner == BESIDE and body == NEIGHBOUR else 0.0


@njit(cache=True, nogil=True)
def _on_body(kind, extents, place):
    """(u, v) of a place: along the first two axes, or on the wall of a box that it is nearest to."""
    x, y, z = 2 * place[0] / extents[0], 2 * place[1] / extents[1], 2 * place[2] / extents[2]
    x, y, z = min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0), min(max(z, -1.0), 1.0)
    if kind != BOX:
        return x, y
    if abs(x) >= abs(y) and abs(x) >= abs(z):
        return INSIDE * y, INSIDE * z
    if abs(y) >= abs(z):
        return INSIDE * x, INSIDE * z
    return INSIDE * x, INSIDE * y
