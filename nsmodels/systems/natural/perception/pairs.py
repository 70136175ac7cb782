"""Pairs of objects: the geometry of their boxes, messages between them, and the relations that are read from them.

Shapes: b images, n objects per image, d features, r relations.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

NUM_GEOMETRY = 16
FINE = 20.0  # inverse of the part of the image from which on a gap is a wide one
LEAST_SIDE = 1e-3  # of the image, for ratios


def pair_geometry(boxes: Float[Tensor, "b n 4"]) -> Float[Tensor, "b n n 16"]:
    """What the boxes of objects i and j (centre, width, height) have to do with each other, seen from i.

    Distances of centres in sides of i, and in sides of the image; logarithms of the ratios of sides; shares of i and
    of j that the other covers; gaps across and down as parts of the image, negative where the boxes overlap; the common
    height as a part of the lower one; the distance of the lower edges; whether i is j; gaps and lower edges once more,
    at a finer scale, on which boxes that touch differ from boxes that nearly do.
    """
    centre, side = boxes[..., :2], boxes[..., 2:].clamp(min=LEAST_SIDE)
    away = centre[:, None, :] - centre[:, :, None]
    ratio = torch.log(side[:, None, :] / side[:, :, None])
    low, high = centre - side / 2, centre + side / 2
    common = torch.minimum(high[:, None, :], high[:, :, None]) - torch.maximum(low[:, None, :], low[:, :, None])
    shared, area = common.clamp(min=0).prod(-1), side.prod(-1)
    covered = torch.stack([shared / area[:, :, None], shared / area[:, None, :]], -1)
    lower = torch.minimum(side[:, None, :, 1], side[:, :, None, 1])
    level = (common[..., 1] / lower).clamp(-2, 1)[..., None]
    below = (high[:, None, :, 1] - high[:, :, None, 1])[..., None]
    same = torch.eye(boxes.shape[1], device=boxes.device).expand(len(boxes), -1, -1)[..., None]
    near = (away / side[:, :, None]).clamp(-5, 5)
    fine = (FINE * torch.cat([common, below], -1)).clamp(-1, 1)
    return torch.cat([near, away, ratio, covered, -4 * common, level, 4 * below, same, fine], -1)


@final
class Exchange(nn.Module):
    """One round of messages between the objects of an image: attention by features and geometry (Hu et al. 2018)."""

    def __init__(self, width: int, num_heads: int = 4) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.geometry = nn.Sequential(nn.Linear(NUM_GEOMETRY, 32), nn.GELU(), nn.Linear(32, num_heads))
        last = nn.Linear(width, width)
        nn.init.zeros_(last.weight)  # messages add nothing at first: each object is read by itself
        self.out = nn.Sequential(nn.Linear(width, width), nn.GELU(), last)

    def forward(
        self,
        features: Float[Tensor, "b n d"],
        geometry: Float[Tensor, "b n n 16"],
        exists: Bool[Tensor, "b n"],
    ) -> Float[Tensor, "b n d"]:
        """Features with what the other objects add; padding sends no messages."""
        size, num, width = features.shape
        query, key, value = self.queries(self.norm(features)).view(size, num, 3, self.num_heads, -1).unbind(2)
        scores = torch.einsum("bihd,bjhd->bhij", query, key) * (width / self.num_heads) ** -0.5
        scores = scores + self.geometry(geometry).permute(0, 3, 1, 2)
        # A large negative number, not −∞: an image without objects would give 0 / 0.
        weights = scores.masked_fill(~exists[:, None, None, :], -1e4).softmax(-1)
        read = torch.einsum("bhij,bjhd->bihd", weights, value).reshape(size, num, width)
        return features + self.out(read)


@final
class PairHead(nn.Module):
    """Logits of relations for each ordered pair: from features and names of both objects, and from their boxes.

    There are few pairs in a relation: of features, from which an image can be learnt by heart, a part is dropped.
    """

    def __init__(self, width: int, num_names: int, num_relations: int, dropout: float, hidden: int = 64) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.subject, self.target = (nn.Linear(width + num_names, hidden) for _ in range(2))
        self.geometry = nn.Linear(NUM_GEOMETRY, hidden)
        last = nn.Linear(hidden, num_relations)
        last.bias = nn.Parameter(torch.full((num_relations,), -3.0))  # relations are rare: start near the base rate
        self.out = nn.Sequential(nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), last)

    def forward(
        self,
        features: Float[Tensor, "b n d"],
        names: Float[Tensor, "b n names"],
        geometry: Float[Tensor, "b n n 16"],
    ) -> Float[Tensor, "b r n n"]:
        """Logits that object i is in each relation to object j; `names` do not learn from them."""
        read = torch.cat([self.dropout(features), names.detach().exp()], -1)
        mixed = self.subject(read)[:, :, None] + self.target(read)[:, None] + self.geometry(geometry)
        return self.out(mixed).permute(0, 3, 1, 2)
