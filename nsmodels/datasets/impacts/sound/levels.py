"""Loudness, pitch and decay of a clip's sound, from its modes: without the samples, so that twins need no synthesis.

Two modes that an impact excites, amplitudes a, b, dampings c, d, angular frequencies v, w, share the energy (Pa² s)

    ab ∫ e^(-(c+d)t) sin vt sin wt dt = ab/2 · (s / (s² + (v-w)²) - s / (s² + (v+w)²)),    s = c + d,

which is a²/(4d) for one that rings long, and decays with s. All pairs of a body are added; energies of different
impacts and bodies are added as if they did not interfere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.impacts.scenes import BIN, FRAME, NUM_BINS, NUM_STEPS, Motion, Scenes
from nsmodels.datasets.impacts.sound.blows import BREAK_TIME, BROKEN, HELD, blows_of
from nsmodels.datasets.impacts.sound.modes import NUM_MODES
from nsmodels.datasets.impacts.sound.synthesis import NUM_SAMPLES, ROOM, SAMPLE_RATE
from nsmodels.datasets.impacts.sound.voices import NUM_VOICES, voices_of

REFERENCE = 20e-6  # Pa
SECONDS = NUM_SAMPLES / SAMPLE_RATE
SILENCE = 0.1 * ROOM**2 * SECONDS  # Pa² s, 10 dB below the noise: not heard
CLICK_PITCH = 0.6  # centre of the spectrum of a click, in units of 1 / its width


def levels(scenes: Scenes, motion: Motion) -> NDArray[np.float64]:
    """Loudness (dB re 20 µPa, mean over a second, noise included), pitch (log2 Hz), decay (log10 s): float64 (n, 3).

    Pitch is the centre of the spectrum by energy, decay the mean decay time by energy; both NaN where nothing is heard.
    """
    voices = voices_of(scenes)
    blows = blows_of(scenes, motion, voices)
    sums = np.zeros((len(scenes), 3))
    _sums(voices, blows, sums)
    energy = sums[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        loudness = 10 * np.log10((energy / SECONDS + ROOM**2) / REFERENCE**2)
        pitch, decay = np.log2(sums[:, 1] / energy), np.log10(sums[:, 2] / energy)
    is_heard = energy > SILENCE
    return np.stack([loudness, np.where(is_heard, pitch, np.nan), np.where(is_heard, decay, np.nan)], axis=1)


def is_heard(loudness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a loudness (n,) is more than the noise alone, as `levels` decides it."""
    return loudness > 10 * np.log10((SILENCE / SECONDS + ROOM**2) / REFERENCE**2)


@njit(cache=True, nogil=True)
def _sums(voices, blows, sums):
    """Add energy, energy times frequency and energy times decay time of all parts of all clips, (n, 3)."""
    for i in range(len(sums)):
        for c in range(blows.start[i], blows.start[i + 1]):
            extra = _extra(blows, i, blows.time[c])
            for j in range(NUM_VOICES):
                for k in range(j, (j // NUM_MODES + 1) * NUM_MODES):
                    shared = _shared(voices, i, j, k, extra, SECONDS - blows.time[c])
                    energy = (1.0 if j == k else 2.0) * blows.amplitude[c, j] * blows.amplitude[c, k] * shared
                    rate = voices.damping[i, j] + voices.damping[i, k] + (2 * extra if k < NUM_MODES else 0.0)
                    _add(sums[i], energy, 0.5 * (voices.frequency[i, j] + voices.frequency[i, k]), 1.0 / rate)
            # ∫ (C g')² = C² π⁴ / (8 T³): g' is a cosine of amplitude π²/(2T²) that lasts T.
            width = blows.width[c]
            energy = blows.click[c] ** 2 * math.pi**4 / (8.0 * width**3)
            _add(sums[i], energy, min(CLICK_PITCH / width, SAMPLE_RATE / 3.0), width)
        _add_noise(voices, blows, i, sums[i])


@njit(cache=True, nogil=True)
def _shared(voices, i, j, k, extra, length):
    """Energy of two modes of clip i in `length` s, for amplitudes of 1."""
    rate = voices.damping[i, j] + voices.damping[i, k] + (2 * extra if k < NUM_MODES else 0.0)
    apart = 2 * math.pi * (voices.frequency[i, j] - voices.frequency[i, k])
    whole = 2 * math.pi * (voices.frequency[i, j] + voices.frequency[i, k])
    share = 0.5 * (rate / (rate * rate + apart * apart) - rate / (rate * rate + whole * whole))
    return share * (1.0 - math.exp(-rate * max(length, 0.0)))


@njit(cache=True, nogil=True)
def _extra(blows, i, time):
    """Damping by fingers and cracks at a time."""
    step = min(max(int(time / FRAME), 0), NUM_STEPS - 1)
    return (HELD if blows.is_held[i, step] else 0.0) + (BROKEN if time >= blows.cracked[i] else 0.0)


@njit(cache=True, nogil=True)
def _add(sums, energy, frequency, time):
    sums[0] += energy
    sums[1] += energy * frequency
    sums[2] += energy * time


@njit(cache=True, nogil=True)
def _add_noise(voices, blows, i, sums):
    """Energy of the modes that sliding and breaking drive: one blow a sample, each with its own energy."""
    for b in range(NUM_BINS):
        if blows.rubbing[i, b] > 0.0:
            extra = _extra(blows, i, b * BIN)
            keep = math.exp(-2.0 * math.pi * blows.pace[i, b] / SAMPLE_RATE)
            for k in range(NUM_VOICES):
                rate = voices.damping[i, k] + (extra if k < NUM_MODES else 0.0)
                # Spectrum of the one-pole noise at the frequency of the mode, in units of white noise.
                turn = math.cos(2.0 * math.pi * voices.frequency[i, k] / SAMPLE_RATE)
                share = (1.0 - keep * keep) / (1.0 - 2.0 * keep * turn + keep * keep)
                square = (blows.touch[i, k] * blows.rubbing[i, b]) ** 2 * share * BIN * SAMPLE_RATE
                _add(sums, 0.25 * square / rate, voices.frequency[i, k], 0.5 / rate)
    if blows.cracked[i] < SECONDS:
        for k in range(NUM_VOICES):
            rate = voices.damping[i, k] + (BROKEN if k < NUM_MODES else 0.0)
            square = (blows.touch[i, k] * blows.shatter[i]) ** 2 * 0.5 * BREAK_TIME * SAMPLE_RATE
            _add(sums, 0.25 * square / rate, voices.frequency[i, k], 0.5 / rate)
