"""Heads of perception: box at a centre, features of an object, its name and attributes, concepts of the whole image.

Shapes: b images, n objects per image, d features of an object, c concepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.layers.vision.pyramid import sample
from nsmodels.systems.natural.config import PerceptionConfig
from nsmodels.systems.natural.perception.labels import LabelSpace
from nsmodels.systems.natural.perception.regions import RegionEncoder, sample_boxes

TYPICAL_SIDE = 0.2  # of the image: sides are predicted as logarithms of their ratio to it
MOST_RATIO = 3.0  # largest logarithm of such a ratio


def layer(width: int, out: int) -> tuple[nn.Module, ...]:
    """A linear layer, batch norm, ReLU. With layer norm in its place names are learnt half as fast (measured)."""
    return nn.Linear(width, out, bias=False), RowNorm(out), nn.ReLU(inplace=True)


@final
class RowNorm(nn.BatchNorm1d):
    """Batch norm over rows that also takes a single one, by the statistics of those before it."""

    def forward(self, input: Float[Tensor, "m d"]) -> Float[Tensor, "m d"]:
        """Rows of the same shape."""
        if len(input) > 1:
            return super().forward(input)
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def grids_of(channels: Sequence[int]) -> list[int]:
    """Places per side at which each level is read: three on the two finest, which tell outlines."""
    return [3 if level < 2 else 1 for level in range(len(channels))]


@final
class BoxHead(nn.Module):
    """The box of the object at a centre, from the levels around it."""

    def __init__(self, channels: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.grids = grids_of(channels)
        width = sum(c * g * g for c, g in zip(channels, self.grids, strict=True))
        self.layers = nn.Sequential(*layer(width, hidden), nn.Linear(hidden, 4))

    def forward(
        self,
        levels: Sequence[Float[Tensor, "b _ _ _"]],
        points: Float[Tensor, "b n 2"],
        exists: Bool[Tensor, "b n"],
    ) -> Float[Tensor, "b n 4"]:
        """Offset of the centre in cells of the finest level, logarithms of the sides over `TYPICAL_SIDE`."""
        read = [sample(level, points, grid) for level, grid in zip(levels, self.grids, strict=True)]
        return spread(self.layers(torch.cat(read, -1)[exists]), exists)


def spread(found: Float[Tensor, "m d"], exists: Bool[Tensor, "b n"]) -> Float[Tensor, "b n d"]:
    """Rows of the objects that exist in their places, zeros in the others."""
    return found.new_zeros(*exists.shape, found.shape[-1]).masked_scatter(exists[..., None], found)


def box_from_centre(
    points: Float[Tensor, "b n 2"], found: Float[Tensor, "b n 4"], cell: Float[Tensor, " 2"]
) -> Float[Tensor, "b n 4"]:
    """Boxes from the output of `BoxHead`; `cell`: width and height of a cell in 0..1 of the image."""
    sides = TYPICAL_SIDE * found[..., 2:].clamp(-MOST_RATIO, MOST_RATIO).exp()
    return torch.cat([points + found[..., :2] * cell, sides], -1)


def refined_box(boxes: Float[Tensor, "b n 4"], change: Float[Tensor, "b n 4"]) -> Float[Tensor, "b n 4"]:
    """Boxes moved by a part of their sides, and scaled by the exponential of the rest of the change."""
    sides = boxes[..., 2:]
    return torch.cat([boxes[..., :2] + change[..., :2] * sides, sides * change[..., 2:].clamp(-1, 1).exp()], -1)


@final
class ObjectEncoder(nn.Module):
    """Features of an object: the levels below its box, the box itself, and the pixels below it, read again."""

    def __init__(self, channels: Sequence[int], config: PerceptionConfig) -> None:
        super().__init__()
        self.grids = grids_of(channels)
        self.regions = RegionEncoder(config.crop_size, config.crop_dim) if config.crop_size else None
        width = sum(c * g * g for c, g in zip(channels, self.grids, strict=True)) + 4
        self.around = nn.Sequential(nn.Linear(width, config.head_dim, bias=False), RowNorm(config.head_dim))
        # Each part has a norm of its own: what one of them contributes does not depend on the scale of the other.
        self.below = None
        if self.regions is not None:
            below = nn.Linear(self.regions.num_features, config.head_dim, bias=False)
            self.below = nn.Sequential(below, RowNorm(config.head_dim))
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        scaled: Float[Tensor, "b 3 h w"],
        levels: Sequence[Float[Tensor, "b _ _ _"]],
        boxes: Float[Tensor, "b n 4"],
        exists: Bool[Tensor, "b n"],
        covered: Float[Tensor, " 2"],
    ) -> Float[Tensor, "b n d"]:
        """Features of the objects in `boxes` that exist; `covered`: part of the maps that shows the image."""
        on_maps = boxes * torch.cat([covered, covered])
        sides = torch.log(boxes[..., 2:].clamp(min=1e-3) / TYPICAL_SIDE)
        read = [sample_boxes(level, on_maps, grid) for level, grid in zip(levels, self.grids, strict=True)]
        found = self.around(torch.cat([*read, boxes[..., :2] * 2 - 1, sides], -1)[exists])
        if self.regions is not None and self.below is not None:
            rows = torch.arange(len(boxes), device=boxes.device)[:, None].expand(exists.shape)[exists]
            found = found + self.below(self.regions(scaled, boxes[exists], rows))
        return spread(self.dropout(F.relu(found)), exists)


@final
class NameHead(nn.Module):
    """Logarithms of the probabilities of names, by class and within it, or at once; with prototypes to compare to."""

    class_numbers: Tensor

    def __init__(self, space: LabelSpace, config: PerceptionConfig) -> None:
        super().__init__()
        width, num = config.head_dim, len(space.words.names)
        self.names = nn.Linear(width, num)
        self.classes = nn.Linear(width, len(space.classes)) if config.hierarchy else None
        self.register_buffer("class_numbers", torch.tensor(space.class_numbers), persistent=False)
        self.memory = PrototypeMemory(width, num, config.memory) if config.memory else None

    def forward(self, features: Float[Tensor, "b n d"]) -> Float[Tensor, "b n names"]:
        """Logarithms of probabilities that sum to 1."""
        logits = self.names(features)
        if self.memory is not None:
            logits = logits + self.memory(features)
        if self.classes is None:
            return logits.log_softmax(-1)
        # P(name) = P(class) · P(name | class), and the latter is a softmax over the names of the class.
        classes = self.classes(features).log_softmax(-1)
        top = logits.detach().amax(-1, keepdim=True)  # the same for all classes, so that it cancels
        index = self.class_numbers.expand(logits.shape)
        totals = torch.zeros_like(classes).scatter_add(-1, index, (logits - top).exp())
        within = logits - top - totals.clamp(min=1e-20).log().gather(-1, index)
        return classes.gather(-1, index) + within


@final
class FactHead(nn.Module):
    """What else is read of an object: the change of its box; its attribute values, which types of them are stated.

    It sees the box and the probabilities of names directly: large is what is larger than usual for its name.
    """

    def __init__(self, width: int, num_names: int, sizes: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.layers = nn.Sequential(*layer(width + num_names + 4, hidden), nn.Linear(hidden, sum(sizes)))
        self.plain = nn.Linear(width, sum(sizes))

    def forward(
        self,
        features: Float[Tensor, "b n d"],
        names: Float[Tensor, "b n names"],
        boxes: Float[Tensor, "b n 4"],
        exists: Bool[Tensor, "b n"],
    ) -> tuple[Float[Tensor, "b n _"], ...]:
        """Outputs of the given sizes; `names` as of `NameHead`, which do not learn from them."""
        sides = torch.log(boxes[..., 2:].clamp(min=1e-3) / TYPICAL_SIDE)
        foot = boxes[..., 1:2] + boxes[..., 3:] / 2  # where it stands, and so how far away it is
        seen = torch.cat([features, names.detach().exp(), sides, boxes[..., :1] * 2 - 1, foot * 2 - 1], -1)
        found = self.plain(features) + spread(self.layers(seen[exists]), exists)
        return found.split(self.sizes, -1)


@final
class PrototypeMemory(nn.Module):
    """Prototypes of each concept in the space of features; an object resembles a concept as its nearest prototype."""

    def __init__(self, width: int, num_concepts: int, num_prototypes: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(num_concepts, num_prototypes, width) * width**-0.5)
        self.scale = nn.Parameter(torch.tensor(8.0))

    def forward(self, features: Float[Tensor, "b n d"]) -> Float[Tensor, "b n concepts"]:
        """The scaled cosine of the angle to the prototypes, their soft maximum."""
        cosine = torch.einsum("bnd,ckd->bnck", F.normalize(features, dim=-1), F.normalize(self.prototypes, dim=-1))
        return torch.logsumexp(self.scale * cosine, -1)


@final
class SceneHead(nn.Module):
    """Place and concepts of the whole image: from means and maxima of its coarse levels, and from where they show."""

    def __init__(self, channels: Sequence[int], config: PerceptionConfig, space: LabelSpace) -> None:
        super().__init__()
        self.sizes = [len(space.words.locations), len(space.words.weathers), len(space.concepts)]
        width = 2 * sum(channels[-2:])
        self.layers = nn.Sequential(nn.Linear(width, config.head_dim), nn.GELU(), nn.LayerNorm(config.head_dim))
        self.out = nn.Linear(config.head_dim, sum(self.sizes)) if sum(self.sizes) else None
        # A map of each concept on a level of middle scale: an image has what one of its parts has.
        self.middle = min(1, len(channels) - 1)
        self.maps = nn.Conv2d(channels[self.middle], self.sizes[2], 1) if self.sizes[2] else None

    def forward(self, levels: Sequence[Float[Tensor, "b _ _ _"]]) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of locations, of weathers and of concepts, (b, k) each."""
        if self.out is None:
            none = levels[0].new_zeros(len(levels[0]), 0)
            return none, none, none
        read = [pooled for level in levels[-2:] for pooled in (level.mean((2, 3)), level.amax((2, 3)))]
        locations, weathers, concepts = self.out(self.layers(torch.cat(read, -1))).split(self.sizes, -1)
        if self.maps is not None:
            concepts = concepts + self.maps(levels[self.middle]).amax((2, 3))
        return locations, weathers, concepts


@final
class Routing(nn.Module):
    """Concepts of the image inform its objects, weighted by how likely they are, and objects inform the concepts."""

    def __init__(self, width: int, num_concepts: int) -> None:
        super().__init__()
        self.concepts = nn.Parameter(torch.randn(num_concepts, width) * width**-0.5)
        self.queries, self.values = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.values.weight)  # it adds nothing at first
        self.evidence = nn.Linear(width, num_concepts)

    def forward(
        self, features: Float[Tensor, "b n d"], logits: Float[Tensor, "b c"], exists: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "b c"]]:
        """Features of objects and logits of concepts, each with what the others add."""
        scores = self.queries(features) @ self.concepts.T * features.shape[-1] ** -0.5
        weights = (scores + F.logsigmoid(logits.detach())[:, None]).softmax(-1)
        added = weights @ self.values(self.concepts)
        # What the most telling object says, nothing where there is none.
        told = self.evidence(features).masked_fill(~exists[..., None], -1e4).amax(1)
        return features + added, logits + told.clamp(min=-20) * exists.any(1, keepdim=True)
