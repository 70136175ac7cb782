"""Networks without recursion, trained on the same maps: an MLP over whole maps, and a plain CNN of equal size.

Shapes as in `model.py`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.nav.config import BaselineConfig
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS, MapBatch, encode
from nsmodels.systems.nav.network.navigator import Answer, Policy, as_policy
from nsmodels.systems.nav.training.maps import TrainingMaps
from nsmodels.systems.nav.training.task import Asked, accuracy, action_loss

NAMES = ("mlp", "cnn")
CHUNK_CELLS = 2**16


class PlainNetwork(nn.Module, ABC):
    """From a map to the action logits of all cells, in one go."""

    connectivity: int

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b a h w"]:
        """Logits of each action being optimal."""

    @abstractmethod
    def takes(self, maps: Maps) -> bool:
        """Whether maps of this shape can be asked."""

    @property
    def num_parameters(self) -> int:
        """Trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @torch.inference_mode()
    def policy(self, maps: Maps) -> Policy:
        """The policy of every map; such a network believes in a way from everywhere and counts no steps."""
        device = next(self.parameters()).device
        size = max(1, CHUNK_CELLS // (maps.shape[0] * maps.shape[1]))
        logits = torch.cat([self(part.to(device)) for part in encode(maps).split(size)])
        blank = torch.full_like(logits[:, 0], 30.0)
        return as_policy(Answer(logits, blank, 0 * blank, blank[:, 0, 0]), np.zeros(len(maps), np.int32), "sigmoid")


@final
class Mlp(PlainNetwork):
    """Two hidden layers over the whole map; smaller maps are walled in to its size."""

    def __init__(self, shape: tuple[int, int], dim: int, connectivity: int) -> None:
        super().__init__()
        self.shape, self.connectivity, cells = shape, connectivity, shape[0] * shape[1]
        self.layers = nn.Sequential(
            nn.Linear(NUM_CHANNELS * cells, dim), nn.GELU(), nn.Linear(dim, dim), nn.GELU(),
            nn.Linear(dim, connectivity * cells),
        )  # fmt: skip

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b a h w"]:
        """Logits of maps of at most its size."""
        (rows, columns), (height, width) = self.shape, inputs.shape[2:]
        walled = nn.functional.pad(inputs, (0, columns - width, 0, rows - height))
        logits = self.layers(walled.flatten(1)).unflatten(1, (self.connectivity, rows, columns))
        return logits[:, :, :height, :width]

    def takes(self, maps: Maps) -> bool:
        """Maps of at most the largest shape trained on."""
        return maps.shape[0] <= self.shape[0] and maps.shape[1] <= self.shape[1]


@final
class Cnn(PlainNetwork):
    """3x3 convolutions with residuals; every layer has its own weights."""

    def __init__(self, dim: int, depth: int, connectivity: int) -> None:
        super().__init__()
        self.connectivity = connectivity
        self.embed = nn.Conv2d(NUM_CHANNELS, dim, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(dim, dim, 3, padding=1) for _ in range(depth))
        self.read = nn.Conv2d(dim, connectivity, 1)

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b a h w"]:
        """Logits of maps of any shape; a cell sees `depth` + 1 cells far."""
        free = inputs[:, :1]
        v = self.embed(inputs) * free
        for layer in self.layers:
            v = (v + nn.functional.gelu(layer(v))) * free
        return self.read(v)

    def takes(self, maps: Maps) -> bool:
        """Maps of any shape."""
        return True


@final
class PlainTask(Task):
    """Trains a plain network on the maps of the navigator: the optimal actions of every cell.

    Args:
        name: "mlp" or "cnn".
        maps: training and validation maps.
        config: sizes of the networks.
        training: how they are trained.
        num_parameters: of the navigator; the CNN is as wide as that allows.
    """

    def __init__(
        self, name: str, maps: TrainingMaps, config: BaselineConfig, training: TrainingConfig, num_parameters: int
    ) -> None:
        self.maps, self.training = maps, training
        width = math.isqrt(max(1, num_parameters // (9 * config.cnn_depth)))
        shape, connectivity = [max(sides) for sides in zip(*maps.shapes, strict=True)], maps.connectivity
        self.shown: dict[str, Any] = {"kind": name, "connectivity": connectivity}
        self.shown |= {"dim": config.mlp_dim, "shape": shape} if name == "mlp" else {}
        self.shown |= {"dim": max(4, width), "depth": config.cnn_depth} if name == "cnn" else {}

    def build(self) -> PlainNetwork:
        """The network with random weights."""
        return _make(self.shown)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of labelled maps of one shape each."""
        return self.maps.batches(split, epoch, shard)

    def loss(self, model: nn.Module, batch: MapBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Cross-entropy of each action over the cells from which the goal can be reached."""
        logits = model(batch.inputs)
        answer = Answer(logits, logits[:, 0], logits[:, 0], logits[:, 0, 0, 0])
        known = torch.isfinite(batch.cost) & (batch.cost > 0)
        loss = action_loss(answer, batch, Asked(known, torch.zeros_like(known)), "sigmoid")
        return loss, {"accuracy": accuracy(answer, batch)}

    def settings(self) -> dict[str, Any]:
        """What rebuilds the network."""
        return {"plain": self.shown}


def load_plain(folder: Path, device: str = "auto") -> dict[str, PlainNetwork]:
    """The plain networks that a checkpoint folder holds, by name."""
    paths = {name: Path(folder) / name / checkpoint.BEST for name in NAMES}
    return {
        name: from_checkpoint(checkpoint.load(path), str(path)).to(resolve_device(device))
        for name, path in paths.items()
        if path.exists()
    }


def from_checkpoint(payload: dict[str, Any], where: str) -> PlainNetwork:
    """The network in a checkpoint, ready to be asked."""
    network = _make(checkpoint.settings_of(payload, "plain", where))
    checkpoint.fill(network, payload["model_state_dict"], where)
    return network.eval()


def _make(shown: dict[str, Any]) -> PlainNetwork:
    if shown["kind"] == "mlp":
        return Mlp((shown["shape"][0], shown["shape"][1]), shown["dim"], shown["connectivity"])
    return Cnn(shown["dim"], shown["depth"], shown["connectivity"])
