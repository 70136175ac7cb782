"""Perception: from a photograph to its objects with boxes, names and attributes, their relations, and the place.

Shapes: b images, h × w pixels, n objects per image (padded), d features of an object, c channels. Objects are found as
peaks of a centre heat map; a box is read at each, the pixels and the levels below it are read again, objects inform
each other, and names, attributes and relations are read from what they then are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.layers.vision.backbone import build_backbone
from nsmodels.layers.vision.crops import convolution
from nsmodels.layers.vision.pyramid import Pyramid
from nsmodels.systems.natural.config import PerceptionConfig
from nsmodels.systems.natural.perception.heads import (
    BoxHead,
    FactHead,
    NameHead,
    ObjectEncoder,
    Routing,
    SceneHead,
    refined_box,
)
from nsmodels.systems.natural.perception.labels import LabelSpace
from nsmodels.systems.natural.perception.pairs import Exchange, PairHead, pair_geometry

MEAN, STD = (0.48, 0.46, 0.42), (0.24, 0.24, 0.25)  # about those of photographs
Levels = list[Float[Tensor, "b c _ _"]]


@dataclass(frozen=True)
class ObjectLogits:
    """What is read of the objects in given boxes.

    Attributes:
        change: of the box, as `heads.refined_box` takes it.
        names: logarithms of probabilities.
        values: logits of attribute values, each by itself.
        stated: logits that a value of each type of attributes is stated at all.
        relations: logits for ordered pairs.
        features: what all of this is read from.
    """

    change: Float[Tensor, "b n 4"]
    names: Float[Tensor, "b n names"]
    values: Float[Tensor, "b n v"]
    stated: Float[Tensor, "b n t"]
    relations: Float[Tensor, "b r n n"]
    features: Float[Tensor, "b n d"]


@dataclass(frozen=True)
class SceneLogits:
    """What is read of the whole image: logits of locations, of weathers and of concepts."""

    locations: Float[Tensor, "b k"]
    weathers: Float[Tensor, "b k"]
    concepts: Float[Tensor, "b c"]


@dataclass(frozen=True)
class Perceived:
    """Output of the network: heat-map logits, boxes at the queried points, objects in the given boxes, the scene."""

    heat: Float[Tensor, "b 1 h w"]
    boxes: Float[Tensor, "b n 4"]
    objects: ObjectLogits
    scene: SceneLogits


@final
class Perception(nn.Module):
    """Backbone, feature pyramid, centre heat map and the heads of objects, pairs and scene."""

    mean: Tensor
    std: Tensor
    presence_map: Tensor

    def __init__(self, config: PerceptionConfig, space: LabelSpace) -> None:
        super().__init__()
        self.config, self.space = config, space
        self.backbone, self.layout = build_backbone(config)
        self.pyramid = build_pyramid(config, list(self.layout.channels))
        channels, width = self.pyramid.level_channels, config.head_dim
        peak = nn.Conv2d(channels[0], 1, 1)
        peak.bias = nn.Parameter(torch.tensor([-4.0]))  # σ(−4) = 0.02: centres are rare, start near the base rate
        self.heat = nn.Sequential(nn.Sequential(*convolution(channels[0], channels[0], 3)), peak)
        self.box = BoxHead(channels, max(32, width // 2))
        self.objects = ObjectEncoder(channels, config)
        self.exchange = nn.ModuleList(Exchange(width) for _ in range(config.relation_graph))
        self.scene = SceneHead(channels, config, space)
        self.routing = Routing(width, len(space.concepts)) if config.routing and space.concepts else None
        self.names = NameHead(space, config)
        num, hidden = len(space.words.names), max(16, width // 2)
        self.change = FactHead(width, num, [4], hidden)
        self.facts = FactHead(width, num, [len(space.values), len(space.words.attributes)], hidden)
        self.pairs = PairHead(width, num, len(space.relations), config.relation_dropout) if space.relations else None
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
        try:
            space = LabelSpace.from_json(checkpoint.settings_of(payload, "labels", where))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where}: words of the model cannot be read ({error!r}); train it again") from None
        model = cls(PerceptionConfig.from_mapping(settings, where), space)
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def forward(
        self,
        images: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        boxes: Float[Tensor, "b n 4"],
        exists: Bool[Tensor, "b n"],
    ) -> Perceived:
        """What is read of images with values 0..255: boxes at `points`, objects in `boxes`, both in 0..1."""
        scaled = self.normalised(images)
        levels = self.levels(scaled)
        objects, scene = self.read(scaled, levels, boxes, exists)
        return Perceived(self.heat(levels[0]), self.boxes_at(levels, points, exists), objects, scene)

    def normalised(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """Images with values 0..255 at a mean of about 0 and a deviation of about 1, channels last in memory."""
        scaled = torch.addcmul(-self.mean / self.std, images.float(), 1 / self.std)
        return scaled.contiguous(memory_format=torch.channels_last)

    def levels(self, scaled: Float[Tensor, "b 3 h w"]) -> Levels:
        """The feature pyramid of normalised images, fine to coarse."""
        return self.pyramid(self.layout.maps(self.backbone, scaled))

    def boxes_at(
        self, levels: Levels, points: Float[Tensor, "b n 2"], exists: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b n 4"]:
        """The output of the box head at `points`, (x, y) in 0..1 of the image."""
        exists = with_one(exists)
        with torch.autocast(points.device.type, enabled=False):
            on_maps = points * points.new_tensor(self.layout.covered)
            return self.box([level.float() for level in levels], on_maps, exists)

    def read(
        self,
        scaled: Float[Tensor, "b 3 h w"],
        levels: Levels,
        boxes: Float[Tensor, "b n 4"],
        exists: Bool[Tensor, "b n"],
    ) -> tuple[ObjectLogits, SceneLogits]:
        """Objects in `boxes` of normalised images, and the scene."""
        shown, exists = exists, with_one(exists)
        # Full precision: the 8 bits of a bfloat16 would blur positions. The heads cost little.
        with torch.autocast(boxes.device.type, enabled=False):
            plain = [level.float() for level in levels]
            features = self.objects(scaled, plain, boxes, exists, boxes.new_tensor(self.layout.covered))
            geometry = pair_geometry(boxes)
            for each in self.exchange:
                features = each(features, geometry, exists)
            locations, weathers, concepts = self.scene(plain)
            if self.routing is not None:
                features, concepts = self.routing(features, concepts, shown)
            names = self.names(features)
            (change,) = self.change(features, names, boxes, exists)
            # How large a thing is, and whether it touches another one, is a matter of pixels: by the refined boxes.
            fitting = refined_box(boxes, change.detach())
            values, stated = self.facts(features, names, fitting, exists)
            none = geometry.new_zeros(len(geometry), 0, *geometry.shape[1:3])
            relations = none if self.pairs is None else self.pairs(features, names, pair_geometry(fitting))
        objects = ObjectLogits(change, names, values, stated, relations, features)
        return objects, SceneLogits(locations, weathers, concepts)


def with_one(exists: Bool[Tensor, "b n"]) -> Bool[Tensor, "b n"]:
    """`exists`, or one object where there is none at all: batch norm needs something to read."""
    if exists.any():
        return exists
    return torch.arange(exists.numel(), device=exists.device).view(exists.shape) == 0


def build_pyramid(config: PerceptionConfig, channels: list[int]) -> Pyramid | SingleScale:
    """The fused levels, or the coarsest one alone."""
    return Pyramid(channels, config.feature_dim) if config.fusion else SingleScale(channels, config.feature_dim)


@final
class SingleScale(nn.Module):
    """The coarsest map of the backbone, enlarged to the finest: features without fusion of scales."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.level_channels = [width]
        self.lateral = nn.Sequential(*convolution(channels[-1], width, 3))

    def forward(self, features: Levels) -> Levels:
        """One map at the size of the finest."""
        coarse = self.lateral(features[-1])
        return [F.interpolate(coarse, size=features[0].shape[-2:], mode="bilinear", align_corners=False)]
