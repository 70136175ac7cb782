"""A trained network with its vocabulary: predictions for graphs, calibrated, each independent of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import nn

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import to_device
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.graphs import local
from nsmodels.formats.graphs.coarsening import with_clusters
from nsmodels.formats.graphs.tables import Graph, Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.config import REASONER, GraphConfig, Kind
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.network.encoding import GraphBatch, Output, collate

MOST_STATES = 2**20  # nodes times rounds of a batch, which are all in memory
CALIBRATION = "calibration.json"  # beside the checkpoints of a phase


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
        config: sections model, objective and baselines as trained.
        vocabulary: of the graphs that it takes.
        temperature: by which logits are divided.
    """

    network: nn.Module
    kind: Kind
    config: GraphConfig
    vocabulary: Vocabulary
    temperature: float = 1.0

    @classmethod
    def load(cls, folder: Path, device: str = "auto", phase: str = REASONER) -> Self:
        """The best network of a phase; raises InputError for a broken checkpoint."""
        return cls.from_checkpoint(folder / phase / checkpoint.BEST, device)

    @classmethod
    def from_checkpoint(cls, path: Path, device: str = "auto") -> Self:
        """The network in one checkpoint file; raises InputError for a broken one.

        The temperature is that of the best network of the same training; 1 before it was fitted.
        """
        payload = checkpoint.load(path)
        kind, config, vocabulary = kinds.from_settings(payload, str(path))
        network = kinds.build(kind, config, vocabulary)
        checkpoint.fill(network, payload["model_state_dict"], str(path))
        temperature = _temperature(path.with_name(CALIBRATION))
        return cls(network.to(resolve_device(device)).eval(), kind, config, vocabulary, temperature)

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def predict(
        self,
        graphs: Graphs | Graph | Path | str | Mapping[str, Any] | list[Any],
        extra_rounds: int = 0,
        rounds: int | None = None,
        with_trace: bool = False,
        batch_size: int = 256,
    ) -> Prediction:
        """Predictions for graphs; each is the same alone and in any company.

        Args:
            graphs: with the vocabulary of the network: a table, one graph, a .json or .parquet file, or the values of
                the former; labels and traces are not read.
            extra_rounds: rounds beyond those that structure and `model.slack_rounds` give.
            rounds: the same number for every graph instead.
            with_trace: also return what the network believes after each round.
            batch_size: graphs at a time.
        Raises InputError for graphs with a different vocabulary, for a malformed file, and for `extra_rounds` below 0.
        """
        asked = self._prepared(local.graphs_of(graphs, self.vocabulary))
        steps = self._rounds(asked, extra_rounds, rounds)
        logits, believed = self._run(asked, steps, with_trace, batch_size)
        return Prediction(expit(logits / self.temperature), steps, believed if with_trace else None)

    def logits(self, graphs: Graphs) -> NDArray[np.float64]:
        """Logits (g,) of label 1 before they are divided by the temperature."""
        asked = self._prepared(graphs)
        return self._run(asked, self._rounds(asked, 0, None), with_trace=False, batch_size=256)[0]

    def _prepared(self, graphs: Graphs) -> Graphs:
        """The graphs, for levels with clusters. Raises InputError for a different vocabulary."""
        own, given = self.vocabulary.to_dict(), graphs.vocabulary.to_dict()
        if differing := [name for name, words in given.items() if words != own[name]]:
            raise InputError(
                f"graphs: '{differing[0]}' of their vocabulary differs from that of the checkpoint; give graphs of the "
                f"dataset that it was trained on"
            )
        return with_clusters(graphs) if self.kind == "levels" else graphs

    @torch.inference_mode()
    def _run(
        self, graphs: Graphs, rounds: NDArray[np.int64], with_trace: bool, batch_size: int
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float32]]]:
        """Logits, and what is believed with `with_trace`; batches have similar rounds."""
        order, device = rounds.argsort(kind="stable"), next(self.network.parameters()).device
        logits, believed = np.zeros(len(graphs)), [np.zeros((0, 0, 0), np.float32)] * len(graphs)
        for chosen in _chunks(order, rounds * graphs.num_nodes, batch_size):
            batch = to_device(collate(graphs.take(chosen), rounds[chosen]), device)
            found: Output = self.network(batch, with_trace=with_trace)
            rows = chosen[batch.rows]
            logits[rows] = found.logits.double().cpu().numpy()
            if with_trace:
                for row, each in zip(rows, _by_graph(batch, found, self.network), strict=True):
                    believed[row] = each
        return logits, believed

    def _rounds(self, graphs: Graphs, extra_rounds: int, rounds: int | None) -> NDArray[np.int64]:
        if rounds is not None:
            return np.full(len(graphs), max(rounds, 1), np.int64)
        if extra_rounds < 0:
            raise InputError(f"extra_rounds {extra_rounds}: expected 0 or more; `rounds` gives a number of one's own")
        network: Any = self.network
        return network.rounds_of(graphs, self.config.model.slack_rounds + extra_rounds)


def _chunks(order: NDArray[np.int64], work: NDArray[np.int64], most: int) -> Iterator[NDArray[np.int64]]:
    """Parts of `order` of at most so many graphs and, of more than one graph, at most `MOST_STATES`."""
    first = 0
    while first < len(order):
        total = work[order[first : first + most]].cumsum()
        size = max(1, int(np.searchsorted(total, MOST_STATES, side="right")))
        yield order[first : first + size]
        first += size


def _by_graph(batch: GraphBatch, found: Output, network: Any) -> list[NDArray[np.float32]]:
    """Believed probabilities (rounds, nodes, C) of each graph of a batch."""
    assert found.trace is not None
    believed = found.trace.float().sigmoid().cpu().numpy()
    counts = np.bincount(batch.graph.cpu().numpy(), minlength=batch.num_graphs)
    ends, steps, sizes = np.cumsum(counts), batch.rounds.cpu().numpy(), batch.sizes
    if network.supervision != "rounds":  # asked as often for every graph
        sizes = (ends[-1],) * (len(believed) // ends[-1])
        steps = np.full(len(steps), len(sizes))
    starts = np.cumsum([0, *sizes])
    return [
        np.stack([believed[first + end - count : first + end] for first in starts[: min(step, len(sizes))]])
        for end, count, step in zip(ends, counts, steps, strict=True)
    ]


def _temperature(path: Path) -> float:
    if not path.is_file():
        return 1.0
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["temperature"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: expected a temperature; restore a copy of it, or train again") from None
