"""Training of link prediction: the answer of a query against all entities."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.links.config import COMPLEX, LinksConfig
from nsmodels.systems.links.network.links import LinkNetwork, Queries
from nsmodels.systems.links.training.base import TrainingBase

FEW_ENTITIES = 1000  # with no more a second thread makes steps up to twice as slow on a CPU


@final
class LinksTask(Task):
    """Cross-entropy of the answer, and the norm of the embeddings.

    Further known answers count as wrong ones here: leaving them out lets their scores drift, and costs ComplEx 6 to 8
    points of mean reciprocal rank on umls and kinships. Only ranks leave them out.

    The hybrid's embeddings have a loss of their own beside that of the sum, so that they stay what they are alone; the
    relational network then learns what they lack.

    Args:
        phase: network that is trained.
        base: the knowledge base.
        config: of the whole system.
        training: of this network.
    """

    def __init__(self, phase: str, base: TrainingBase, config: LinksConfig, training: TrainingConfig) -> None:
        self.phase, self.base, self.config, self.training = phase, base, config, training
        self.num_threads = 1 if len(base.base.entities) <= FEW_ENTITIES else 0

    def build(self) -> nn.Module:
        """The network with random weights and the base's training triples."""
        network = LinkNetwork(self.phase, **self.settings()["network"])
        if network.relational is not None:
            network.relational.triples.copy_(torch.from_numpy(self.base.base.triples["train"]))
        return network

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Queries one by one for embeddings alone, else grouped by source."""
        make = self.base.by_query if self.phase == COMPLEX else self.base.by_source
        return make(split, epoch, shard, self.training.batch_size)

    def loss(self, model: nn.Module, batch: Queries) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """The sum of its terms; `mrr`: mean reciprocal rank of the answer among all that is not known to be one."""
        scores = model(batch)
        loss = functional.cross_entropy(scores.all, batch.answer)
        embeddings = _network(model).embeddings
        if embeddings is not None:
            sources = batch.sources[batch.place]
            loss = loss + self.config.complex.regularisation * embeddings.norm(sources, batch.relation, batch.answer)
            if scores.embedded is not scores.all:
                loss = loss + functional.cross_entropy(scores.embedded, batch.answer)
        return loss, {"mrr": reciprocal_ranks(scores.all.detach(), batch).mean()}

    def settings(self) -> dict[str, Any]:
        """What rebuilds the network, and the names behind its numbers."""
        base, config = self.base.base, self.config
        network = {
            "num_entities": len(base.entities),
            "num_relations": len(base.relations),
            "num_triples": len(base.triples["train"]),
            "embedding_dim": config.complex.dim,
            "dim": config.relational.dim,
            "depth": config.relational.depth,
        }
        names = {"base": base.name, "entities": list(base.entities), "relations": list(base.relations)}
        return {"network": network, "names": names, "phase": self.phase}


def reciprocal_ranks(scores: Float[Tensor, "q N"], batch: Queries) -> Float[Tensor, " q"]:
    """1 / rank of each answer among what is not known to be another one; with equal scores the middle rank."""
    filtered = scores.masked_fill(batch.others, -torch.inf)
    own = filtered.gather(1, batch.answer[:, None])
    higher, equal = (filtered > own).sum(1), (filtered == own).sum(1) - 1
    return 1 / (1 + higher + equal / 2)


def _network(model: nn.Module) -> LinkNetwork:
    """The network itself, without the wrapper of data parallel training."""
    return getattr(model, "module", model)  # pyright: ignore[reportReturnType]
