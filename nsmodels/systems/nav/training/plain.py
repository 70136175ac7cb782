"""Baseline networks without recursion, trained on the same maps: an MLP over whole maps, and a CNN of equal size.

Shapes as in `network.navigator`.
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
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS, Cells, MapBatch, encode
from nsmodels.systems.nav.network.readout import Policy, Readout, to_policy
from nsmodels.systems.nav.training.maps import TrainingMaps
from nsmodels.systems.nav.training.task import HorizonMask, accuracy, action_loss

NAMES = ("mlp", "cnn")
CHUNK_CELLS = 2**16


class PlainNetwork(nn.Module, ABC):
    """From a map to the action logits of all cells, without recursion."""

    connectivity: int

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b a h w"]:
        """Logits of each action being optimal."""

    @abstractmethod
    def accepts(self, maps: Maps) -> bool:
        """Whether the network can process maps of this shape."""

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @torch.inference_mode()
    def policy(self, maps: Maps) -> Policy:
        """The policies of all maps; without heads for them, reachability and halting are 1, cost-to-go and steps 0."""
        device = next(self.parameters()).device
        size = max(1, CHUNK_CELLS // (maps.shape[0] * maps.shape[1]))
        logits = torch.cat([self(part.to(device)) for part in encode(maps).split(size)])
        blank = torch.full_like(logits[:, 0], 30.0)
        readout, num = Readout(logits, blank, 0 * blank, blank[:, 0, 0]), len(maps)
        return to_policy(readout, np.zeros(num, np.int32), np.ones(num, bool), "sigmoid")


@final
class Mlp(PlainNetwork):
    """Two hidden layers over the whole map; smaller maps are padded with walls to its size."""

    def __init__(self, shape: tuple[int, int], dim: int, connectivity: int) -> None:
        super().__init__()
        self.shape, self.connectivity, cells = shape, connectivity, shape[0] * shape[1]
        self.layers = nn.Sequential(
            nn.Linear(NUM_CHANNELS * cells, dim), nn.GELU(), nn.Linear(dim, dim), nn.GELU(),
            nn.Linear(dim, connectivity * cells),
        )  # fmt: skip

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b a h w"]:
        """Logits for maps of at most its size."""
        (rows, columns), (height, width) = self.shape, inputs.shape[2:]
        padded = nn.functional.pad(inputs, (0, columns - width, 0, rows - height))
        logits = self.layers(padded.flatten(1)).unflatten(1, (self.connectivity, rows, columns))
        return logits[:, :, :height, :width]

    def accepts(self, maps: Maps) -> bool:
        """Whether the maps are no larger than the largest of the training maps."""
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
        """Logits for maps of any shape; the receptive field of a cell is `depth` + 1 cells in each direction."""
        free = inputs[:, :1]
        v = self.embed(inputs) * free
        for layer in self.layers:
            v = (v + nn.functional.gelu(layer(v))) * free
        return self.read(v)

    def accepts(self, maps: Maps) -> bool:
        """True: maps of any shape."""
        return True


@final
class PlainTask(Task):
    """Training of a plain network on the maps of the navigator: the optimal actions of every cell.

    Args:
        name: "mlp" or "cnn".
        maps: training and validation maps.
        config: sizes of the networks.
        training: options of the training.
        num_parameters: of the navigator; the CNN is given the largest width of at most as many.
    """

    def __init__(
        self, name: str, maps: TrainingMaps, config: BaselineConfig, training: TrainingConfig, num_parameters: int
    ) -> None:
        self.maps, self.training = maps, training
        # `cnn_depth` layers of 3x3 convolutions have about 9 · width² weights each.
        width = math.isqrt(max(1, num_parameters // (9 * config.cnn_depth)))
        shape, connectivity = [max(sides) for sides in zip(*maps.shapes, strict=True)], maps.connectivity
        self.architecture: dict[str, Any] = {"kind": name, "connectivity": connectivity}
        self.architecture |= {"dim": config.mlp_dim, "shape": shape} if name == "mlp" else {}
        self.architecture |= {"dim": max(4, width), "depth": config.cnn_depth} if name == "cnn" else {}

    def build(self) -> PlainNetwork:
        """The network with random weights."""
        return _make(self.architecture)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of labelled maps of one shape each."""
        return self.maps.batches(split, epoch, shard)

    def loss(self, model: nn.Module, batch: MapBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Cross-entropy of each action over the cells from which the goal can be reached."""
        logits = model(batch.inputs)
        readout = Readout(logits, logits[:, 0], logits[:, 0], logits[:, 0, 0, 0])
        horizon = _reachable(batch.cells)
        whole = horizon if batch.whole is None else _reachable(batch.whole)
        loss = action_loss(readout, batch, horizon, whole, "sigmoid")
        return loss, {"accuracy": accuracy(readout, batch)}

    def settings(self) -> dict[str, Any]:
        """The settings that rebuild the network."""
        return {"plain": self.architecture}


def _reachable(cells: Cells) -> HorizonMask:
    within = torch.isfinite(cells.cost) & (cells.cost > 0)
    return HorizonMask(within, torch.zeros_like(within), cells.cost == 0)


def load_plain(folder: Path, device: str = "auto") -> dict[str, PlainNetwork]:
    """The plain networks in a checkpoint folder, by name; raise `InputError` for a broken file."""
    paths = {name: Path(folder) / name / checkpoint.BEST for name in NAMES}
    return {
        name: from_checkpoint(checkpoint.load(path), str(path)).to(resolve_device(device))
        for name, path in paths.items()
        if path.exists()
    }


def from_checkpoint(payload: dict[str, Any], where: str) -> PlainNetwork:
    """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

    Raises `InputError` naming `where` when settings or weights do not fit.
    """
    network = _make(checkpoint.settings_of(payload, "plain", where))
    checkpoint.fill(network, payload["model_state_dict"], where)
    return network.eval()


def _make(settings: dict[str, Any]) -> PlainNetwork:
    if settings["kind"] == "mlp":
        return Mlp((settings["shape"][0], settings["shape"][1]), settings["dim"], settings["connectivity"])
    return Cnn(settings["dim"], settings["depth"], settings["connectivity"])
