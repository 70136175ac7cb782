"""Sound of a clip: damped sines of all modes, clicks, noise of sliding, of breaking and of the microphone, compiled.

Each mode is a complex number that turns and shrinks from sample to sample, z ← z e^((2πif - d)/16000); an impact adds
to it, and the sound is the sum of the imaginary parts: of a e^(-dt) sin 2πft over all impacts and modes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.impacts.scenes import BIN, FRAME, NUM_BINS, NUM_STEPS, Motion, Scenes
from nsmodels.datasets.impacts.sound.blows import BREAK_TIME, BROKEN, HELD, blows_of
from nsmodels.datasets.impacts.sound.modes import NUM_MODES
from nsmodels.datasets.impacts.sound.voices import NUM_VOICES, voices_of

SAMPLE_RATE = 16_000
NUM_SAMPLES = 16_000
FULL_SCALE = 20.0  # Pa, of a sample of 1: 120 dB re 20 µPa
ROOM = 0.004  # Pa, noise of the room and the microphone: 46 dB
BLOCK = round(BIN * SAMPLE_RATE)  # samples in which sliding and damping are even
FAINT, FAINT_BLOW = 1e-4, 1e-3  # Pa, below which a mode has ended; the same of the noise of breaking, of its beginning
_PER_STEP = round(FRAME / BIN)
_DEVIATION = math.sqrt(3.0)  # a sum of four uniform numbers in [-1/2, 1/2] has the variance 1/3
_SALT = np.uint64(0x9E3779B97F4A7C15)


def synthesize(scenes: Scenes, motion: Motion) -> NDArray[np.float16]:
    """Sound of n clips, float16 (n, 16000), in units of `FULL_SCALE`, never normalised."""
    voices = voices_of(scenes)
    blows = blows_of(scenes, motion, voices)
    pressure = np.zeros((len(scenes), NUM_SAMPLES), np.float32)
    _synthesize(voices, blows, scenes.seed.astype(np.uint64), pressure)
    return (pressure * np.float32(1 / FULL_SCALE)).astype(np.float16)


@njit(cache=True, nogil=True)
def _synthesize(voices, blows, seed, out):
    """Fill pressure, float32 (n, 16000), Pa."""
    state, noise, is_noisy = np.zeros(1, np.uint64), np.zeros(NUM_SAMPLES), np.zeros(NUM_SAMPLES // BLOCK, np.bool_)
    tables = np.zeros((2, NUM_VOICES, BLOCK + 1), np.float32)
    for i in range(len(out)):
        state[0] = seed[i] ^ _SALT
        for c in range(blows.start[i], blows.start[i + 1]):
            _add_click(blows.click[c], blows.width[c], blows.time[c], out[i])
        _noise(state, blows.rubbing[i], blows.pace[i], blows.cracked[i], blows.shatter[i], noise, is_noisy)
        _ring(i, voices, blows, noise, is_noisy, tables, out[i])
        for t in range(NUM_SAMPLES):
            out[i, t] += np.float32(ROOM) * _normal(state)


@njit(cache=True, nogil=True, inline="always")
def _normal(state):
    """A random number of mean 0 and deviation 1, nearly normal: four uniform ones of 16 bits, by splitmix64."""
    state[0] += _SALT
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    low = np.uint64(0xFFFF)
    total = (z & low) + ((z >> np.uint64(16)) & low) + ((z >> np.uint64(32)) & low) + (z >> np.uint64(48))
    return np.float32((np.float64(total) / 65536.0 - 2.0) * _DEVIATION)


@njit(cache=True, nogil=True)
def _add_click(strength, width, time, out):
    """Add C g'(t), each sample its mean over the sample, (C g(t + 1/16000) - C g(t)) 16000."""
    first = int(time * SAMPLE_RATE)
    last = min(int((time + width) * SAMPLE_RATE) + 1, NUM_SAMPLES)
    before = 0.0
    for t in range(max(first, 0), last):
        phase = ((t + 1) / SAMPLE_RATE - time) / width
        after = 0.5 * math.pi / width * math.sin(math.pi * phase) if 0.0 < phase < 1.0 else 0.0
        out[t] += strength * (after - before) * SAMPLE_RATE
        before = after


