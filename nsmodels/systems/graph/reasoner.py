"""A trained network with its vocabulary: predictions for graphs, calibrated, each independent of the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self, final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.config import REASONER, GraphConfig


class Prediction(NamedTuple):
    """Predictions for g graphs.

    probability: float64 (g,) of label 1, calibrated on the validation graphs.
    rounds: int64 (g,) that each graph took.
    believed: float32 (rounds, nodes, C) per graph, the believed probability of every truth of the trace after each
        round (of networks that are asked at the end: one round); None where it was not asked for.
    """

    probability: NDArray[np.float64]
    rounds: NDArray[np.int64]
    believed: list[NDArray[np.float32]] | None = None


@final
@dataclass(frozen=True)
class Reasoner:
    """A network of a checkpoint in evaluation mode.

    Attributes:
        network: maps a `GraphBatch` to an `Output`.
        kind: of the network, as in `ModelConfig`.
        config: sections model and baselines as trained.
        vocabulary: of the graphs that it takes.
        temperature: by which logits are divided.
    """

    network: nn.Module
    kind: str
    config: GraphConfig
    vocabulary: Vocabulary
    temperature: float = 1.0

    @classmethod
    def load(cls, folder: Path, device: str = "auto", phase: str = REASONER) -> Self:
        """The best network of a phase; raises InputError for a broken checkpoint."""
        return cls.from_checkpoint(folder / phase / "best.pt", device)

    @classmethod
    def from_checkpoint(cls, path: Path, device: str = "auto") -> Self:
        """The network in one checkpoint file; raises InputError for a broken one."""
        raise NotImplementedError

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def predict(
        self,
        graphs: Graphs,
        extra_rounds: int = 0,
        rounds: int | None = None,
        with_trace: bool = False,
        batch_size: int = 256,
    ) -> Prediction:
        """Predictions for graphs; each is the same alone and in any company.

        Args:
            graphs: with the vocabulary of the network; labels and traces are not read.
            extra_rounds: rounds beyond those that structure and `model.slack_rounds` give.
            rounds: the same number for every graph instead.
            with_trace: also return what the network believes after each round.
            batch_size: graphs at a time.
        Raises InputError for graphs with a different vocabulary.
        """
        raise NotImplementedError
