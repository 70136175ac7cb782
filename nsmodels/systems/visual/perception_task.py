"""Training of the perception network: targets from scene annotations, augmentation, loss.

Shapes: b images, n objects per image (padded to the most), h × w heat-map cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nsmodels.datasets.clevr.format import read_scenes
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, MAX_OBJECTS
from nsmodels.engine.batching import epoch_batches, generator
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.visual.config import PerceptionConfig
from nsmodels.systems.visual.images import image_sizes, read_images
from nsmodels.systems.visual.perception import GROUND_HALF_WIDTH, ObjectLogits, Perception

# Per-image losses are divided by this typical object count, not by the batch's own, so that equal
# shards of a batch average to the loss of the whole batch.
TYPICAL_OBJECTS = 6.5
GROUND_WEIGHT, OFFSET_WEIGHT = 4.0, 1.0


@dataclass(frozen=True)
class Targets:
    """What is known of the objects of each image; padded rows have `exists` False."""

    points: Float[Tensor, "b n 2"]
    ground: Float[Tensor, "b n 2"]
    attributes: Int[Tensor, "b n 4"]
    exists: Bool[Tensor, "b n"]


@dataclass(frozen=True)
class PerceptionBatch:
    """Images 0..255 (float after augmentation, else uint8), their targets and where to query the head."""

    images: Tensor
    targets: Targets
    queries: Float[Tensor, "b n 2"]


def targets_of(scenes: list[dict[str, Any]], sizes: np.ndarray) -> Targets:
    """Targets of `scenes` whose images measure `sizes` (n, 2: width, height) pixels."""
    num = max((len(scene["objects"]) for scene in scenes), default=MAX_OBJECTS)
    points, ground = np.zeros((2, len(scenes), num, 2), np.float32)
    attributes = np.zeros((len(scenes), num, len(ATTRIBUTES)), np.int64)
    exists = np.zeros((len(scenes), num), bool)
    for row, scene in enumerate(scenes):
        for column, thing in enumerate(scene["objects"]):
            points[row, column] = (np.asarray(thing["pixel_coords"][:2]) + 0.5) / sizes[row]
            ground[row, column] = np.asarray(thing["3d_coords"][:2]) / GROUND_HALF_WIDTH
            attributes[row, column] = [values.index(thing[name]) for name, values in ATTRIBUTES.items()]
            exists[row, column] = True
    return Targets(*(torch.from_numpy(a) for a in (points, ground, attributes, exists)))


def centre_heat(targets: Targets, height: int, width: int, sigma: float) -> Float[Tensor, "b 1 h w"]:
    """Gaussians of one at each centre's cell, `sigma` cells wide; the maximum where they overlap."""
    cells = (targets.points * targets.points.new_tensor([width, height])).floor()
    x = torch.arange(width, device=cells.device) - cells[..., :1]
    y = torch.arange(height, device=cells.device) - cells[..., 1:]
    across, down = torch.exp(-x.square() / (2 * sigma**2)), torch.exp(-y.square() / (2 * sigma**2))
    down = down * targets.exists[..., None]
    return (down[..., :, None] * across[..., None, :]).amax(1, keepdim=True)


def focal_loss(logits: Float[Tensor, "b 1 h w"], heat: Float[Tensor, "b 1 h w"]) -> Float[Tensor, ""]:
    """Penalty-reduced focal loss of a centre heat map (Law & Deng 2018, equation 1; alpha 2, beta 4)."""
    chance = logits.sigmoid()
    positive = F.logsigmoid(logits) * (1 - chance).square() * (heat > 0.999)
    negative = F.logsigmoid(-logits) * chance.square() * (1 - heat).pow(4) * (heat <= 0.999)
    return -(positive + negative).sum() / (len(logits) * TYPICAL_OBJECTS)


