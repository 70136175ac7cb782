"""Clips as tensors: what a network reads of them, and what it is asked for.

Shapes: b clips of t steps, sounds of a samples, frames of h x w pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nsmodels.core.errors import InputError
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.network.heads import CONCEPTS, MOST_CONCEPTS

TARGETS = ("states", "properties", "affordances", "outcomes", "events")


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """Clips as tensors; what the clips lack is None.

    Attributes:
        observed: bool (b, 3), as in `Clips`. num_steps: t.
        samples_per_step: of the sound.
        video: uint8 (b, t, h, w, 3). maps: float (b, t, c), flattened maps of the frames in their place.
        audio: float (b, a). columns: float (b, t, c) and latents: float (b, d), encoded from the whole sound.
        cut_columns, cut_latents: likewise, of what was heard before a context. bands: float (b, t, m), mean of the
            log-mel spectrogram over each step.
        proprio, actions: float (b, t, p), (b, t, 16).
        states, properties, affordances, outcomes, events: as in `Clips`; outcomes are NaN where there is none.
        concepts: int64 (b, 2), material and shape, -1 where not given.
    """

    observed: Tensor
    num_steps: int
    samples_per_step: int = 800
    video: Tensor | None = None
    maps: Tensor | None = None
    audio: Tensor | None = None
    columns: Tensor | None = None
    latents: Tensor | None = None
    cut_columns: Tensor | None = None
    cut_latents: Tensor | None = None
    bands: Tensor | None = None
    proprio: Tensor | None = None
    actions: Tensor | None = None
    states: Tensor | None = None
    properties: Tensor | None = None
    affordances: Tensor | None = None
    outcomes: Tensor | None = None
    events: Tensor | None = None
    concepts: Tensor | None = None

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def num_samples(self) -> int:
        """Number of clips, for the loop."""
        return len(self.observed)


@dataclass(frozen=True, eq=False)
class WatchedClips(Clips):
    """Clips whose frames and sounds have been encoded, for many questions about the same clips.

    Attributes:
        maps: float16 (n, T, c), the flattened maps of the frames, in place of the video.
        columns: float16 (n, T, c) and latents: float32 (n, d), of the whole sounds.
    """

    maps: np.ndarray | None = None
    columns: np.ndarray | None = None
    latents: np.ndarray | None = None


def num_steps_of(clips: Clips) -> int:
    """Steps of clips: those of their longest array in time, else as long as the sound."""
    arrays = [clips.video, clips.proprio, clips.actions, clips.states]
    if lengths := [array.shape[1] for array in arrays if array is not None]:
        return max(lengths)
    if clips.audio is None:
        raise InputError("clips: have neither video, nor sound, nor proprioception")
    return max(1, round(clips.audio.shape[1] / clips.sample_rate * clips.frame_rate))


def batch_of(
    clips: Clips,
    rows: np.ndarray,
    maps: Tensor | None = None,
    device: torch.device | str = "cpu",
    with_targets: bool = True,
    num_steps: int | None = None,
) -> ClipBatch:
    """The clips of these rows; `maps` (n, t, c), of all clips, replace the video."""
    found: dict[str, Any] = {"observed": _tensor(clips.observed, rows), "num_steps": num_steps or num_steps_of(clips)}
    found["samples_per_step"] = round(clips.sample_rate / clips.frame_rate)
    names = (
        "audio",
        "proprio",
        "actions",
        *(TARGETS if with_targets else ()),
        *(() if maps is not None else ("video",)),
    )
    found |= {name: _tensor(array, rows) for name in names if (array := getattr(clips, name)) is not None}
    if maps is not None:
        found["maps"] = maps[torch.as_tensor(rows)].float()
    if isinstance(clips, WatchedClips):
        encoded = ("maps", "columns", "latents")
        found |= {name: _tensor(array, rows) for name in encoded if (array := getattr(clips, name)) is not None}
    if with_targets:
        found["concepts"] = concepts_of(clips, rows)
    return ClipBatch(**{name: _on(value, device) for name, value in found.items()})


def concepts_of(clips: Clips, rows: np.ndarray) -> Tensor:
    """Material and shape, int64 (b, 2), -1 for clips without these columns or with more values than can be named."""
    known = [name in clips.columns and len(clips.words.get(name, ())) <= MOST_CONCEPTS for name in CONCEPTS]
    found = [
        clips.columns[name][rows] if is_known else np.full(len(rows), -1)
        for name, is_known in zip(CONCEPTS, known, strict=True)
    ]
    return torch.as_tensor(np.stack(found, 1).astype(np.int64))


def _tensor(array: np.ndarray, rows: np.ndarray) -> Tensor:
    found = torch.from_numpy(np.array(array[rows]))
    return found.float() if found.dtype == torch.float16 else found


def _on(value: Any, device: torch.device | str) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value
