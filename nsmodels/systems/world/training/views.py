"""Random views of pictures and sounds, as tensor operations on whole batches.

What is random is drawn by numpy, in numbers per view, where a batch is read; the device then applies it.
Shapes: b views of 3 channels and h x w pixels, or of m mel bands by f windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.engine.batching import Part
from nsmodels.systems.world.config import AudioViewsConfig, VisionViewsConfig
from nsmodels.systems.world.network.mel import MelSpectrogram, hz_to_mel

ASPECTS = math.log(4 / 3)  # of a crop: between 3:4 and 4:3
TAPE = 4.0  # seconds of noise, from which every view takes a piece
GREY = np.array([0.299, 0.587, 0.114])  # of red, green, blue in the luminance (ITU-R BT.601)


@dataclass(frozen=True)
class PictureViews:
    """Of each view: `place`, the affine map from its pixels to those of the picture, and `colour`, that of RGB.

    Both have their constant term in the last column. The first axes may be of any number.
    """

    place: Float[Tensor, "... 2 3"]
    colour: Float[Tensor, "... 3 4"]


def draw_picture_views(part: Part, random: np.random.Generator, config: VisionViewsConfig) -> PictureViews:
    """Two views of each picture of a part, (part, 2, ...)."""
    shape = (len(part.whole), 2)
    place, colour = _draw_crops(shape, random, config), _draw_colours(shape, random, config)
    return PictureViews(_tensor(part.of(place)), _tensor(part.of(colour)))


def _draw_crops(shape: tuple[int, int], random: np.random.Generator, config: VisionViewsConfig) -> np.ndarray:
    area, aspect = random.uniform(config.crop_scale, 1, shape), np.exp(random.uniform(-ASPECTS, ASPECTS, shape))
    sides = np.minimum(np.sqrt(np.stack([area * aspect, area / aspect], axis=-1)), 1)
    # In coordinates from -1 to 1 a crop of side s has its centre between -(1 - s) and 1 - s.
    centre = random.uniform(-1, 1, (*shape, 2)) * (1 - sides)
    place = np.zeros((*shape, 2, 3))
    place[..., 0, 0] = sides[..., 0] * np.where(random.random(shape) < config.flip, -1, 1)
    place[..., 1, 1], place[..., 2] = sides[..., 1], centre
    return place


def _draw_colours(shape: tuple[int, int], random: np.random.Generator, config: VisionViewsConfig) -> np.ndarray:
    """Brightness, contrast about middle grey, saturation, hue and loss of colour as one affine map of RGB."""
    brightness, contrast, saturation = 1 + random.uniform(-config.jitter, config.jitter, (3, *shape))
    saturation = np.where(random.random(shape) < config.grayscale, 0, saturation)
    turn = 2 * np.pi * random.uniform(-config.jitter / 4, config.jitter / 4, shape)
    grey = np.broadcast_to(GREY, (3, 3))
    # Hue: a rotation about the axis of greys, by Rodrigues' formula R = cos·1 + (1 - cos)/3·ones + sin/√3·cross.
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cos, sin = (each[..., None, None] for each in (np.cos(turn), np.sin(turn)))
    hue = cos * np.eye(3) + (1 - cos) / 3 * np.ones((3, 3)) + sin * cross
    saturated = grey + saturation[..., None, None] * (np.eye(3) - grey)
    matrix = (brightness * contrast)[..., None, None] * saturated @ hue
    offset = np.broadcast_to((0.5 * (1 - contrast))[..., None, None], (*shape, 3, 1))
    return np.concatenate([matrix, offset], axis=-1)


def view_pictures(images: Float[Tensor, "b 3 h w"], views: PictureViews) -> Float[Tensor, "b 3 h w"]:
    """The views of pictures in [0, 1], one each; in [0, 1] too."""
    grid = F.affine_grid(views.place, list(images.shape), align_corners=False)
    cropped = F.grid_sample(images.contiguous(), grid, padding_mode="border", align_corners=False)
    coloured = torch.baddbmm(views.colour[..., 3:], views.colour[..., :3], cropped.flatten(2)).clamp(0, 1)
    return coloured.view_as(cropped).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class SoundViews:
    """Of each view: `shift` in time (s), `pitch` (factor of frequencies), `tempo` (factor of the speed), and noise.

    `gain` is the power of the noise over that of full scale (0: none), `tilt` the exponent of its fall with frequency
    (0: white, 1: pink), `offset` in [0, 1] the place on the tape of noise.
    """

    shift: Float[Tensor, ...]
    pitch: Float[Tensor, ...]
    tempo: Float[Tensor, ...]
    gain: Float[Tensor, ...]
    tilt: Float[Tensor, ...]
    offset: Float[Tensor, ...]


def draw_sound_views(part: Part, random: np.random.Generator, config: AudioViewsConfig) -> SoundViews:
    """Two views of each sound of a part, (part, 2)."""
    shape = (len(part.whole), 2)
    level = random.uniform(config.noise_level - 30, config.noise_level, shape)
    drawn = {
        "shift": random.uniform(-config.time_shift, config.time_shift, shape),
        "pitch": 2 ** (random.uniform(-config.pitch_shift, config.pitch_shift, shape) / 12),
        "tempo": 1 + random.uniform(-config.time_stretch, config.time_stretch, shape),
        "gain": np.where(random.random(shape) < config.noise, 10 ** (level / 10), 0),
        "tilt": random.uniform(0, 1, shape),
        "offset": random.uniform(0, 1, shape),
    }
    return SoundViews(**{name: _tensor(part.of(values)) for name, values in drawn.items()})


def warp_sounds(mel: Float[Tensor, "b m f"], views: SoundViews, spectrogram: MelSpectrogram) -> Float[Tensor, "b m f"]:
    """Log-mel spectrograms (as `MelSpectrogram` scales them) shifted in time and pitch and stretched, one view each.

    A component at frequency f moves to f times `pitch` and a time t to t / `tempo` + `shift`; what comes from outside
    is silence.
    """
    bands, windows = mel.shape[1:]
    centres, top = spectrogram.centres, hz_to_mel(spectrogram.sample_rate / 2)
    # Centres lie at equal distances in mel: band number j at (j + 1) top / (m + 1).
    source = 2595 * torch.log10(1 + centres / views.pitch[:, None] / 700) / top * (bands + 1) - 1
    time = torch.arange(windows, device=mel.device) * (spectrogram.hop_length / spectrogram.sample_rate)
    moment = (time - views.shift[:, None]) * views.tempo[:, None]
    column = moment * spectrogram.sample_rate / spectrogram.hop_length
    x, y = (2 * column + 1) / windows - 1, (2 * source + 1) / bands - 1
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1)
    # Outside there are zeros, and silence is -1.
    return F.grid_sample(mel[:, None] + 1, grid, align_corners=False)[:, 0] - 1


def noise_tape(spectrogram: MelSpectrogram) -> Float[Tensor, "m t"]:
    """Power of white noise by band and window, 1 in all bands together; the same noise on every call."""
    noise = torch.randn(1, int(TAPE * spectrogram.sample_rate), generator=torch.Generator().manual_seed(0))
    power = spectrogram.power(noise.to(spectrogram.window.device))[0]
    return power / power.sum(0).mean()


def add_noise(
    mel: Float[Tensor, "b m f"], views: SoundViews, spectrogram: MelSpectrogram, tape: Float[Tensor, "m t"]
) -> Float[Tensor, "b m f"]:
    """Log-mel spectrograms with background noise: powers add, as those of independent sounds do on average."""
    windows = mel.shape[2]
    start = (views.offset * (tape.shape[1] - windows)).long()
    pieces = tape[:, start[:, None] + torch.arange(windows, device=mel.device)].transpose(0, 1)
    colour = (spectrogram.centres / 1000) ** -views.tilt[:, None]
    colour = colour / (colour * tape.mean(1)).sum(1, keepdim=True)
    noise = (views.gain[:, None] * colour)[..., None] * pieces
    return spectrogram.scaled(spectrogram.unscaled(mel) + noise)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)
