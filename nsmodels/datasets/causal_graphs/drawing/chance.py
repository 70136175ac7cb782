"""Random numbers inside compiled functions: splitmix64 (Steele et al. 2014) with an explicit state, uint64 (1,)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def uniform(state):
    """A float64 in [0, 1); advances the state."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    word = state[0]
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = word ^ (word >> np.uint64(31))
    return np.float64(word >> np.uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True)
def below(state, end):
    """An integer in 0 to `end` - 1; advances the state."""
    return np.int64(uniform(state) * end)


@njit(cache=True, nogil=True)
def shuffle(state, values, number):
    """Put the first `number` entries of a vector into random order."""
    for i in range(number - 1, 0, -1):
        j = below(state, i + 1)
        values[i], values[j] = values[j], values[i]
