"""Sound: from samples to a log-mel spectrogram, and from that to latents.

Shapes: b sounds of a samples, m mel bands by f windows, latents of width d, n columns of c numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.systems.world.config import AudioModelConfig
from nsmodels.systems.world.network.mel import MelSpectrogram
from nsmodels.systems.world.network.residual import projection, stage

PATCH = (8, 4)  # mel bands by windows: what the first convolution reads at once
PARTS = 5  # into which the latents divide the duration of a sound


class Heard(NamedTuple):
    """`latents` (b, d) of whole sounds, and their `columns` (b, n, c) in time, one every `AudioModule.column_time`."""

    latents: Float[Tensor, "b d"]
    columns: Float[Tensor, "b n c"]


class AudioModule(nn.Module):
    """A residual network over the spectrogram; a column of its maps is four windows: 50 ms, a step of a clip.

    Attributes:
        latent_dim: width d of the latents.
        column_dim: width c of a column.
        column_time: seconds from a column to the next; the first one begins at 0.
    """

    def __init__(self, config: AudioModelConfig, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim, widths = latent_dim, [config.base_channels * 2**k for k in range(3)]
        bands = -(-config.n_mels // PATCH[0] // 2)
        self.column_dim = widths[1] * bands
        self.column_time = PATCH[1] * config.hop_length / config.sample_rate
        self.mel = MelSpectrogram(config.sample_rate, config.n_fft, config.hop_length, config.n_mels)
        self.stem = nn.Conv2d(1, widths[0], PATCH, PATCH)
        self.stages = nn.Sequential(
            stage(widths[0], widths[0], config.num_blocks, 1), stage(widths[0], widths[1], config.num_blocks, (2, 1))
        )
        self.last = stage(widths[1], widths[2], config.num_blocks, (1, 2))
        self.head = nn.Linear(widths[2] * bands * PARTS, latent_dim)
        self.projection = projection(latent_dim, config.projection_dim)
        self.decoder = MelDecoder(latent_dim, config.n_mels)
        self.to(memory_format=torch.channels_last)

    def forward(self, mel: Float[Tensor, "b m f"]) -> Heard:
        """Latents and columns of log-mel spectrograms, which `mel` computes from samples."""
        maps = self.stages(self.stem(mel.unsqueeze(1)))
        columns = maps.flatten(1, 2).transpose(1, 2)
        last = F.adaptive_avg_pool2d(self.last(maps), (maps.shape[2], PARTS))
        return Heard(self.head(last.flatten(1)), columns)


class MelDecoder(nn.Module):
    """The probe: reconstructs the log-mel spectrogram of a sound from its latents, in 20 parts of its duration."""

    PARTS = 20

    def __init__(self, latent_dim: int, n_mels: int) -> None:
        super().__init__()
        self.n_mels = n_mels
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, latent_dim), nn.ReLU(), nn.Linear(latent_dim, n_mels * self.PARTS)
        )

    def forward(self, latents: Float[Tensor, "b d"]) -> Float[Tensor, "b m p"]:
        """The spectrogram (b, m, PARTS)."""
        return self.layers(latents).unflatten(1, (self.n_mels, self.PARTS))

    def target(self, mel: Float[Tensor, "b m f"]) -> Float[Tensor, "b m p"]:
        """What is reconstructed: the mean of the spectrogram over each part."""
        return F.adaptive_avg_pool1d(mel, self.PARTS)
