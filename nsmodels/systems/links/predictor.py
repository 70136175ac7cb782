"""Link prediction with a trained network: which entities complete a triple?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from nsmodels.core.errors import InputError, near
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import to_device
from nsmodels.systems.links.network.links import LinkNetwork, Queries
from nsmodels.systems.links.phases import load_network

GROUP = 32  # sources that are scored together
_NOTHING = torch.zeros(4, 0, dtype=torch.int64)


class Completion(NamedTuple):
    """An entity that may complete a triple: probability among all entities, and whether training had the triple."""

    entity: str
    probability: float
    is_known: bool


@dataclass(frozen=True)
class LinkPredictor:
    """A network with the names of its base.

    Attributes:
        network: of one phase.
        base: name of the base.
        entities, relations: names; an id is the position.
    """

    network: LinkNetwork
    base: str
    entities: list[str]
    relations: list[str]

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> Self:
        """From a checkpoint file; raises InputError for a broken one."""
        network, saved = load_network(path, device), checkpoint.load(path)
        names = checkpoint.settings_of(saved, "names", str(path))
        return cls(network, names["base"], names["entities"], names["relations"])

    @torch.inference_mode()
    def scores(self, queries: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores (q, N) of all entities as answers to queries int64 (q, >= 2): source, relation or inverse."""
        device = next(self.network.parameters()).device
        found = np.empty((len(queries), len(self.entities)), np.float32)
        sources = np.unique(queries[:, 0])
        for first in range(0, len(sources), GROUP):
            some = sources[first : first + GROUP]
            rows = np.flatnonzero(np.isin(queries[:, 0], some))
            place = torch.from_numpy(np.searchsorted(some, queries[rows, 0]))
            relation = torch.from_numpy(queries[rows, 1].copy())
            batch = Queries(torch.from_numpy(some), place, relation, relation, _NOTHING, torch.zeros(0, 0) > 0)
            found[rows] = self.network(to_device(batch, device)).all.cpu().numpy()
        return found

    def predict(self, relation: str, head: str | None = None, tail: str | None = None) -> list[Completion]:
        """All entities in the place of the missing one, the likeliest first.

        Raises InputError unless exactly one of `head` and `tail` is given, and for names that the base does not have.
        """
        if (head is None) == (tail is None):
            raise InputError("predict: give either the head or the tail of the triple; the other one is predicted")
        given = self._id("entity", self.entities, head if tail is None else tail)
        asked = self._id("relation", self.relations, relation) + (0 if tail is None else len(self.relations))
        scores = self.scores(np.array([[given, asked]]))[0].astype(np.float64)
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        known = self._known(given, asked)
        return [Completion(self.entities[k], float(shares[k]), k in known) for k in np.argsort(-shares).tolist()]

    def _known(self, given: int, asked: int) -> set[int]:
        if self.network.relational is None:
            return set()
        triples, num = self.network.relational.triples.cpu().numpy(), len(self.relations)
        place, other = (0, 2) if asked < num else (2, 0)
        return set(triples[(triples[:, place] == given) & (triples[:, 1] == asked % num), other].tolist())

    def _id(self, what: str, names: Sequence[str], name: str | None) -> int:
        if name not in names:
            raise InputError(f"{what} '{name}': {self.base} has none of that name{near(str(name), names)}")
        return names.index(name)