def augment(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness, contrast, colour cast, blur and noise, drawn per image; uint8 (b, h, w, 3) to float32."""
    num = len(images)
    values = images.astype(np.float32)
    gain = 1 + strength * rng.uniform(-0.12, 0.12, (num, 1, 1, 1)) + strength * rng.uniform(-0.03, 0.03, (num, 1, 1, 3))
    shift = strength * rng.uniform(-12, 12, (num, 1, 1, 1))
    values = values * gain.astype(np.float32) + shift.astype(np.float32)
    amount = (strength * rng.uniform(-0.1, 0.25, (num, 1, 1, 1))).astype(np.float32)
    values += amount * (_box_blur(values) - values)  # negative amounts sharpen
    values += rng.standard_normal(values.shape, np.float32) * (strength * rng.uniform(0, 3, (num, 1, 1, 1))).astype(
        np.float32
    )
    return values


def _box_blur(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9


@final
class PerceptionTask(Task):
    """Objects from images: centre heat map, attributes, ground coordinates."""

    def __init__(self, config: PerceptionConfig, training: TrainingConfig, data: Path) -> None:
        self.config, self.training = config, training
        self.scenes = {split: read_scenes(data, split) for split in ("train", "val")}
        self.images: dict[str, np.ndarray] = {}
        self.targets: dict[str, Targets] = {}
        for split, scenes in self.scenes.items():
            self.images[split] = read_images(
                data, split, scenes, config.image_width, config.image_height, training.num_workers
            )
            self.targets[split] = targets_of(scenes, image_sizes(data, split, scenes))

    def build(self) -> nn.Module:
        """A `Perception` network with channels-last weights, the fast layout on CPU and GPU."""
        return Perception(self.config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def curriculum(self, epoch: int) -> dict[str, float]:
        """The most objects an image of this epoch may hold: 4 at first, all from half of the training on."""
        if not self.training.curriculum:
            return {}
        progress = min(1.0, 2 * epoch / max(1, self.training.epochs))
        return {"curriculum/max_objects": 4 + round(progress * (MAX_OBJECTS - 4))}

    def batches(self, split: str, epoch: int, shard: Shard) -> Iterator[PerceptionBatch]:
        """Images in this epoch's order, augmented when training."""
        is_training = split == "train"
        chosen = self._chosen(split, epoch)
        order = epoch_batches(
            len(chosen), self.training.batch_size, self.training.seed, epoch, shard, shuffle=is_training
        )
        for number, picked in enumerate(order, start=shard.start):
            rng = generator(self.training.seed, split, epoch, number * shard.world + shard.rank)
            yield self._batch(split, np.sort(chosen[picked]), rng if is_training else None)

    def loss(self, model: nn.Module, batch: PerceptionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Focal loss of the heat map, cross-entropy of each attribute, smooth L1 of coordinates."""
        heat_logits, said = model(batch.images.permute(0, 3, 1, 2), batch.queries)
        heat = centre_heat(batch.targets, *heat_logits.shape[-2:], self.config.heat_sigma)
        terms = {"heat": focal_loss(heat_logits.float(), heat)} | object_terms(said, batch, heat_logits.shape[-2:])
        return torch.stack(list(terms.values())).sum(), terms

    def _chosen(self, split: str, epoch: int) -> np.ndarray:
        most = self.curriculum(epoch).get("curriculum/max_objects") if split == "train" else None
        if most is None:
            return np.arange(len(self.scenes[split]))
        counts = self.targets[split].exists.sum(1).numpy()
        return np.flatnonzero(counts <= most)

    def _batch(self, split: str, rows: np.ndarray, rng: np.random.Generator | None) -> PerceptionBatch:
        targets = self.targets[split]
        part = Targets(*(getattr(targets, name)[rows] for name in Targets.__dataclass_fields__))
        pixels, queries = self.images[split][rows], part.points
        if rng is not None:
            pixels = augment(pixels, self.config.augment, rng) if self.config.augment else pixels
            # At test time the head is asked at heat-map cells, up to a cell away from the true centre.
            jitter = rng.uniform(-1, 1, part.points.shape).astype(np.float32)
            scale = Perception.stride / np.float32([self.config.image_width, self.config.image_height])
            queries = queries + torch.from_numpy(jitter * scale)
        return PerceptionBatch(torch.from_numpy(np.ascontiguousarray(pixels)), part, queries)


def object_terms(said: ObjectLogits, batch: PerceptionBatch, cells: tuple[int, int]) -> dict[str, Tensor]:
    """Loss terms of the object head, each a mean over images."""
    targets, exists = batch.targets, batch.targets.exists
    scale = 1 / (len(exists) * TYPICAL_OBJECTS)

    def total(values: Tensor) -> Tensor:
        return (values * exists).sum() * scale

    terms = {
        name: total(
            F.cross_entropy(said.attributes[name].float().movedim(-1, 1), targets.attributes[..., i], reduction="none")
        )
        for i, name in enumerate(ATTRIBUTES)
    }
    ground = F.smooth_l1_loss(said.ground.float(), targets.ground, beta=0.02, reduction="none").sum(-1)
    away = (targets.points - batch.queries) * targets.points.new_tensor([cells[1], cells[0]])
    offset = F.smooth_l1_loss(said.offset.float(), away, beta=0.2, reduction="none").sum(-1)
    return terms | {"ground": GROUND_WEIGHT * total(ground), "offset": OFFSET_WEIGHT * total(offset)}
