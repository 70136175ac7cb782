"""From the output of perception to beliefs: peaks, boxes without duplicates, a second look, probabilities.

Shapes: b images, n places where an object may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from nsmodels.layers.vision.centres import find_peaks, without_padding
from nsmodels.systems.natural.beliefs import Belief, fill_sides, side_probabilities
from nsmodels.systems.natural.perception.heads import box_from_centre, refined_box
from nsmodels.systems.natural.perception.network import ObjectLogits, Perception, SceneLogits

MIN_PRESENCE = 0.05  # places with a lower probability of an object are dropped
MOST_OVERLAP = 0.6  # of two boxes, area common over area of both, above which they are taken for one object's
NUM_LOOKS = 2  # the second from where the object then is: its box fits, as most do in training
Size = tuple[int, int]
Read = tuple[Tensor, Tensor, Tensor, ObjectLogits, SceneLogits]


def perceive(
    model: Perception, pixels: UInt8[np.ndarray, "m h w 3"], sizes: Sequence[Size], batch: int
) -> tuple[list[Belief], Float[np.ndarray, "m c"]]:
    """Beliefs about images at the size of the network, and logits of their concepts.

    `sizes`: width and height of the image files in pixels, in which boxes are. `batch`: images that are read at once.
    """
    beliefs, concepts = [], [np.zeros((0, len(model.space.concepts)), np.float32)]
    for first in range(0, len(pixels), batch):
        found = look(model, np.asarray(pixels[first : first + batch]))
        beliefs += beliefs_of(model, found, sizes[first : first + batch])
        concepts.append(found[4].concepts.cpu().numpy())
    return beliefs, np.concatenate(concepts)


@torch.inference_mode()
def look(model: Perception, pixels: UInt8[np.ndarray, "b h w 3"]) -> Read:
    """Boxes in 0..1 of the image, strongest first, their presence, which exist, what is read in them, the scene."""
    images = torch.tensor(pixels, device=model.mean.device).permute(0, 3, 1, 2)
    scaled = model.normalised(images)
    levels = model.levels(scaled)
    heat = without_padding(model.heat(levels[0]).float(), model.layout.covered)
    covered = scaled.new_tensor(model.layout.covered)
    peaks, logits = find_peaks(heat, model.config.max_objects)
    points = peaks / covered
    cell = 1 / (covered * covered.new_tensor([heat.shape[-1], heat.shape[-2]]))
    presence = torch.sigmoid(model.presence_map[0] * logits + model.presence_map[1])
    boxes = box_from_centre(points, model.boxes_at(levels, points, presence >= MIN_PRESENCE), cell)
    exists = distinct(boxes, presence >= MIN_PRESENCE)
    most = max(1, int((exists * (torch.arange(exists.shape[1], device=exists.device) + 1)).max()))
    boxes, presence, exists = boxes[:, :most], presence[:, :most], exists[:, :most]
    for _ in range(NUM_LOOKS):
        objects, scene = model.read(scaled, levels, boxes, exists)
        boxes = refined_box(boxes, objects.change)
    return boxes, presence, distinct(boxes, exists), objects, scene


def distinct(boxes: Float[Tensor, "b n 4"], exists: Bool[Tensor, "b n"]) -> Bool[Tensor, "b n"]:
    """`exists` without the boxes that are nearly those of a stronger object, in order."""
    low, high = boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2
    common = torch.minimum(high[:, None], high[:, :, None]) - torch.maximum(low[:, None], low[:, :, None])
    shared, area = common.clamp(min=0).prod(-1), boxes[..., 2:].prod(-1)
    doubles = shared > MOST_OVERLAP * (area[:, None] + area[:, :, None] - shared)
    kept = exists.clone()
    for place in range(1, boxes.shape[1]):
        kept[:, place] &= ~(doubles[:, place, :place] & kept[:, :place]).any(1)
    return kept


def beliefs_of(model: Perception, found: Read, sizes: Sequence[Size]) -> list[Belief]:
    """A belief per image; `sizes` as of `perceive`."""
    boxes, presence, exists, objects, scene = found
    # A value is stated when its type is stated and it is among the values of the type.
    kinds = torch.tensor(model.space.type_numbers, device=boxes.device, dtype=torch.long)
    values = objects.values.sigmoid() * objects.stated.sigmoid()[..., kinds]
    places = [logits.softmax(-1) for logits in (scene.locations, scene.weathers)]
    tables = (presence, boxes, objects.names.exp(), values, objects.relations.sigmoid(), *places)
    arrays = [table.float().cpu().numpy() for table in tables]
    kept = exists.cpu().numpy()
    return [
        _belief(model, [array[row] for array in arrays], np.flatnonzero(kept[row]), size)
        for row, size in enumerate(sizes)
    ]


def _belief(model: Perception, arrays: Sequence[np.ndarray], kept: np.ndarray, size: Size) -> Belief:
    presence, boxes, names, values, relations, locations, weathers = arrays
    space, words = model.space, model.space.words
    ends = np.cumsum([len(each) for each in words.attributes.values()])
    parts = np.split(values[kept], ends[:-1], axis=1) if len(ends) else []
    pixels = pixel_boxes(boxes[kept], size)
    table = np.zeros((len(words.relations), len(kept), len(kept)), np.float32)
    for row, name in enumerate(space.relations):
        table[words.relations.index(name)] = relations[row][np.ix_(kept, kept)]
        np.fill_diagonal(table[words.relations.index(name)], 0)
    fill_sides(table, words, side_probabilities(pixels, size[0]))
    attributes = dict(zip(words.attributes, parts, strict=True))
    return Belief(words, size, presence[kept], pixels, names[kept], attributes, table, locations, weathers)


def pixel_boxes(boxes: Float[np.ndarray, "n 4"], size: Size) -> Float[np.ndarray, "n 4"]:
    """Corner, width and height in pixels from centre, width and height in 0..1, cut at the border of the image."""
    low = np.clip(boxes[:, :2] - boxes[:, 2:] / 2, 0, 1) * np.array(size, np.float32)
    high = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, 1) * np.array(size, np.float32)
    return np.concatenate([low, high - low], 1).astype(np.float32)
