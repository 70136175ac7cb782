"""A relational graph convolution of several layers, each with weights of its own (Schlichtkrull et al. 2018).

Shapes: N nodes, D channels.
"""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.config import BaselineConfig, ModelConfig
from nsmodels.systems.graph.network.encoding import GraphBatch, Output
from nsmodels.systems.graph.network.readout import Readout
from nsmodels.systems.graph.network.recurrent import NodeEmbedding, RelationalMessages


@final
class FlatNetwork(nn.Module):
    """h ← relu(W h + Σ p W_r LN(h)), W_r = Σ_b s_rb V_b, layer after layer; it hears as far as it has layers."""

    supervision = "end"
    has_rounds = False

    def __init__(self, config: BaselineConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        dim = config.flat_dim
        bases = ModelConfig(dim=dim, num_bases=config.flat_bases)
        self.use_checkpointing = False
        self.embed = NodeEmbedding(vocabulary, dim)
        self.own = nn.ModuleList(nn.Linear(dim, dim) for _ in range(config.flat_layers))
        self.relational = nn.ModuleList(RelationalMessages(bases, vocabulary, dim) for _ in range(config.flat_layers))
        self.head = nn.Linear(dim, len(vocabulary.channels))
        self.readout = Readout(dim)

    def rounds_of(self, graphs: Graphs, extra: NDArray[np.integer] | int) -> NDArray[np.int64]:
        """Of no effect: its layers, int64 (g,)."""
        return np.full(len(graphs), len(self.own), np.int64)

    def forward(self, batch: GraphBatch, with_trace: bool = True) -> Output:
        """Logits of label 1, and of the trace's end unless `with_trace` is false."""
        h = self.embed(batch)
        for own, relational in zip(self.own, self.relational, strict=True):
            h = torch.relu(own(h) + relational(h, batch.adjacency))
        return Output(self.readout(h, batch), self.head(h) if with_trace else None)
