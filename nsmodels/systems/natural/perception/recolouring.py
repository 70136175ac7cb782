"""Training images in exchanged colours: names shall rest on shapes, as a thing may have a colour that is rare for it.

What is red turns green or blue, what is grey stays. Colours of things are no longer those stated, and not learnt from
such images. Shapes: b images.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nsmodels.systems.natural.perception.labels import UNKNOWN, LabelSpace, Targets

COLOR = "color"
ORDERS = tuple(permutations(range(3)))  # the first leaves an image as it is


def draw_order(share: float, rng: np.random.Generator) -> tuple[int, ...]:
    """The order in which red, green and blue of an image are taken: with probability `share` a different one."""
    return ORDERS[int(rng.integers(1, len(ORDERS)))] if rng.random() < share else ORDERS[0]


def exchanged(images: Float[Tensor, "b 3 h w"], orders: Int[Tensor, "b 3"]) -> Float[Tensor, "b 3 h w"]:
    """Images with their channels in the given order."""
    return images.gather(1, orders[:, :, None, None].expand(-1, -1, *images.shape[2:]))


def without_colors(targets: Targets, is_exchanged: Bool[Tensor, " b"], space: LabelSpace) -> Targets:
    """The targets with the colours of things and concepts unknown in images whose colours are exchanged."""
    if COLOR not in space.words.attributes or not is_exchanged.any():
        return targets
    number = list(space.words.attributes).index(COLOR)
    is_value = torch.tensor([kind == number for kind in space.type_numbers])
    is_type = torch.arange(len(space.words.attributes)) == number
    is_concept = torch.tensor([kind == COLOR for kind, _ in space.concepts], dtype=torch.bool)
    names, values, types, relations = targets.known or _all_known(targets)
    at = is_exchanged[:, None]
    known = (names, values & ~(at & is_value), types & ~(at & is_type), relations)
    return replace(targets, concepts=targets.concepts.masked_fill(at & is_concept, UNKNOWN), known=known)


def _all_known(targets: Targets) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    size = len(targets.values)
    widths = (targets.values.shape[-1], targets.stated.shape[-1], targets.relations.shape[1])
    values, types, relations = (torch.ones(size, width, dtype=torch.bool) for width in widths)
    return torch.ones(size, 1, dtype=torch.bool), values, types, relations
