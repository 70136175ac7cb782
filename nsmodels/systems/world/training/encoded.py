"""What frozen encoders make of the clips of a split, computed once and kept in memory where it has room.

The stages of a chain and most variants of a study have the same encoders: what was made last stays for the next
training of the same process, until something else is made or needs the memory (`forget`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from nsmodels.core.artifact import MANIFEST
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.network.clips import batch_of, num_steps_of
from nsmodels.systems.world.network.vision import VisionModule
from nsmodels.systems.world.network.world import WorldNetwork, maps_of

MOST_BYTES = 1 << 32  # of maps, and of encoded sounds, that are kept in memory
Made = TypeVar("Made")
_last: dict[tuple[str, str], tuple[bytes, Any]] = {}  # by modality and split: what it was made from, and what was made


def forget() -> None:
    """Free what was kept for a next training."""
    _last.clear()


@dataclass(frozen=True)
class Split:
    """The clips of a split in a folder of data."""

    data: Path
    split: str
    clips: Clips

    def maps(self, network: WorldNetwork, interval: int) -> Tensor | None:
        """As `encode_maps`."""
        return self._made(network, "vision", [interval], lambda: encode_maps(network.vision, self.clips, interval))

    def sounds(self, network: WorldNetwork, contexts: np.ndarray) -> EncodedSounds | None:
        """As `encode_sounds`."""
        given = np.unique(contexts).tolist()
        return self._made(network, "audio", given, lambda: encode_sounds(network, self.clips, contexts))

    def _made(self, network: WorldNetwork, modality: str, given: list[int], make: Callable[[], Made]) -> Made:
        """What was made last, if from the same data, weights and numbers; data without a seal may have changed."""
        if not (self.data / MANIFEST).is_file():
            forget()
            return make()
        place, source = (modality, self.split), self._source(network, modality, given)
        if place not in _last or _last[place][0] != source:
            _last.pop(place, None)  # before there is a second one
            _last[place] = source, make()
        return _last[place][1]

    def _source(self, network: WorldNetwork, modality: str, given: list[int]) -> bytes:
        module: nn.Module = getattr(network, modality)
        weights = module.state_dict()
        device = next(iter(weights.values())).device
        found = hashlib.sha256(json.dumps([str(device), given, network.settings[modality]]).encode())
        found.update((self.data / MANIFEST).read_bytes())
        for value in weights.values():
            found.update(value.cpu().numpy().tobytes())
        return found.digest()


@torch.inference_mode()
def encode_maps(vision: VisionModule, clips: Clips, interval: int, batch_size: int = 16) -> Tensor | None:
    """Maps of all frames, float16 (n, t, c); None without video, and where they need too much memory."""
    if clips.video is None:
        return None
    shape = (*clips.video.shape[:2], int(np.prod(vision.map_shape)))
    if 2 * np.prod(shape) > MOST_BYTES:
        return None
    device, found = vision.head.weight.device, torch.zeros(shape, dtype=torch.float16)
    for first in range(0, len(found), batch_size):
        video = torch.from_numpy(np.array(clips.video[first : first + batch_size])).to(device)
        found[first : first + len(video)] = maps_of(vision, video, interval).half().cpu()
    return found


@dataclass(frozen=True, eq=False)
class EncodedSounds:
    """All sounds of a split as a frozen encoder hears them, whole and cut at each of k contexts.

    Attributes:
        contexts: int64 (k,), ascending.
        columns: float16 (k + 1, n, t, c), those of the whole sounds last; latents: float32 (k + 1, n, d).
        bands: float16 (n, t, m).
    """

    contexts: np.ndarray
    columns: Tensor
    latents: Tensor
    bands: Tensor

    def take(self, rows: np.ndarray, context: np.ndarray) -> dict[str, Tensor]:
        """The fields of a `ClipBatch` for these rows, cut at these contexts, int64 (b,) both."""
        cut, index = torch.as_tensor(np.searchsorted(self.contexts, context)), torch.as_tensor(rows)
        return {
            "columns": self.columns[-1, index].float(),
            "latents": self.latents[-1, index],
            "cut_columns": self.columns[cut, index].float(),
            "cut_latents": self.latents[cut, index],
            "bands": self.bands[index].float(),
        }


@torch.inference_mode()
def encode_sounds(
    network: WorldNetwork, clips: Clips, contexts: np.ndarray, batch_size: int = 64
) -> EncodedSounds | None:
    """All sounds encoded; None without sound, and where they need too much memory."""
    if clips.audio is None:
        return None
    steps, number, places = num_steps_of(clips), len(clips), np.unique(contexts)
    shape = (len(places) + 1, number, steps, network.audio.column_dim)
    if 2 * np.prod(shape) > MOST_BYTES:
        return None
    device = network.vision.head.weight.device
    columns = torch.zeros(shape, dtype=torch.float16)
    latents = torch.zeros((*shape[:2], network.audio.latent_dim))
    bands = torch.zeros((number, steps, len(network.audio.mel.bank)), dtype=torch.float16)
    sounds = replace(clips, video=None)
    for first in range(0, number, batch_size):
        rows = np.arange(first, min(first + batch_size, number))
        batch = batch_of(sounds, rows, device=device, with_targets=False, num_steps=steps)
        bands[rows] = network.bands(batch).half().cpu()
        for k, context in enumerate([*places, None]):
            cut = None if context is None else torch.full((len(rows),), int(context), device=device)
            heard = network.hear(batch, cut)
            columns[k, rows], latents[k, rows] = heard[0].half().cpu(), heard[1].cpu()
    return EncodedSounds(places, columns, latents, bands)
