"""Maps and labels as tensors.

Shapes: n or b maps, c channels, a actions, h rows, w columns.
"""

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
    """The network's input, float32: free cells (1), the goal (1), log2 of the cost of entering a cell.

    Walls are zero in every channel, as is the padding beyond the border: to the network a border is a wall.
    """
    encoded = np.zeros((len(maps), NUM_CHANNELS, *maps.shape), np.float32)
    encoded[:, 0] = maps.free
    encoded[np.arange(len(maps)), 1, maps.goal[:, 0], maps.goal[:, 1]] = 1
    if maps.cost is not None:
        encoded[:, 2] = np.log2(np.maximum(maps.cost, 1)) * maps.free
    return torch.from_numpy(encoded)


@dataclass(frozen=True)
class MapBatch:
    """Maps with their labels: sets of optimal actions, and the cost to the goal (inf where it cannot be reached).

    `burn_in`: number of segments without gradient before the supervised ones.
    """

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
        """Free cells."""
        return self.inputs[:, 0] > 0

    def to(self, device: torch.device | str, **options: Any) -> MapBatch:
        """The batch on `device`."""
        inputs, optimal = self.inputs.to(device, **options), self.optimal.to(device, **options)
        return MapBatch(inputs, optimal, self.cost.to(device, **options), self.burn_in)
