"""Training of the perception network: targets from scene annotations, augmentation, loss.

Shapes: b images, n objects per image (padded to the most), h × w heat-map cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from nsmodels.datasets.clevr.files.format import read_scenes
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, MAX_OBJECTS
from nsmodels.engine.batching import Batches, Part, epoch_order, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.layers.vision.augmentation import augment_images, draw_augmentation
from nsmodels.layers.vision.centres import centre_heat, focal_loss
from nsmodels.layers.vision.layout import layout_of
from nsmodels.systems.visual.config import PerceptionConfig
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.network import ObjectLogits, Perception
from nsmodels.systems.visual.perception.readout import GROUND_HALF_WIDTH

# Per-image losses are divided by this typical object count, not by the batch's own, so that equal
# shards of a batch average to the loss of the whole batch.
TYPICAL_OBJECTS = 6.5
GROUND_WEIGHT, OFFSET_WEIGHT = 4.0, 1.0


@dataclass(frozen=True)
class Targets:
    """Labels of the objects of each image; padded rows have `exists` False.

    `points`: centres (x, y) in 0..1 of the image; `ground`: x and y in units of `GROUND_HALF_WIDTH`; `attributes`:
    value numbers in the order of `ATTRIBUTES`.
    """

    points: Float[Tensor, "b n 2"]
    ground: Float[Tensor, "b n 2"]
    attributes: Int[Tensor, "b n 4"]
    exists: Bool[Tensor, "b n"]


@dataclass(frozen=True)
class PerceptionBatch:
    """Images, their targets, the points at which the head is queried, and in training the augmentation."""

    images: UInt8[Tensor, "b h w 3"]
    targets: Targets
    queries: Float[Tensor, "b n 2"]
    augmentation: Float[Tensor, "b 6"] | None
    noise_seed: int

    def on_maps(self, covered: tuple[float, float]) -> PerceptionBatch:
        """The batch with its points in 0..1 of the feature maps, of which the image is the part `covered`."""
        if covered == (1.0, 1.0):
            return self
        scale = self.queries.new_tensor(covered)
        targets = replace(self.targets, points=self.targets.points * scale)
        return replace(self, targets=targets, queries=self.queries * scale)


def targets_of(scenes: list[dict[str, Any]], sizes: np.ndarray) -> Targets:
    """Targets of `scenes` in CLEVR's released form; `sizes` (n, 2) are width and height of their images in pixels."""
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


def draw_jitter(shape: tuple[int, int], has_crops: bool, rng: np.random.Generator) -> np.ndarray:
    """Distances of the queried points from the true centres in heat-map cells, float32 (*shape, 2).

    At inference the head is queried at heat-map cells, up to one cell from the true centre, and with crops once more
    from where it then places the centre: two in three points are that near.
    """
    reach = np.where(rng.random((*shape, 1)) < 2 / 3, 0.2, 1.0) if has_crops else 1.0
    return (rng.uniform(-1, 1, (*shape, 2)) * reach).astype(np.float32)


