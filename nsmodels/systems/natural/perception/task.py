"""Training of perception: images, targets and augmentation of a batch; the loss; scores on validation images.

Shapes: b images, n objects per image (padded).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, Part, epoch_order, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.formats.images.cache import read_images
from nsmodels.layers.vision.augmentation import augment_images, draw_augmentation
from nsmodels.layers.vision.layout import layout_of
from nsmodels.systems.natural.config import NaturalConfig, PerceptionConfig
from nsmodels.systems.natural.perception.decoding import perceive
from nsmodels.systems.natural.perception.labels import (
    UNKNOWN,
    Labels,
    LabelSpace,
    Photograph,
    Targets,
    choose_concepts,
    collate,
    labels_of,
)
from nsmodels.systems.natural.perception.losses import loss_terms
from nsmodels.systems.natural.perception.mixing import Knowledge, mixed_order, shares_of, union_of
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.recolouring import draw_order, exchanged, without_colors
from nsmodels.systems.natural.perception.scoring import score_beliefs
from nsmodels.systems.natural.perception.sources import learnt_from, read_photographs, vocabulary_of

log = logging.getLogger(__name__)
BATCH = 32  # of validation
EASY = 1 / 3  # share of the images with which a curriculum begins
MIRRORED = {"left": "right", "right": "left"}  # relations whose names change with the side


@dataclass(frozen=True, eq=False)
class Images:
    """Photographs of a split with their pixels, uint8 (m, h, w, 3), and labels."""

    photographs: Sequence[Photograph]
    pixels: UInt8[np.ndarray, "m h w 3"] | Rows
    labels: Sequence[Labels]

    def __len__(self) -> int:
        return len(self.photographs)


class Rows:
    """Arrays of images one behind the other, read by row, without a copy in memory."""

    def __init__(self, arrays: Sequence[np.ndarray | Rows]) -> None:
        self.arrays, self.ends = arrays, np.cumsum([len(each) for each in arrays])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, row: int | slice) -> np.ndarray:
        if isinstance(row, slice):
            return np.stack([self[each] for each in range(*row.indices(len(self)))])
        number = int(np.searchsorted(self.ends, row, side="right"))
        return self.arrays[number][row - (self.ends[number] - len(self.arrays[number]))]


def joined(parts: Sequence[Images]) -> Images:
    """The images of several datasets one behind the other."""
    photographs = [each for part in parts for each in part.photographs]
    return Images(photographs, Rows([part.pixels for part in parts]), [each for part in parts for each in part.labels])


def masked(labels: Labels, known: Knowledge) -> Labels:
    """Labels of an image of a dataset that has only these words."""
    concepts = np.where(known.concepts, labels.concepts, UNKNOWN).astype(labels.concepts.dtype)
    return replace(labels, concepts=concepts, known=(known.names, known.values, known.types, known.relations))


@dataclass(frozen=True)
class Draws:
    """What is drawn at random for a batch; of validation images nothing is.

    Attributes:
        augmentation: of each image, as of `augment_images`; empty: none.
        noise_seed: of the batch.
        is_flipped: whether an image is mirrored.
        channels: order in which red, green and blue of each image are taken; None: as they are.
    """

    augmentation: Float[Tensor, "b 6"]
    noise_seed: int
    is_flipped: Tensor
    channels: Int[Tensor, "b 3"] | None = None


@dataclass(frozen=True)
class PerceptionBatch:
    """Images, their targets, and where the heads are asked: points for boxes, boxes for objects."""

    images: UInt8[Tensor, "b h w 3"]
    targets: Targets
    points: Float[Tensor, "b n 2"]
    boxes: Float[Tensor, "b n 4"]
    draws: Draws | None


@final
class PerceptionTask(Task):
    """Training of perception on the images of folders of GQA, VQA and CLEVR. Raises `InputError` for bad data.

    Of several folders the images are mixed (`mixing`), and what one of them has no word for is masked in its images.
    """

    def __init__(self, config: NaturalConfig, *folders: Path) -> None:
        self.config: PerceptionConfig = config.perception
        self.training: TrainingConfig = config.training
        self.temperature = config.mixing_temperature
        train = [read_photographs(data, config.train_split, config.max_images) for data in folders]
        val = [read_photographs(data, config.val_split, config.max_val_images) for data in folders]
        for data, photographs in zip(folders, train, strict=True):
            if not photographs:
                raise InputError(f"{data}: split '{config.train_split}' has no images; choose a different one")
        train = [learnt_from(photographs, config.calibration_images) for photographs in train]
        vocabularies = [vocabulary_of(data) for data in folders]
        words = union_of(vocabularies)
        if len(folders) > 1:
            shares = shares_of([len(each) for each in train], self.temperature)
            log.info("images of an epoch: %s", ", ".join(f"{d}: {s:.1%}" for d, s in zip(folders, shares, strict=True)))
        graphs = [photograph.graph for each in train for photograph in each]
        self.space = LabelSpace(words, choose_concepts(graphs, words, self.config.num_concepts))
        known = [Knowledge.of(each, self.space) for each in vocabularies] if len(folders) > 1 else [None]
        self.sizes = [len(each) for each in train]
        self.mirror = mirrored_rows(self.space.relations)
        self.images = {"train": self._read(train, known), "val": self._read(val, known)}
        self.num_objects = np.array([len(each.names) for each in self.images["train"].labels])
        self.layout = layout_of(self.config)

    def settings(self) -> dict[str, Any]:
        """The configuration and the words that rebuild the network."""
        return {"perception": self.config.model_dump(mode="json"), "labels": self.space.to_json()}

    def build(self) -> nn.Module:
        """A `Perception` network with channels-last weights, the fast layout on CPU and GPU."""
        return Perception(self.config, self.space).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def curriculum(self, epoch: int) -> dict[str, float]:
        """Largest number of objects in an image of this epoch: of the emptiest third at first, of all from half on."""
        if not self.training.curriculum:
            return {}
        share = EASY + (1 - EASY) * min(1.0, 2 * epoch / max(1, self.training.epochs))
        return {"curriculum/max_objects": float(np.quantile(self.num_objects, share, method="higher"))}

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Images in this epoch's order; in training mirrored, with other light, and with boxes that err."""
        is_training = split == "train"
        order = epoch_order(len(self.images[split]), self.training.seed, epoch, shuffle=is_training)
        if is_training and len(self.sizes) > 1:
            order = mixed_order(self.sizes, self.temperature, self.training.seed, epoch)
        if is_training and (most := self.curriculum(epoch).get("curriculum/max_objects")) is not None:
            order = order[self.num_objects[order] <= most]
        parts = split_batches(order, self.training.batch_size, shard, even=is_training)
        return Batches(parts, lambda part: self._batch(split, epoch, part))

    def loss(self, model: nn.Module, batch: PerceptionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of the terms of `losses.loss_terms`."""
        images = batch.images.permute(0, 3, 1, 2).contiguous().float()  # reordered as bytes, a quarter of the traffic
        if batch.draws is not None:
            images = drawn_images(images, batch.draws)
        found = model(images, batch.points, batch.boxes, batch.targets.exists)
        covered = batch.boxes.new_tensor(self.layout.covered)
        terms = loss_terms(found, batch.targets, batch.points, batch.boxes, covered, self.config.heat_sigma)
        return torch.stack(list(terms.values())).sum(), terms

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Objects found, named and described as they are, by `scoring.score_beliefs`."""
        assert isinstance(model, Perception)
        images = self.images["val"]
        pixels: Any = images.pixels  # one array, or those of several datasets: both are read by row
        beliefs, concepts = perceive(model, pixels, [each.size for each in images.photographs], BATCH)
        found = score_beliefs(images.photographs, beliefs, self.space, self.name_counts)
        wanted = np.stack([each.concepts for each in images.labels])
        return {f"val/{name}": value for name, value in (found | concept_map(concepts, wanted)).items()}

    @cached_property
    def name_counts(self) -> dict[str, int]:
        """How many objects of the training images have each name."""
        numbers = np.concatenate([each.names for each in self.images["train"].labels])
        counts = np.bincount(numbers[numbers >= 0], minlength=len(self.space.words.names))
        return dict(zip(self.space.words.names, counts.tolist(), strict=True))

    def _read(self, parts: Sequence[list[Photograph]], known: Sequence[Knowledge | None]) -> Images:
        config, found = self.config, []
        for photographs, words in zip(parts, known, strict=True):
            paths = [Path(each.path) for each in photographs]
            pixels, _ = read_images(paths, config.image_width, config.image_height, self.training.num_workers)
            labels = [labels_of(each, self.space, config.max_objects) for each in photographs]
            found.append(Images(photographs, pixels, [masked(each, words) for each in labels] if words else labels))
        return found[0] if len(found) == 1 else joined(found)

    def _batch(self, split: str, epoch: int, part: Part) -> PerceptionBatch:
        images = self.images[split]
        pixels = torch.from_numpy(np.stack([images.pixels[row] for row in part.rows]))
        targets = collate([images.labels[row] for row in part.rows], self.space)
        if split != "train":
            return PerceptionBatch(pixels, targets, targets.boxes[..., :2], targets.boxes, None)
        # Every image has a generator of its own, so that nothing depends on how a batch is split.
        rngs = [generator(self.training.seed, split, epoch, int(row)) for row in part.rows]
        flipped = torch.tensor([self.config.flip and rng.random() < 0.5 for rng in rngs])
        targets = mirrored(targets, flipped, self.mirror)
        points, boxes = self._asked(targets.boxes, rngs)
        strength = self.config.augment
        changes = [draw_augmentation(1, strength, rng) for rng in rngs if strength]
        noise = generator(self.training.seed, "noise", epoch, int(part.whole[0])).integers(2**31)
        augmentation = torch.cat(changes) if changes else torch.zeros(0, 6)
        channels = None
        if self.config.recolour:
            channels = torch.tensor([draw_order(self.config.recolour, rng) for rng in rngs])
            targets = without_colors(targets, (channels != torch.arange(3)).any(1), self.space)
        return PerceptionBatch(pixels, targets, points, boxes, Draws(augmentation, int(noise), flipped, channels))

    def _asked(self, boxes: Float[Tensor, "b n 4"], rngs: list[np.random.Generator]) -> tuple[Tensor, Tensor]:
        """Points up to a cell from the true centres, and boxes that err as predicted ones do."""
        shape, most = boxes.shape, self.config.max_objects
        drawn = np.stack([rng.uniform(-1, 1, (most, 6))[: shape[1]] for rng in rngs]).astype(np.float32)
        errors = torch.from_numpy(drawn)
        cell = self.layout.stride / np.array([self.config.image_width, self.config.image_height], np.float32)
        points = boxes[..., :2] + errors[..., :2] * torch.from_numpy(cell)
        moved = boxes[..., :2] + self.config.jitter * errors[..., 2:4] * boxes[..., 2:]
        return points, torch.cat([moved, boxes[..., 2:] * (self.config.jitter * errors[..., 4:]).exp()], -1)


def mirrored_rows(relations: Sequence[str]) -> list[int]:
    """Row of what each relation is called in a mirrored image."""
    return [
        relations.index(MIRRORED[name]) if MIRRORED.get(name) in relations else k for k, name in enumerate(relations)
    ]


def mirrored(targets: Targets, is_flipped: Tensor, rows: list[int]) -> Targets:
    """The targets of mirrored images: boxes, and relations, of which `rows` are as of `mirrored_rows`."""
    targets = replace(targets, boxes=flipped_boxes(targets.boxes, is_flipped))
    if rows == sorted(rows):
        return targets
    relations = torch.where(is_flipped[:, None, None, None], targets.relations[:, rows], targets.relations)
    return replace(targets, relations=relations)


def flipped_boxes(boxes: Float[Tensor, "b n 4"], is_flipped: Tensor) -> Float[Tensor, "b n 4"]:
    """The boxes of mirrored images."""
    x = torch.where(is_flipped[:, None], 1 - boxes[..., 0], boxes[..., 0])
    return torch.cat([x[..., None], boxes[..., 1:]], -1)


def drawn_images(images: Float[Tensor, "b 3 h w"], draws: Draws) -> Float[Tensor, "b 3 h w"]:
    """Images as training sees them."""
    images = torch.where(draws.is_flipped[:, None, None, None], images.flip(-1), images)
    images = images if draws.channels is None else exchanged(images, draws.channels)
    return augment_images(images, draws.augmentation, draws.noise_seed) if len(draws.augmentation) else images


def concept_map(logits: Float[np.ndarray, "m c"], wanted: np.ndarray) -> dict[str, float]:
    """Mean average precision over the concepts that some images have and others have not; 0 where there is none."""
    precisions = list(concept_precisions(logits, wanted).values())
    return {"concept_map": float(np.mean(precisions)) if precisions else 0.0}


def concept_precisions(logits: Float[np.ndarray, "m c"], wanted: np.ndarray) -> dict[int, float]:
    """Average precision by number of the concept, over the images of which it is known."""
    from sklearn.metrics import average_precision_score

    found = {}
    for column in range(wanted.shape[1]):
        known = wanted[:, column] >= 0
        labels = wanted[known, column]
        if 0 < labels.sum() < len(labels):
            found[column] = float(average_precision_score(labels, logits[known, column]))
    return found
