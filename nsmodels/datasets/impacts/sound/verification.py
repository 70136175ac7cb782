"""Recorded sound against the closed formulas, written down once more: what a tapped plate or bar rings at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.impacts.physics.hand import TAP_TIME
from nsmodels.datasets.impacts.scenes import BAR, PLATE, TABLE, TABLE_THICKNESS, Scenes
from nsmodels.datasets.impacts.sound.synthesis import SAMPLE_RATE
from nsmodels.datasets.impacts.sound.voices import AUDIBLE, WOOD_FIGURES

CLEAR_LOSS = 0.006  # materials that ring
DEAD, QUIET = 0.01, 0.3  # s: of the click after the tap, and when the first action may begin
LOW = 200.0  # Hz, below which things that slide rumble
CLEAR = 100.0  # energy of a peak in units of the median
TOLERANCE = 0.02
_PADDING = 8


def frequency_faults(scenes: Scenes, sound: NDArray[np.float16]) -> list[str]:
    """Tapped plates and bars whose highest peak is at no frequency of theirs or of the table, one line each.

    `sound` (n, A) is that of the scenes. Only those of materials that ring, on the table, out of water, are compared,
    and none that moves itself: what slides is noisy.
    """
    objects = scenes.objects
    is_clear = np.isin(objects.shape, (PLATE, BAR)) & (objects.loss < CLEAR_LOSS) & scenes.has_support
    found = []
    for i in np.flatnonzero(is_clear & ~scenes.has_water & (objects.drive == 0)):
        x, y, z = objects.extents[i]
        own = _frequencies(objects.shape[i], x, y, z, objects.young[i], objects.density[i], objects.poisson[i])
        if peak := _peak(sound[i].astype(np.float64)) if (own < AUDIBLE[1]).any() else 0.0:
            table = _frequencies(PLATE, 2 * TABLE, 2 * TABLE, TABLE_THICKNESS, *WOOD_FIGURES[:3])
            expected = np.concatenate([own, table])
            if np.abs(np.log(expected / peak)).min() > TOLERANCE:
                nearest = expected[np.abs(np.log(expected / peak)).argmin()]
                name = f"object {objects.number[i]}"
                found.append(f"{name} rings at {peak:.0f} Hz; the nearest mode has {nearest:.0f} Hz")
    return found


def _frequencies(shape: int, x: float, y: float, z: float, young: float, density: float, poisson: float) -> NDArray:
    """Hz, of a free square plate by Leissa and Ritz, or of a free bar across its thickness and its width."""
    if shape == PLATE:
        roots = np.array([13.49, 19.79, 24.43, 35.02, 61.09, 63.69])
        return roots / (2 * np.pi * x * y) * np.sqrt(young * z**2 / (12 * density * (1 - poisson**2)))
    roots = (np.array([1.50562, 2.49975, 3.5, 4.5, 5.5]) * np.pi) ** 2
    return np.outer((y, z), roots / (2 * np.pi * x**2) * np.sqrt(young / (12 * density))).ravel()


def _peak(sound: NDArray[np.float64]) -> float:
    """Frequency of the highest peak between tap and action, Hz; 0 where none stands out."""
    part = sound[round((TAP_TIME + DEAD) * SAMPLE_RATE) : round(QUIET * SAMPLE_RATE)]
    energy = np.abs(np.fft.rfft(part * np.hanning(len(part)), _PADDING * len(part))) ** 2
    frequency = np.fft.rfftfreq(_PADDING * len(part), 1 / SAMPLE_RATE)
    heard = (frequency > LOW) & (frequency < AUDIBLE[1])
    energy, frequency = energy[heard], frequency[heard]
    return float(frequency[energy.argmax()]) if energy.max() > CLEAR * np.median(energy) else 0.0
