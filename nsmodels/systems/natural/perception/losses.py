"""Losses of perception: each a mean over images, with constants in place of the numbers of objects of a batch.

Shapes: b images, n objects per image (padded). Equal shards of a batch average to the loss of the whole batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.layers.vision.centres import centre_heat, focal_loss
from nsmodels.systems.natural.perception.heads import TYPICAL_SIDE
from nsmodels.systems.natural.perception.labels import UNKNOWN, Targets
from nsmodels.systems.natural.perception.network import ObjectLogits, Perceived, SceneLogits

TYPICAL_OBJECTS = 6.0  # of an image
# Errors below which precision stops to matter: cells of the heat map, parts of a box.
FINE_OFFSET, FINE_SIDE = 0.2, 0.05
HEAT_WEIGHT, BOX_WEIGHT, REFINED_WEIGHT, RELATION_WEIGHT, CONCEPT_WEIGHT = 3.0, 1.0, 2.0, 2.0, 5.0
Terms = dict[str, Tensor]


def loss_terms(
    found: Perceived,
    targets: Targets,
    points: Float[Tensor, "b n 2"],
    boxes: Float[Tensor, "b n 4"],
    covered: Float[Tensor, " 2"],
    heat_sigma: float,
) -> Terms:
    """The terms of the loss by name.

    `points`, `boxes`: where the network was asked for boxes, and for objects. `covered`: part of the maps that shows
    the image.
    """
    height, width = found.heat.shape[-2:]
    heat = centre_heat(targets.boxes[..., :2] * covered, targets.exists, height, width, heat_sigma)
    cells = covered * covered.new_tensor([width, height])
    return {
        "heat": HEAT_WEIGHT * focal_loss(found.heat.float(), heat, TYPICAL_OBJECTS),
        "box": BOX_WEIGHT * box_loss(found.boxes, targets, points, cells),
        **object_terms(found.objects, targets, boxes),
        **scene_terms(found.scene, targets),
    }


def box_loss(
    found: Float[Tensor, "b n 4"], targets: Targets, points: Float[Tensor, "b n 2"], cells: Float[Tensor, " 2"]
) -> Float[Tensor, ""]:
    """Smooth L1 (Girshick 2015) of the offset in cells and of the logarithms of the sides; `cells`: of the image."""
    away = (targets.boxes[..., :2] - points) * cells
    offset = F.smooth_l1_loss(found[..., :2], away, beta=FINE_OFFSET, reduction="none")
    sides = torch.log(targets.boxes[..., 2:].clamp(min=1e-3) / TYPICAL_SIDE)
    scale = F.smooth_l1_loss(found[..., 2:], sides, beta=FINE_SIDE, reduction="none")
    return _per_image((offset + scale).sum(-1), targets)


def object_terms(found: ObjectLogits, targets: Targets, boxes: Float[Tensor, "b n 4"]) -> Terms:
    """Terms of the objects read in `boxes`; what is not labelled counts nothing."""
    sides = boxes[..., 2:].clamp(min=1e-3)
    moved = (targets.boxes[..., :2] - boxes[..., :2]) / sides
    scaled = torch.log(targets.boxes[..., 2:].clamp(min=1e-3) / sides)
    wanted = torch.cat([moved, scaled], -1)
    refined = F.smooth_l1_loss(found.change, wanted, beta=FINE_SIDE, reduction="none").sum(-1)
    named = -found.names.gather(-1, targets.names.clamp(min=0)[..., None]).squeeze(-1)
    return {
        "refined": REFINED_WEIGHT * _per_image(refined, targets),
        "name": _per_image(named * (targets.names != UNKNOWN), targets),
        "attributes": _per_image(attribute_loss(found, targets), targets),
        "relations": RELATION_WEIGHT * relation_loss(found.relations, targets),
    }


def attribute_loss(found: ObjectLogits, targets: Targets) -> Float[Tensor, "b n"]:
    """Cross-entropy of attributes, type by type.

    Of a type of which an object has a stated value, all values are known: those not stated are wrong. Of a type without
    one nothing is known but that: whether a type is stated is read by itself.
    """
    stated = targets.stated.to(found.stated.dtype)
    about = F.binary_cross_entropy_with_logits(found.stated, stated, reduction="none").sum(-1)
    each = F.binary_cross_entropy_with_logits(found.values, targets.values, reduction="none")
    known = stated[..., targets.kinds] if len(targets.kinds) else each
    return (about + (each * known).sum(-1)) * targets.described[:, None]


def relation_loss(found: Float[Tensor, "b r n n"], targets: Targets) -> Float[Tensor, ""]:
    """Cross-entropy of the relations of all ordered pairs of objects."""
    if not found.shape[1]:
        return found.new_zeros(())
    pairs = targets.exists[:, :, None] & targets.exists[:, None, :] & targets.described[:, None, None]
    pairs = pairs & ~torch.eye(pairs.shape[-1], dtype=torch.bool, device=pairs.device)
    each = F.binary_cross_entropy_with_logits(found, targets.relations, reduction="none")
    return (each * pairs[:, None]).sum() / (len(found) * TYPICAL_OBJECTS)


def scene_terms(found: SceneLogits, targets: Targets) -> Terms:
    """Terms of the place and of the concepts of the whole image."""
    places = found.concepts.new_zeros(())
    for logits, wanted in ((found.locations, targets.places[:, 0]), (found.weathers, targets.places[:, 1])):
        if logits.shape[1]:
            places = places + F.cross_entropy(logits, wanted, ignore_index=UNKNOWN, reduction="sum") / len(logits)
    known = targets.concepts != UNKNOWN
    each = F.binary_cross_entropy_with_logits(found.concepts, targets.concepts.clamp(min=0), reduction="none")
    concepts = (each * known).sum() / (len(each) * max(1, each.shape[1]))
    return {"scene": places, "concepts": CONCEPT_WEIGHT * concepts}


def _per_image(values: Float[Tensor, "b n"], targets: Targets) -> Float[Tensor, ""]:
    return (values * targets.exists).sum() / (len(values) * TYPICAL_OBJECTS)
