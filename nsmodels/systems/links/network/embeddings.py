"""ComplEx: complex embeddings of entities and relations (Trouillon et al. 2016) with the nuclear 3-norm."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

# The optimizer moves every weight by about the learning rate in a step, and embeddings have further to go than the
# weights of a layer.
SCALE = 6.0
SPREAD = 0.1  # standard deviation of the first embeddings
TINY = 1e-12


class ComplEx(nn.Module):
    """Score of (s, r, o): Re⟨e_s, w_r, conj(e_o)⟩, with d complex numbers as 2 d reals.

    Args:
        num_entities: N.
        num_relations: R; each has an embedding of its own for its inverse (Lacroix et al. 2018).
        dim: d.
    """

    def __init__(self, num_entities: int, num_relations: int, dim: int) -> None:
        super().__init__()
        self.entities = nn.Parameter(torch.randn(num_entities, 2 * dim) * SPREAD / SCALE)
        self.relations = nn.Parameter(torch.randn(2 * num_relations, 2 * dim) * SPREAD / SCALE)

    @property
    def features(self) -> Float[Tensor, "N 2d"]:
        """The embeddings of all entities."""
        return SCALE * self.entities

    def forward(self, source: Int[Tensor, " q"], relation: Int[Tensor, " q"]) -> Float[Tensor, "q N"]:
        """Scores of all entities as answers."""
        a, b = self.features[source].chunk(2, 1)
        c, d = (SCALE * self.relations[relation]).chunk(2, 1)
        return torch.cat([a * c - b * d, a * d + b * c], 1) @ self.features.T

    def norm(
        self, source: Int[Tensor, " q"], relation: Int[Tensor, " q"], answer: Int[Tensor, " q"]
    ) -> Float[Tensor, ""]:
        """Mean over triples of the cubed moduli of their three embeddings (N3, Lacroix et al. 2018)."""
        rows = (self.features[source], SCALE * self.relations[relation], self.features[answer])
        squares = torch.cat([row.unflatten(1, (2, -1)).square().sum(1) for row in rows], 1)
        return (squares + TINY).pow(1.5).sum(1).mean()