@final
class PerceptionTask(Task):
    """Training of perception: centre heat map, attributes, ground coordinates.

    `splits`: names of the splits for training and validation in the CLEVR tree `data`. Raises `InputError` for data
    that cannot be read.
    """

    def __init__(
        self,
        config: PerceptionConfig,
        training: TrainingConfig,
        data: Path,
        splits: tuple[str, str] = ("train", "val"),
    ) -> None:
        self.config, self.training, self.layout = config, training, layout_of(config)
        names: dict[str, str] = dict(zip(("train", "val"), splits, strict=True))
        self.scenes = {split: read_scenes(data, name) for split, name in names.items()}
        self.images: dict[str, np.ndarray] = {}
        self.targets: dict[str, Targets] = {}
        shape = (config.image_width, config.image_height)
        for split, scenes in self.scenes.items():
            self.images[split], sizes = read_images(data, names[split], scenes, *shape, training.num_workers)
            self.targets[split] = targets_of(scenes, sizes)

    def settings(self) -> dict[str, Any]:
        """The configuration that rebuilds the network."""
        return {"perception": self.config.model_dump(mode="json")}

    def build(self) -> nn.Module:
        """A `Perception` network with channels-last weights, the fast layout on CPU and GPU."""
        return Perception(self.config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def curriculum(self, epoch: int) -> dict[str, float]:
        """Largest number of objects in an image of this epoch: 4 at first, all from half of the training on."""
        if not self.training.curriculum:
            return {}
        progress = min(1.0, 2 * epoch / max(1, self.training.epochs))
        return {"curriculum/max_objects": 4 + round(progress * (MAX_OBJECTS - 4))}

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Images in this epoch's order, augmented when training."""
        is_training = split == "train"
        chosen = self._chosen(split, epoch)
        order = chosen[epoch_order(len(chosen), self.training.seed, epoch, shuffle=is_training)]
        parts = split_batches(order, self.training.batch_size, shard, even=is_training)
        return Batches(parts, lambda part: self._batch(split, epoch, part))

    def loss(self, model: nn.Module, batch: PerceptionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Focal loss of the heat map, cross-entropy of each attribute, smooth L1 of coordinates."""
        return batch_loss(model, batch, self.config.heat_sigma, self.layout.covered)

    def _chosen(self, split: str, epoch: int) -> np.ndarray:
        most = self.curriculum(epoch).get("curriculum/max_objects") if split == "train" else None
        if most is None:
            return np.arange(len(self.scenes[split]))
        counts = self.targets[split].exists.sum(1).numpy()
        return np.flatnonzero(counts <= most)

    def _batch(self, split: str, epoch: int, picked: Part) -> PerceptionBatch:
        rows = np.sort(picked.rows)  # in file order: neighbours of a memory-mapped array share pages
        # The first sample identifies the batch, for any number of processes and micro-batches; what is drawn is drawn
        # for the whole batch, of which this part takes its places.
        rng = generator(self.training.seed, split, epoch, int(picked.whole[0])) if split == "train" else None
        targets = self.targets[split]
        part = Targets(*(getattr(targets, name)[rows] for name in Targets.__dataclass_fields__))
        pixels = torch.from_numpy(self.images[split][rows])
        if rng is None:
            return PerceptionBatch(pixels, part, part.points, None, 0)
        num, places = len(picked.whole), np.searchsorted(np.sort(picked.whole), rows)
        jitter = draw_jitter((num, part.points.shape[1]), bool(self.config.crop_size), rng)[places]
        scale = self.layout.stride / np.array([self.config.image_width, self.config.image_height], np.float32)
        augmentation = draw_augmentation(num, self.config.augment, rng)[places] if self.config.augment else None
        queries = part.points + torch.from_numpy(jitter * scale)
        return PerceptionBatch(pixels, part, queries, augmentation, int(rng.integers(2**31)))


def batch_loss(
    model: nn.Module, batch: PerceptionBatch, heat_sigma: float, covered: tuple[float, float] = (1.0, 1.0)
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a batch, the sum of its terms, and the terms by name, each a mean over images.

    `covered`: part of the width and of the height of the feature maps that shows the image.
    """
    images = batch.images.permute(0, 3, 1, 2).contiguous().float()  # reordered as bytes, a quarter of the traffic
    if batch.augmentation is not None:
        images = augment_images(images, batch.augmentation, batch.noise_seed)
    heat_logits, objects = model(images, batch.queries, batch.targets.exists)
    height, width = heat_logits.shape[-2:]
    batch = batch.on_maps(covered)
    heat = centre_heat(batch.targets.points, batch.targets.exists, height, width, heat_sigma)
    terms = {"heat": focal_loss(heat_logits.float(), heat, TYPICAL_OBJECTS)} | object_terms(
        objects, batch, (height, width)
    )
    return torch.stack(list(terms.values())).sum(), terms


def object_terms(objects: ObjectLogits, batch: PerceptionBatch, cells: tuple[int, int]) -> dict[str, Tensor]:
    """Loss terms of the object head by name, each a mean over images; `cells`: height and width of the heat map."""
    # Smooth L1 (Girshick 2015) of an error e: e² / 2β where |e| < β, |e| − β / 2 elsewhere. β is the error below which
    # precision stops to matter: 0.02 · 3 scene units on the ground, 0.2 heat-map cells of the offset.
    targets, exists = batch.targets, batch.targets.exists
    scale = 1 / (len(exists) * TYPICAL_OBJECTS)

    def total(values: Tensor) -> Tensor:
        return (values * exists).sum() * scale

    terms = {
        name: total(
            F.cross_entropy(
                objects.attributes[name].float().movedim(-1, 1), targets.attributes[..., i], reduction="none"
            )
        )
        for i, name in enumerate(ATTRIBUTES)
    }
    ground = F.smooth_l1_loss(objects.ground.float(), targets.ground, beta=0.02, reduction="none").sum(-1)
    away = (targets.points - batch.queries) * targets.points.new_tensor([cells[1], cells[0]])
    offset = F.smooth_l1_loss(objects.offset.float(), away, beta=0.2, reduction="none").sum(-1)
    return terms | {"ground": GROUND_WEIGHT * total(ground), "offset": OFFSET_WEIGHT * total(offset)}
