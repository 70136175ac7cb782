"""The log-mel spectrogram: a bank of triangular filters on the power of a short-time Fourier transform.

Shapes: b sounds of a samples, k frequency bins, m mel bands by f windows.
"""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Decibels of full scale: the softest sound that differs from silence, and the range that is mapped to [-1, 1].
FLOOR, CENTRE, HALF_RANGE = -100.0, -50.0, 50.0


def hz_to_mel(frequency: float) -> float:
    """Mel of a frequency in Hz: 2595 log10(1 + f / 700) (O'Shaughnessy 1987)."""
    return 2595 * math.log10(1 + frequency / 700)


def mel_to_hz(mel: Tensor) -> Tensor:
    """Frequency in Hz of mels."""
    return 700 * (10 ** (mel / 2595) - 1)


def mel_bank(sample_rate: int, n_fft: int, n_mels: int) -> Float[Tensor, "m k"]:
    """Weights of the triangular filters over the bins 0 ... n_fft / 2, from 0 Hz to half of the sample rate.

    Filter j rises linearly in Hz from the corner j to the corner j + 1 and falls to the corner j + 2, of n_mels + 2
    corners at equal distances in mel. Its weight in a bin is the mean of the triangle over the width of the bin, not
    its value at the centre: low filters may be narrower than bins, and one between two centres would be deaf.
    Inside of the range the filters add up to 1.
    """
    corners = mel_to_hz(torch.linspace(0, hz_to_mel(sample_rate / 2), n_mels + 2, dtype=torch.float64))
    width = sample_rate / n_fft
    edges = (torch.arange(n_fft // 2 + 2, dtype=torch.float64) - 0.5) * width
    # The integral of a triangle with corners a, b, c up to x is R(x; a, b) - R(x; b, c), where R(x; p, q), the integral
    # of the ramp from 0 at p to 1 at q, is (x - p)² / 2(q - p) within the ramp and x - (p + q) / 2 beyond.
    ramps = torch.stack([_ramp(edges, p, q) for p, q in itertools.pairwise(corners)])
    return ((ramps[:-1] - ramps[1:]).diff(dim=1) / width).float()


def _ramp(x: Tensor, p: Tensor, q: Tensor) -> Tensor:
    inside = (x.clamp(p, q) - p) ** 2 / (2 * (q - p))
    return inside + (x - q).clamp(min=0)


class MelSpectrogram(nn.Module):
    """Log power by mel band and window, in units in which -100 dB of full scale is -1 and 0 dB is 1.

    The level is never normalised by sound: loudness carries mass and speed.

    Attributes:
        sample_rate, hop_length: of the samples, Hz; samples between two windows.
        centres: of the bands, Hz (m,).
    """

    centres: Tensor
    window: Tensor
    bank: Tensor

    def __init__(self, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        centres = mel_to_hz(torch.linspace(0, hz_to_mel(sample_rate / 2), n_mels + 2, dtype=torch.float64))[1:-1]
        self.register_buffer("centres", centres.float(), persistent=False)
        self.register_buffer("bank", mel_bank(sample_rate, n_fft, n_mels), persistent=False)

    def forward(self, samples: Float[Tensor, "b a"]) -> Float[Tensor, "b m f"]:
        """The spectrogram of f = a // hop_length windows, the first of which is centred on the first sample."""
        return self.scaled(self.power(samples))

    def power(self, samples: Float[Tensor, "b a"]) -> Float[Tensor, "b m f"]:
        """Power by band; a sine of amplitude 1 in the middle of a band that is wider than the window's lobe has 1."""
        with torch.autocast(samples.device.type, enabled=False):
            return self._power(samples.float())

    def _power(self, samples: Tensor) -> Tensor:
        bins = torch.stft(
            samples, self.n_fft, self.hop_length, window=self.window, center=True, pad_mode="constant",
            return_complex=True,
        )  # fmt: skip
        # A sine of amplitude A has the power Σ|X|² = (A/2)² n Σw² over the bins of one side (Parseval).
        scale = 4 / (self.n_fft * self.window.square().sum())
        power = bins.real.square() + bins.imag.square()
        return (self.bank @ power)[..., : samples.shape[-1] // self.hop_length] * scale

    @staticmethod
    def scaled(power: Tensor) -> Tensor:
        """Power as decibels of full scale, mapped so that -100 dB (and all below) is -1 and 0 dB is 1."""
        decibels = 10 * (power.float() + 10 ** (FLOOR / 10)).log10()
        return (decibels - CENTRE) / HALF_RANGE

    @staticmethod
    def unscaled(mel: Tensor) -> Tensor:
        """The power that `scaled` maps to `mel`."""
        return (10 ** ((mel * HALF_RANGE + CENTRE) / 10) - 10 ** (FLOOR / 10)).clamp(min=0)
