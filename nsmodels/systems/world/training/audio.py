"""Phase 2: hearing learns from pairs of views of sounds, and from the reconstruction of their spectrogram.

Shapes: b sounds of a samples, v = 2b views, m mel bands by f windows, p parts of the duration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float16
from torch import Tensor, nn

from nsmodels.engine.batching import Batches
from nsmodels.engine.task import Shard
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import AudioConfig, AudioViewsConfig
from nsmodels.systems.world.network.audio import AudioModule
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.encoder import EncoderTask, contrast
from nsmodels.systems.world.training.source import Drawn
from nsmodels.systems.world.training.views import SoundViews, add_noise, draw_sound_views, noise_tape, warp_sounds


@dataclass(frozen=True)
class SoundPairs:
    """Sounds and two views of each (b, 2)."""

    samples: Float16[Tensor, "b a"]
    views: SoundViews


@final
class AudioTask(EncoderTask):
    """NT-Xent between two views of a sound, the hinge on the variance of the latents, and the mel reconstruction."""

    modality, samples = "audio", "sounds"
    config: AudioConfig

    def __init__(self, config: AudioConfig, settings: Mapping[str, Any], data: Path) -> None:
        super().__init__(config, settings, data)
        self.source.require_rate(config.model.sample_rate)

    def build(self) -> WorldNetwork:
        """The network with random weights."""
        network = super().build()
        self.tape = noise_tape(network.audio.mel)
        return network

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Sounds and their views."""
        return self.source.batches(split, epoch, shard, lambda drawn: pairs_of(drawn, self.config.views))

    def loss(self, model: nn.Module, batch: SoundPairs) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum, its terms, and the variance of the latents."""
        assert isinstance(model, WorldNetwork)
        audio, objective = model.audio, self.config.objective
        clean, heard = self._viewed(audio, batch)
        latents = audio(heard).latents
        terms = contrast(audio, latents, objective.temperature)
        # The probe learns at its own weight of 1; what reaches the encoder through it is scaled by `mel_weight`.
        probed = latents.detach() + objective.mel_weight * (latents - latents.detach())
        terms["mel_error"] = F.mse_loss(audio.decoder(probed), audio.decoder.target(clean))
        loss = terms["contrastive"] + objective.variance_weight * terms["variance"] + terms["mel_error"]
        return loss, terms

    def _viewed(self, audio: AudioModule, batch: SoundPairs) -> tuple[Tensor, Tensor]:
        """Spectrograms of the views (v, m, f), without and with noise."""
        views = SoundViews(*(getattr(batch.views, name).flatten() for name in batch.views.__dataclass_fields__))
        with torch.no_grad():
            mel = audio.mel(batch.samples).repeat_interleave(2, dim=0)
            clean = warp_sounds(mel, views, audio.mel)
            self.tape = self.tape.to(mel.device)
            return clean, add_noise(clean, views, audio.mel, self.tape)

    def latents(self, model: WorldNetwork, clips: Clips, rows: np.ndarray) -> Float[Tensor, "k d"]:
        """Latents of the sounds of the clips in these rows."""
        assert clips.audio is not None
        samples = torch.from_numpy(clips.audio[rows]).to(model.audio.head.weight.device)
        return model.audio(model.audio.mel(samples)).latents


def pairs_of(drawn: Drawn, config: AudioViewsConfig) -> SoundPairs:
    """The sounds of a part and two views of each."""
    assert drawn.clips.audio is not None
    views = draw_sound_views(drawn.part, drawn.random, config)
    return SoundPairs(torch.from_numpy(drawn.clips.audio[drawn.part.rows]), views)
