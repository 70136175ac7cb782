"""The relational core: one update with tied weights, repeated as often as the structure of each graph demands.

Shapes: N nodes of which n still run, D channels, H channels of the hidden layer, C channels of the trace, g graphs.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.layers.messages import Adjacency, Aggregation, messages
from nsmodels.systems.graph.config import ModelConfig
from nsmodels.systems.graph.network.encoding import GraphBatch, Output
from nsmodels.systems.graph.network.readout import Readout
from nsmodels.systems.graph.network.recurrence import Weights, recur


@final
class NodeEmbedding(nn.Module):
    """What is known of a node before any message: type, feature, mark, and the kind of the query."""

    def __init__(self, vocabulary: Vocabulary, dim: int) -> None:
        super().__init__()
        sizes = (vocabulary.node_types, vocabulary.features, vocabulary.marks, vocabulary.kinds)
        self.tables = nn.ModuleList(nn.Embedding(len(names), dim) for names in sizes)

    def forward(self, batch: GraphBatch) -> Float[Tensor, "N D"]:
        """The sum of the embeddings."""
        ids = (batch.node_types, batch.features, batch.marks, batch.kinds[batch.graph])
        return torch.stack([table(each) for table, each in zip(self.tables, ids, strict=True)]).sum(0)


@final
class RelationalMessages(nn.Module):
    """Messages along relations and their inverses: a diagonal matrix per relation, or a combination of full ones."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, dim: int) -> None:
        super().__init__()
        self.num_bases = config.num_bases
        self.aggregation: Aggregation = vocabulary.aggregation if config.aggregation == "auto" else config.aggregation
        number = 2 * len(vocabulary.relations)
        self.norm = nn.LayerNorm(dim) if config.use_norm else nn.Identity()
        self.send = nn.Linear(dim, dim * max(1, self.num_bases), bias=False)
        self.scale = nn.Parameter(torch.randn(number, self.num_bases or dim))
        self.shift = nn.Parameter(torch.zeros(number, dim))

    def forward(self, h: Float[Tensor, "n D"], adjacency: Adjacency) -> Float[Tensor, "n D"]:
        """What arrives at each node."""
        # Diagonal: p · ((W LN(h))_u ∘ s_r + c_r). Bases: W_r = Σ_b s_rb V_b, which is the diagonal form for V_b LN(h)
        # side by side, each with s_rb in all of its channels, summed over b; with `max` each basis has its own maximum.
        sent = self.send(self.norm(h)).float()
        if not self.num_bases:
            return messages(sent, self.scale, self.shift, adjacency, self.aggregation)
        dim = h.shape[1]
        scale = self.scale.repeat_interleave(dim, 1)
        shift = torch.cat([self.shift, self.shift.new_zeros(len(scale), dim * (self.num_bases - 1))], 1)
        found = messages(sent, scale, shift, adjacency, self.aggregation)
        return found.view(len(h), self.num_bases, dim).sum(1)


@final
class Cell(nn.Module):
    """One update of all nodes: h ← h + σ(g) ∘ (tanh(c) − h) with [g, c] = W₂ relu(W₁ [h, a] + W₀ x₀)."""

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, dim: int) -> None:
        super().__init__()
        self.use_gate = config.use_gate
        outputs = 2 * dim if config.use_gate else dim
        hidden = 2 * dim if config.cell_layers == 2 else outputs
        self.messages = RelationalMessages(config, vocabulary, dim)
        self.from_input = nn.Linear(dim, hidden)
        self.from_state = nn.Linear(dim, hidden, bias=False)
        self.from_messages = nn.Linear(dim, hidden, bias=False)
        self.update = nn.Sequential(nn.ReLU(), nn.Linear(hidden, outputs)) if config.cell_layers == 2 else nn.Identity()

    def forward(self, h: Float[Tensor, "n D"], given: Float[Tensor, "n H"], adjacency: Adjacency) -> Tensor:
        """The nodes after one more round, (n, D); `given`: W₀ x₀, the same in all rounds."""
        arriving = self.messages(h, adjacency)
        found = torch.addmm(given, h, self.from_state.weight.t())
        found = self.update(torch.addmm(found, arriving, self.from_messages.weight.t()))
        if not self.use_gate:
            return found.tanh().to(h.dtype)
        gate, candidate = found.chunk(2, 1)
        return torch.lerp(h, candidate.tanh().to(h.dtype), gate.sigmoid().to(h.dtype))

    def states(
        self,
        h: Float[Tensor, "N D"],
        given: Float[Tensor, "N H"],
        sizes: tuple[int, ...],
        adjacency: Adjacency,
        use_checkpointing: bool = False,
    ) -> Float[Tensor, "R D"]:
        """The nodes after each round, one round after the other; in round k the first `sizes[k]` of them still run."""
        if not use_checkpointing and (weights := self._weights(h)):
            return recur(h, given, sizes, adjacency, self.messages.aggregation, weights)
        found = []
        for size in sizes:
            args: Any = (h[:size], given[:size], adjacency)
            h = checkpoint(self, *args, use_reentrant=False) if use_checkpointing else self(*args)
            found.append(h)
        return torch.cat(found)

    def _weights(self, h: Tensor) -> Weights | None:
        """For `recur`; None where it does not apply."""
        relations, norm, update = self.messages, self.messages.norm, self.update
        is_usual = self.use_gate and not relations.num_bases
        if not is_usual or not isinstance(norm, nn.LayerNorm) or not isinstance(update, nn.Sequential):
            return None
        if h.device.type != "cpu" or h.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return None
        last: Any = update[-1]
        weights = [layer.weight for layer in (self.from_state, self.from_messages, last)]
        relational = (norm.weight, norm.bias, relations.send.weight, relations.scale, relations.shift)
        return Weights._make([*relational, *weights, last.bias])


@final
class RecurrentCore(nn.Module):
    """The core with its readout and a head for every truth of the oracle's trace."""

    supervision = "rounds"
    has_rounds = True

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.embed = NodeEmbedding(vocabulary, config.dim)
        self.cell = Cell(config, vocabulary, config.dim)
        self.head = nn.Linear(config.dim, len(vocabulary.channels))
        self.readout = Readout(config.dim)
        self.max_rounds = config.max_rounds
        self.use_checkpointing = False

    def rounds_of(self, graphs: Graphs, extra: NDArray[np.integer] | int) -> NDArray[np.int64]:
        """Rounds of each graph, int64 (g,): those of its structure and so many more, within `max_rounds`."""
        rounds = graphs.rounds.astype(np.int64) + extra
        return np.minimum(rounds, self.max_rounds) if self.max_rounds else rounds

    def forward(self, batch: GraphBatch, with_trace: bool = True) -> Output:
        """Logits of label 1, and of every truth after each round unless `with_trace` is false."""
        x = self.embed(batch)
        # Graphs are in the order of falling rounds: those that still run are a prefix, and the others do not change any
        # more. No graph therefore depends on how long others run.
        given = self.cell.from_input(x)
        states = self.cell.states(x, given, batch.sizes, batch.adjacency, self.use_checkpointing and self.training)
        return Output(self.readout(states[batch.last], batch), self.head(states) if with_trace else None)
