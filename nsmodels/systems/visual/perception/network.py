"""Perception: from an image to its objects, with their attributes and positions on the ground.

Shapes: b images, h × w pixels, n objects per image (padded), c channels, s levels of the feature pyramid.
The detector is a centre heat map (Zhou et al. 2019, "Objects as points"), the attribute head reads the
pyramid, and the pixels, at each centre. Relations come from ground coordinates, never from pixel order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.engine import checkpoint
from nsmodels.layers.vision.backbone import build_backbone
from nsmodels.layers.vision.centres import find_peaks, without_padding
from nsmodels.layers.vision.crops import CropEncoder, convolution
from nsmodels.layers.vision.pyramid import Pyramid, sample
from nsmodels.systems.visual.config import PerceptionConfig
from nsmodels.systems.visual.perception.readout import MIN_PRESENCE, Readout
from nsmodels.systems.visual.reasoning.belief import SceneBelief

MEAN, STD = (0.45, 0.45, 0.45), (0.15, 0.15, 0.15)


@dataclass(frozen=True)
class ObjectLogits:
    """Output of the head at each queried point: attribute logits; ground x and y in units of `GROUND_HALF_WIDTH`;
    offset to the true centre in heat-map cells."""

    attributes: dict[str, Float[Tensor, "b n k"]]
    ground: Float[Tensor, "b n 2"]
    offset: Float[Tensor, "b n 2"]


@final
class Perception(nn.Module):
    """Backbone, feature pyramid down to the backbone's finest map, centre heat map and object head."""

    mean: Tensor
    std: Tensor
    presence_map: Tensor

    def __init__(self, config: PerceptionConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone, self.layout = build_backbone(config)
        self.pyramid = Pyramid(list(self.layout.channels), config.feature_dim)
        fine = self.pyramid.fine_channels
        peak = nn.Conv2d(fine, 1, 1)
        peak.bias = nn.Parameter(torch.tensor([-4.0]))  # σ(−4) = 0.02: centres are rare, start near the base rate
        self.heat = nn.Sequential(nn.Sequential(*convolution(fine, fine, 3)), peak)
        self.crops = CropEncoder(config.crop_size, config.crop_dim) if config.crop_size else None
        self.head = ObjectHead(self.pyramid.level_channels, config, self.crops.num_features if self.crops else 0)
        # Slope a and intercept b of the calibrated probability of an object at a peak of logit l, σ(a·l + b).
        self.register_buffer("presence_map", torch.tensor([1.0, 0.0]))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255, persistent=False)

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> Perception:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        settings = checkpoint.settings_of(payload, "perception", where) | {"pretrained": False}
        model = cls(PerceptionConfig.from_mapping(settings, where))
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def forward(
        self,
        images: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        exists: Bool[Tensor, "b n"] | None = None,
    ) -> tuple[Float[Tensor, "b 1 h2 w2"], ObjectLogits]:
        """Heat-map logits, a cell per `layout.stride` pixels, and the head's output at `points`, (x, y) in 0..1.

        Pixel values are 0..255. Where `exists` is False the output of the head has no meaning, and costs less.
        """
        scaled = self.normalised(images)
        levels = self.levels(scaled)
        return self.heat(levels[0]), self.objects(scaled, levels, points, exists)

    def normalised(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """Images with values 0..255 at a mean of about 0 and a deviation of about 1, channels last in memory."""
        scaled = torch.addcmul(-self.mean / self.std, images.float(), 1 / self.std)
        return scaled.contiguous(memory_format=torch.channels_last)

    def levels(self, scaled: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b c _ _"]]:
        """The feature pyramid of normalised images, fine to coarse."""
        return self.pyramid(self.layout.maps(self.backbone, scaled))

    def objects(
        self,
        scaled: Float[Tensor, "b 3 h w"],
        levels: list[Float[Tensor, "b c _ _"]],
        points: Float[Tensor, "b n 2"],
        exists: Bool[Tensor, "b n"] | None = None,
    ) -> ObjectLogits:
        """The head's output at `points`, (x, y) in 0..1 of the normalised images."""
        looked = self.crops(scaled, points, exists) if self.crops else None
        return self.head(levels, points * points.new_tensor(self.layout.covered), looked)


@final
class ObjectHead(nn.Module):
    """Reads every pyramid level around a point and predicts the object there.

    `num_features`: of what else there is about a point, the second look.
    """

    def __init__(self, channels: list[int], config: PerceptionConfig, num_features: int = 0) -> None:
        super().__init__()
        self.sizes = {name: len(values) for name, values in ATTRIBUTES.items()}
        # A 3×3 neighbourhood on the two finest levels keeps the outline by which small shapes differ.
        self.grids = [3, 3, *[1] * (len(channels) - 2)]
        width = sum(c * g * g for c, g in zip(channels, self.grids, strict=True)) + 2 + num_features
        self.mix = nn.Sequential(
            nn.Linear(width, config.head_dim),
            nn.GELU(),
            nn.LayerNorm(config.head_dim),
            nn.Dropout(config.dropout),
            nn.Linear(config.head_dim, config.head_dim),
            nn.GELU(),
            nn.LayerNorm(config.head_dim),
        )
        self.out = nn.Linear(config.head_dim, sum(self.sizes.values()) + 4)

    def forward(
        self,
        levels: list[Float[Tensor, "b c _ _"]],
        points: Float[Tensor, "b n 2"],
        looked: Float[Tensor, "b n d"] | None = None,
    ) -> ObjectLogits:
        """Logits for the objects at `points`, (x, y) in 0..1 of the maps; `looked`: further features of each."""
        # Full precision: the 8 bits of a bfloat16 would blur the position of a point. The head costs little.
        with torch.autocast(points.device.type, enabled=False):
            read = [sample(level.float(), points, grid) for level, grid in zip(levels, self.grids, strict=True)]
            read += [points * 2 - 1] if looked is None else [points * 2 - 1, looked]
            out = self.out(self.mix(torch.cat(read, dim=-1)))
        *attributes, ground, offset = out.split([*self.sizes.values(), 2, 2], dim=-1)
        return ObjectLogits(dict(zip(self.sizes, attributes, strict=True)), ground, offset)


@dataclass(frozen=True)
class Candidates:
    """Heat-map peaks of a batch, strongest first: points in 0..1 of the image, logits, the head's output there.

    `features`: of the whole image, the coarsest level of the pyramid on average.
    """

    points: Float[Tensor, "b n 2"]
    logits: Float[Tensor, "b n"]
    objects: ObjectLogits
    features: Float[Tensor, "b c"]

    def tensors(self) -> tuple[Tensor, ...]:
        """The arrays of a `Readout`, in its order."""
        return self.points, self.logits, self.objects.ground, self.features, *self.objects.attributes.values()


def find_candidates(model: Perception, images: Float[Tensor, "b 3 h w"], num: int = 16) -> Candidates:
    """The `num` strongest local maxima of the heat map of `images` (0..255), each moved by its predicted offset."""
    scaled = model.normalised(images)
    levels = model.levels(scaled)
    heat = without_padding(model.heat(levels[0]).float(), model.layout.covered)
    peaks, logits = find_peaks(heat, num)
    points = peaks / peaks.new_tensor(model.layout.covered)
    cell = 1 / (peaks.new_tensor([heat.shape[-1], heat.shape[-2]]) * peaks.new_tensor(model.layout.covered))
    objects = model.objects(scaled, levels, points)
    points = points + objects.offset.float() * cell
    if model.crops:  # the second look, from where the object is: its crop is centred, as most are in training
        objects = model.objects(scaled, levels, points)
        points = points + objects.offset.float() * cell
    return Candidates(points, logits, objects, levels[-1].mean((2, 3)))


def read_out(model: Perception, images: np.ndarray) -> Readout:
    """What the network reads from `images`, uint8 (b, h, w, 3) at its size."""
    with torch.inference_mode():
        found = find_candidates(model, torch.tensor(images, device=model.presence_map.device).permute(0, 3, 1, 2))
    return Readout.from_arrays([each.float().cpu().numpy() for each in found.tensors()])


def perceive(
    model: Perception, images: np.ndarray, sizes: np.ndarray, min_presence: float = MIN_PRESENCE
) -> list[SceneBelief]:
    """Beliefs about `images`, uint8 (b, h, w, 3) at the network's size; the rest as for `Readout.beliefs`."""
    return read_out(model, images).beliefs(sizes, model.presence_map.tolist(), min_presence)
