"""Maps and labels as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets

NUM_CHANNELS = 3  # free, goal, logarithm (base 2) of the cost of entering


def encode(maps: Maps) -> Float[Tensor, "n c h w"]:
    """What the network sees: where one may stand, where the goal is, what entering costs.

    Walls are zero in every channel, as is the world beyond the border: to the network a border is a wall.
    """
    shown = np.zeros((len(maps), NUM_CHANNELS, *maps.shape), np.float32)
    shown[:, 0] = maps.free
    shown[np.arange(len(maps)), 1, maps.goal[:, 0], maps.goal[:, 1]] = 1
    if maps.cost is not None:
        shown[:, 2] = np.log2(np.maximum(maps.cost, 1)) * maps.free
    return torch.from_numpy(shown)


@dataclass(frozen=True)
class MapBatch:
    """Maps and what is to be learnt of them: action sets, and the cost to the goal (inf where there is no way)."""

    inputs: Float[Tensor, "b c h w"]
    optimal: Bool[Tensor, "b a h w"]
    cost: Float[Tensor, "b h w"]
    burn_in: int = 0

    @classmethod
    def of(cls, maps: Maps, labels: Labels, burn_in: int = 0) -> MapBatch:
        """The batch of labelled maps."""
        sets = action_sets(labels.optimal, maps.connectivity)
        return cls(encode(maps), torch.from_numpy(sets), torch.from_numpy(labels.cost_to_go), burn_in)

    @property
    def free(self) -> Bool[Tensor, "b h w"]:
        """Where one may stand."""
        return self.inputs[:, 0] > 0

    def to(self, device: torch.device | str, **options: Any) -> MapBatch:
        """The batch on another device."""
        inputs, optimal = self.inputs.to(device, **options), self.optimal.to(device, **options)
        return MapBatch(inputs, optimal, self.cost.to(device, **options), self.burn_in)
