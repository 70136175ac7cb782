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
from nsmodels.engine.task import Shard, Task
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import AudioConfig, AudioViewsConfig
from nsmodels.systems.world.network.audio import AudioModule
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.source import Drawn, Source, classes_of
from nsmodels.systems.world.training.views import SoundViews, add_noise, draw_sound_views, noise_tape, warp_sounds
from nsmodels.systems.world.training.vision import contrast


@dataclass(frozen=True)
class SoundPairs:
    """Sounds and two views of each (b, 2)."""

    samples: Float16[Tensor, "b a"]
    views: SoundViews


@final
class AudioTask(Task):
    """NT-Xent between two views of a sound, the hinge on the variance of the latents, and the mel reconstruction."""

    compares_samples = True  # the negatives of a sample are the others of its micro-batch

    def __init__(self, config: AudioConfig, settings: Mapping[str, Any], data: Path) -> None:
        self.config, self.network_settings = config, dict(settings)
        self.source = Source(data, "audio", config.training)
        self.source.require_rate(config.model.sample_rate)

    def build(self) -> WorldNetwork:
        """The network with random weights."""
        network = WorldNetwork(**self.network_settings)
        network.use(self.config.compute)
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

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Separation of the classes by the latents. Raises InputError for a collapse."""
        assert isinstance(model, WorldNetwork)
        clips, rows = self.source.probed()
        latents = latents_of(model.audio, clips, rows)
        objective, batch_size = self.config.objective, self.config.training.batch_size
        variance = float(contrastive.representation_variance(latents))
        contrastive.require_variance(variance, objective, "sounds", epoch, batch_size)
        return {"val/cluster_separation": contrastive.cluster_separation(latents, classes_of(clips, rows))}

    def settings(self) -> dict[str, Any]:
        """What rebuilds the network."""
        return {"network": self.network_settings}


def pairs_of(drawn: Drawn, config: AudioViewsConfig) -> SoundPairs:
    """The sounds of a part and two views of each."""
    assert drawn.clips.audio is not None
    views = draw_sound_views(drawn.part, drawn.random, config)
    return SoundPairs(torch.from_numpy(drawn.clips.audio[drawn.part.rows]), views)


def latents_of(audio: AudioModule, clips: Clips, rows: np.ndarray, batch_size: int = 128) -> Float[Tensor, "k d"]:
    """Latents of the sounds of the clips in these rows."""
    assert clips.audio is not None
    device, found = audio.head.weight.device, []
    for start in range(0, len(rows), batch_size):
        samples = torch.from_numpy(clips.audio[rows[start : start + batch_size]]).to(device)
        found.append(audio(audio.mel(samples)).latents.float())
    return torch.cat(found)
