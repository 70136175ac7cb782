"""Perception: from an image to its objects, with their attributes and positions on the ground.

Shapes: b images, h × w pixels, n objects per image (padded), c channels, s levels of the feature pyramid.
The detector is a centre heat map (Zhou et al. 2019, "Objects as points"), the attribute head reads the
pyramid, and the pixels, at each centre. Relations come from ground coordinates, never from pixel order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.engine import checkpoint
from nsmodels.systems.visual.config import PerceptionConfig
from nsmodels.systems.visual.perception.backbone import build_backbone
from nsmodels.systems.visual.perception.crops import CropEncoder, convolution
from nsmodels.systems.visual.reasoning.belief import SceneBelief

# Ground coordinates are within ±3 scene units; the head predicts them in units of this half width.
GROUND_HALF_WIDTH = 3.0
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
class Pyramid(nn.Module):
    """Top-down fusion of the backbone's levels (Lin et al. 2017).

    At the level with most cells it is half as wide and not smoothed: that halves the cost of the network.
    """

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.fine_channels = max(16, width // 2)
        self.level_channels = [self.fine_channels, *[width] * (len(channels) - 1)]
        self.lateral = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(channels, self.level_channels, strict=True))
        self.smooth = nn.ModuleList(
            [nn.Identity(), *(nn.Sequential(*convolution(w, w, 3)) for w in self.level_channels[1:-1])]
        )
        self.narrow = nn.Conv2d(width, self.fine_channels, 1)

    def forward(self, features: list[Float[Tensor, "b c _ _"]]) -> list[Float[Tensor, "b c _ _"]]:
        """Fused maps, fine to coarse."""
        fused = [self.lateral[-1](features[-1])]
        for level in range(len(features) - 2, -1, -1):
            above = fused[0] if level else self.narrow(fused[0])
            above = F.interpolate(above, size=features[level].shape[-2:], mode="nearest")
            fused.insert(0, self.smooth[level](self.lateral[level](features[level]) + above))
        return fused


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


def sample(level: Float[Tensor, "b c h w"], points: Float[Tensor, "b n 2"], grid: int) -> Float[Tensor, "b n d"]:
    """Bilinear reads of `level` on a grid × grid neighbourhood (two cells apart) of each point, d = c·grid²."""
    height, width = level.shape[-2:]
    # Cell offsets of the neighbourhood, −2, 0, 2 for grid = 3; over width and height they are fractions of the image.
    steps = (torch.arange(grid, device=points.device, dtype=points.dtype) - (grid - 1) / 2) * 2
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    shifts = torch.stack([dx.flatten() / width, dy.flatten() / height], dim=-1)
    where = (points[:, :, None] + shifts) * 2 - 1  # `grid_sample` takes the image as [−1, 1]
    read = F.grid_sample(level, where, align_corners=False, padding_mode="border")
    return read.permute(0, 2, 3, 1).flatten(2)


@dataclass(frozen=True)
class Candidates:
    """Heat-map peaks of a batch, strongest first: points in 0..1 of the image, logits, the head's output there."""

    points: Float[Tensor, "b n 2"]
    logits: Float[Tensor, "b n"]
    objects: ObjectLogits


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
    return Candidates(points, logits, objects)


def without_padding(heat: Float[Tensor, "b 1 h w"], covered: tuple[float, float]) -> Float[Tensor, "b 1 h w"]:
    """The heat map with −∞ in the cells that show nothing of the image; `covered`: as of a `Layout`."""
    columns, rows = (math.ceil(side * part) for side, part in zip(reversed(heat.shape[2:]), covered, strict=True))
    shown = heat.new_zeros(heat.shape[2:], dtype=torch.bool)
    shown[:rows, :columns] = True
    return heat.masked_fill(~shown, -torch.inf)


def find_peaks(heat: Float[Tensor, "b 1 h w"], num: int) -> tuple[Float[Tensor, "b n 2"], Float[Tensor, "b n"]]:
    """Centres of the strongest local maxima, (x, y) in 0..1 of the map, and their values; n is `num` or all cells."""
    # Non-maximum suppression: a cell is a peak when no cell of its 3×3 neighbourhood is higher.
    peaks = heat.masked_fill(heat < F.max_pool2d(heat, 3, stride=1, padding=1), -torch.inf)
    values, cells = peaks.flatten(1).topk(min(num, peaks[0].numel()))
    size = heat.new_tensor([heat.shape[-1], heat.shape[-2]])
    # From the flat index to column x and row y; the centre of a cell is half a cell further.
    return (torch.stack([cells % heat.shape[-1], cells // heat.shape[-1]], dim=-1) + 0.5) / size, values


def perceive(model: Perception, images: np.ndarray, sizes: np.ndarray, min_presence: float = 0.05) -> list[SceneBelief]:
    """Beliefs about `images`, uint8 (b, h, w, 3) at the network's size.

    `sizes` (b, 2): width and height of the image files in pixels, in which beliefs give positions.
    `min_presence`: peaks with a lower probability of being an object are dropped.
    """
    device = model.presence_map.device
    with torch.inference_mode():
        found = find_candidates(model, torch.tensor(images, device=device).permute(0, 3, 1, 2))
        presence = (found.logits * model.presence_map[0] + model.presence_map[1]).sigmoid()
        tables = {name: logits.float().softmax(-1) for name, logits in found.objects.attributes.items()}
    arrays = [t.double().cpu().numpy() for t in (presence, found.points, found.objects.ground, *tables.values())]
    return [_make_belief(*(a[row] for a in arrays), size=sizes[row], least=min_presence) for row in range(len(images))]


def _make_belief(
    presence: np.ndarray, points: np.ndarray, ground: np.ndarray, *tables: np.ndarray, size: np.ndarray, least: float
) -> SceneBelief:
    pixels = points * size - 0.5  # pixel coordinates count from the centre of the first pixel
    kept = _suppress_duplicates(np.flatnonzero(presence >= least), points)
    attributes = {name: table[kept] for name, table in zip(ATTRIBUTES, tables, strict=True)}
    # Objects rest on the ground, so the height of the centre is half the size, 0.7 (large) or 0.35; its expectation:
    height = attributes["size"] @ np.array([0.7, 0.35])
    coords = np.column_stack([ground[kept] * GROUND_HALF_WIDTH, height])
    return SceneBelief.from_predictions(presence[kept], attributes, coords, pixels[kept], (int(size[0]), int(size[1])))


def _suppress_duplicates(order: np.ndarray, points: np.ndarray, least: float = 0.006) -> list[int]:
    """Rows of `order` (strongest first) whose point is no nearer than `least` of the image to a stronger one."""
    kept: list[int] = []
    for row in order.tolist():
        if all(np.abs(points[row] - points[other]).max() >= least for other in kept):
            kept.append(row)
    return kept