@njit(cache=True, nogil=True)
def _noise(state, rubbing, pace, cracked, shatter, noise, is_noisy):
    """Fill the blows of sliding and breaking, N s a sample, and which blocks have any."""
    noise[:], is_noisy[:] = 0.0, False
    smooth = 0.0
    for b in range(NUM_BINS):
        if rubbing[b] <= 0.0:
            smooth = 0.0
            continue
        is_noisy[b] = True
        # One pole at the pace, scaled so that the deviation stays: y ← y + k (x - y) has variance k / (2 - k).
        keep = math.exp(-2.0 * math.pi * pace[b] / SAMPLE_RATE)
        level = rubbing[b] * math.sqrt((1.0 + keep) / (1.0 - keep))
        for t in range(b * BLOCK, (b + 1) * BLOCK):
            smooth = keep * smooth + (1.0 - keep) * _normal(state)
            noise[t] = level * smooth
    level, shrink = shatter, math.exp(-1.0 / (BREAK_TIME * SAMPLE_RATE))
    for t in range(min(int(min(cracked, 1e3) * SAMPLE_RATE), NUM_SAMPLES), NUM_SAMPLES):
        if level < FAINT_BLOW * shatter:
            break
        noise[t] += level * _normal(state)
        is_noisy[t // BLOCK] = True
        level *= shrink


@njit(cache=True, nogil=True)
def _ring(i, voices, blows, noise, is_noisy, tables, out):
    """Add the modes of clip i, driven by its impacts and its noise."""
    re, im = np.zeros(NUM_VOICES), np.zeros(NUM_VOICES)
    c, last, condition = blows.start[i], blows.start[i + 1], -1.0
    for block in range(NUM_SAMPLES // BLOCK):
        begin, end = block * BLOCK, (block + 1) * BLOCK
        extra = _extra_damping(blows.is_held[i, min(block // _PER_STEP, NUM_STEPS - 1)], begin, blows.cracked[i])
        if extra != condition:
            _fill_tables(voices.frequency[i], voices.damping[i], voices.gain[i], extra, tables)
            condition = extra
        while True:
            # A block is cut where an impact begins.
            is_hit = c < last and blows.time[c] * SAMPLE_RATE < end
            until = max(math.ceil(blows.time[c] * SAMPLE_RATE), begin) if is_hit else end
            for k in range(NUM_VOICES):
                if voices.gain[i, k] > 0.0 and is_noisy[block]:
                    _drive(k, begin, until, re, im, tables, blows.touch[i, k], noise, out)
                elif abs(re[k]) + abs(im[k]) > FAINT:
                    _decay(k, begin, until, re, im, tables, out)
            if not is_hit:
                break
            # A mode turns before its sample is taken, so that it begins one sample earlier.
            late = (until - 1) / SAMPLE_RATE - blows.time[c]
            _strike(blows.amplitude[c], late, voices.frequency[i], voices.damping[i], extra, re, im)
            begin, c = until, c + 1


@njit(cache=True, nogil=True)
def _extra_damping(is_held, sample, cracked):
    return (HELD if is_held else 0.0) + (BROKEN if sample >= cracked * SAMPLE_RATE else 0.0)


@njit(cache=True, nogil=True)
def _fill_tables(frequency, damping, gain, extra, tables):
    """Powers 0 to BLOCK of e^((2πif - d)/16000), their real and imaginary parts; fingers and cracks damp the object."""
    for k in range(NUM_VOICES):
        if gain[k] > 0.0:
            rate = damping[k] + (extra if k < NUM_MODES else 0.0)
            shrink, angle = math.exp(-rate / SAMPLE_RATE), 2 * math.pi * frequency[k] / SAMPLE_RATE
            x, y, u, v = 1.0, 0.0, shrink * math.cos(angle), shrink * math.sin(angle)
            for t in range(BLOCK + 1):
                tables[0, k, t], tables[1, k, t] = x, y
                x, y = x * u - y * v, x * v + y * u


@njit(cache=True, nogil=True)
def _strike(amplitude, late, frequency, damping, extra, re, im):
    """Begin a sine in each mode `late` seconds ago."""
    for k in range(NUM_VOICES):
        if amplitude[k] != 0.0:
            angle, rate = 2 * math.pi * frequency[k] * late, damping[k] + (extra if k < NUM_MODES else 0.0)
            level = amplitude[k] * math.exp(-rate * late)
            re[k] += level * math.cos(angle)
            im[k] += level * math.sin(angle)


@njit(cache=True, nogil=True, fastmath=True)
def _decay(k, begin, end, re, im, tables, out):
    """Add a mode that nothing drives: all samples from the powers at once."""
    x, y = np.float32(re[k]), np.float32(im[k])
    cosine, sine, part = tables[0, k], tables[1, k], out[begin:end]
    for t in range(end - begin):
        part[t] += x * sine[t + 1] + y * cosine[t + 1]
    u, v = cosine[end - begin], sine[end - begin]
    re[k], im[k] = re[k] * u - im[k] * v, re[k] * v + im[k] * u


@njit(cache=True, nogil=True)
def _drive(k, begin, end, re, im, tables, touch, noise, out):
    """Add a mode that noise drives, sample by sample.

    Noise begins cosines: a sum of sines would let through its low frequencies, which no small body radiates.
    """
    x, y, u, v = re[k], im[k], tables[0, k, 1], tables[1, k, 1]
    for t in range(begin, end):
        y += touch * noise[t]
        x, y = x * u - y * v, x * v + y * u
        out[t] += y
    re[k], im[k] = x, y
