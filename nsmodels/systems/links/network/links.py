"""The networks of link prediction: embeddings, the relational network, or both together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nsmodels.systems.links.config import HYBRID, RELATIONAL
from nsmodels.systems.links.network.embeddings import ComplEx
from nsmodels.systems.links.network.relational import SourceNetwork


@dataclass
class Queries:
    """q queries of b sources.

    Attributes:
        sources: int64 (b,).
        place: int64 (q,) the source of each query, as a place in `sources`.
        relation, answer: int64 (q,).
        hidden: int64 (4, m) sender, relation, receiver and source (as a place) of messages that do not count.
        others: bool (q, N) further answers that are known, which are no wrong ones.
    """

    sources: Int[Tensor, " b"]
    place: Int[Tensor, " q"]
    relation: Int[Tensor, " q"]
    answer: Int[Tensor, " q"]
    hidden: Int[Tensor, "4 m"]
    others: Bool[Tensor, "q N"]

    @property
    def num_samples(self) -> int:
        """Number of queries."""
        return len(self.answer)


class Scores(NamedTuple):
    """Scores (q, N) of all entities; `embedded`: those of the embeddings alone, where there are some."""

    all: Float[Tensor, "q N"]
    embedded: Float[Tensor, "q N"] | None


class LinkNetwork(nn.Module):
    """The network of a phase.

    Args:
        phase: "complex": the embeddings; "relational": the relational network; "hybrid": the sum of their scores,
            and the embeddings as features of the relational network's nodes.
        num_entities, num_relations, num_triples: of the base, the triples of its split train.
        embedding_dim, dim, depth: sizes of the networks.
    """

    def __init__(
        self,
        phase: str,
        num_entities: int,
        num_relations: int,
        num_triples: int,
        embedding_dim: int,
        dim: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.num_entities, self.num_relations = num_entities, num_relations
        self.embeddings = ComplEx(num_entities, num_relations, embedding_dim) if phase != RELATIONAL else None
        self.relational = None
        if phase in (RELATIONAL, HYBRID):
            triples = torch.zeros(num_triples, 3, dtype=torch.int64)
            width = 2 * embedding_dim if phase == HYBRID else 0
            self.relational = SourceNetwork(triples, num_entities, num_relations, dim, depth, width)

    def forward(self, queries: Queries) -> Scores:
        """Scores of all entities as answers."""
        embedded = features = None
        if self.embeddings is not None:
            embedded = self.embeddings(queries.sources[queries.place], queries.relation)
            features = self.embeddings.features
        if self.relational is None:
            assert embedded is not None
            return Scores(embedded, embedded)
        found = self.relational(queries.sources, queries.place, queries.relation, queries.hidden, features)
        return Scores(found if embedded is None else found + embedded, embedded)
