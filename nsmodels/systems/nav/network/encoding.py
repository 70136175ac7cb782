"""Maps and labels as tensors.

Shapes: n or b maps, c channels, a actions, h rows, w columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets

LARGEST_COST = 255  # of entering a cell
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


class Cells(NamedTuple):
    """Free cells of maps, and their costs to the goal (inf where it cannot be reached)."""

    free: Bool[Tensor, "b h w"]
    cost: Float[Tensor, "b h w"]


@dataclass(frozen=True)
class MapBatch:
    """Maps with their labels: sets of optimal actions, and the cost to the goal (inf where it cannot be reached).

    `burn_in`: number of segments without gradient before the supervised ones.
    `whole`: free cells and costs of the whole batch that this is a part of; None where it is the whole batch itself.
    """

    inputs: Float[Tensor, "b c h w"]
    optimal: Bool[Tensor, "b a h w"]
    cost: Float[Tensor, "b h w"]
    burn_in: int = 0
    whole: Cells | None = None

    @classmethod
    def of(cls, maps: Maps, labels: Labels, burn_in: int = 0) -> MapBatch:
        """The batch of labelled maps."""
        sets = action_sets(labels.optimal, maps.connectivity)
        return cls(encode(maps), torch.from_numpy(sets), torch.from_numpy(labels.cost_to_go), burn_in)

    @property
    def free(self) -> Bool[Tensor, "b h w"]:
        """Free cells."""
        return self.inputs[:, 0] > 0

    @property
    def cells(self) -> Cells:
        """What decides which cells are supervised."""
        return Cells(self.free, self.cost)

    @property
    def share(self) -> float:
        """Its share of the maps of the whole batch."""
        return 1.0 if self.whole is None else len(self.cost) / len(self.whole.cost)

    def to(self, device: torch.device | str, **options: Any) -> MapBatch:
        """The batch on `device`."""
        inputs, optimal = self.inputs.to(device, **options), self.optimal.to(device, **options)
        whole = self.whole and Cells(*(tensor.to(device, **options) for tensor in self.whole))
        return MapBatch(inputs, optimal, self.cost.to(device, **options), self.burn_in, whole)
