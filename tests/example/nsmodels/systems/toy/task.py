"""The network, and its two trainings: reconstruction of points, then classification. B points, code of width D."""

from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nsmodels.engine.batching import Batches, epoch_batches
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.toy.config import ToyConfig


class Network(nn.Module):
    """Encoder (B, 2) -> (B, D), decoder (B, D) -> (B, 2); with `has_head` also logits (B,) of the classes."""

    def __init__(self, dim: int, has_head: bool) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2, dim), nn.ReLU())
        self.decoder = nn.Linear(dim, 2)
        self.head = nn.Linear(dim, 1) if has_head else None

    def forward(self, points: Tensor) -> Tensor:
        """Logits (B,) where there is a head, else reconstructed points (B, 2)."""
        code = self.encoder(points)
        return self.decoder(code) if self.head is None else self.head(code).squeeze(-1)


@final
class DotsTask(Task):
    """Mean squared error of the points, or cross-entropy of the labels."""

    def __init__(self, phase: str, config: ToyConfig, data: Path) -> None:
        self.training, self.shape = config.training, {"dim": config.model.dim, "has_head": phase == "classifier"}
        arrays = {split: np.load(data / f"{split}.npz") for split in ("train", "val")}
        self.data = {k: {n: torch.tensor(a[n]).float() for n in ("points", "labels")} for k, a in arrays.items()}

    def build(self) -> nn.Module:
        """The network with random weights."""
        return Network(**self.shape)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Points and labels, those of the training split in another order each epoch."""
        data, config = self.data[split], self.training
        rows = epoch_batches(len(data["labels"]), config.batch_size, config.seed, epoch, shard, split == "train")
        return Batches(rows, lambda index: {name: values[index] for name, values in data.items()})

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean over the batch, and the accuracy of a classifier."""
        found = model(batch["points"])
        if not self.shape["has_head"]:
            return functional.mse_loss(found, batch["points"]), {}
        hits = (found > 0) == (batch["labels"] > 0.5)
        return functional.binary_cross_entropy_with_logits(found, batch["labels"]), {"accuracy": hits.float().mean()}

    def settings(self) -> dict[str, dict[str, int]]:
        """What rebuilds the network."""
        return {"network": self.shape}
