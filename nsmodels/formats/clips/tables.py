"""Clips in memory: arrays with a row per clip. What a source does not have is None, or not observed in that clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from nsmodels.formats.clips.names import MODALITIES


@dataclass(frozen=True, eq=False)
class Clips:
    """n clips of T steps. Arrays may be memory-mapped files.

    Attributes:
        ids: names (n,), different in all splits.
        observed: bool (n, 3), whether the clip has vision, audio, proprioception; where not, its row is all zeros and
            must not be read.
        video: uint8 (n, T, H, W, 3), RGB; a picture is a video of one step.
        audio: float16 (n, A), sound pressure in units of full scale, never normalised by clip.
        proprio: float32 (n, T, P), see `names.PROPRIO`.
        actions: float32 (n, T, 16), the action that acts during a step; see `names.ACTION`.
        states: float32 (n, T, S), the exact state at the end of a step; see `names.STATES`.
        properties: float32 (n, 9) in [0, 1].
        affordances: bool (n, 8).
        outcomes: float32 (n, O), NaN where there is none (the pitch of silence).
        events: bool (n, E).
        columns: further int64 or float32 columns (n,) by name: object, shape, material, label ...
        words: names of the values of integer columns, as {"shape": ("plate", ...)}.
        sample_rate: of the audio, Hz.
        frame_rate: steps per second.
    """

    ids: np.ndarray
    observed: np.ndarray
    video: np.ndarray | None = None
    audio: np.ndarray | None = None
    proprio: np.ndarray | None = None
    actions: np.ndarray | None = None
    states: np.ndarray | None = None
    properties: np.ndarray | None = None
    affordances: np.ndarray | None = None
    outcomes: np.ndarray | None = None
    events: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sample_rate: int = 16_000
    frame_rate: float = 20.0

    def __len__(self) -> int:
        return len(self.ids)

    def has(self, modality: str) -> np.ndarray:
        """Bool (n,): whether a clip has the modality."""
        return self.observed[:, MODALITIES.index(modality)]

    def take(self, rows: np.ndarray) -> Self:
        """The clips of these rows, int64 (k,); memory-mapped arrays are read."""
        return _take(self, rows)


@dataclass(frozen=True, eq=False)
class Twins:
    """m clips simulated once more with one thing changed, everything random kept.

    Attributes:
        base: int64 (m,), row of the clip as it was.
        variable: int64 (m,), index into `names.VARIABLES`.
        change: float32 (m,), what a model is given: log of the factor (at least -3, which is to remove it), -1 for
            something removed and +1 for something added, part of a turn of the colour.
        before, after: float32 (m,), the value in its unit.
        states, properties, affordances, outcomes, events: of the changed clip, as in `Clips`.
    """

    base: np.ndarray
    variable: np.ndarray
    change: np.ndarray
    before: np.ndarray
    after: np.ndarray
    states: np.ndarray
    properties: np.ndarray
    affordances: np.ndarray
    outcomes: np.ndarray
    events: np.ndarray

    def __len__(self) -> int:
        return len(self.base)

    def take(self, rows: np.ndarray) -> Self:
        """The twins of these rows, int64 (k,)."""
        return _take(self, rows)


def _take(table, rows: np.ndarray):
    """The rows of every array of a table."""
    found = {}
    for each in dataclasses.fields(table):
        value = getattr(table, each.name)
        if isinstance(value, np.ndarray):
            found[each.name] = np.asarray(value[rows])
        elif each.name == "columns":
            found[each.name] = {name: column[rows] for name, column in value.items()}
    return dataclasses.replace(table, **found)
