"""Phases 3 to 5: fusion, dynamics, and all modules together with the heads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import Batches
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.world.config import ContrastiveConfig, DynamicsConfig, FullConfig, FusionConfig, frozen
from nsmodels.systems.world.network.clips import batch_of
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.batches import ClipBatches, Drawing, WorldBatch
from nsmodels.systems.world.training.standards import fit_standards
from nsmodels.systems.world.training.terms import (
    Terms,
    belief_terms,
    causal_term,
    dynamics_loss,
    dynamics_terms,
    fusion_loss,
    fusion_terms,
    views_of,
)

WorldConfig = FusionConfig | DynamicsConfig | FullConfig


class WorldTask(Task):
    """What the phases after the encoders share: whole clips, and a network that continues that of the parent."""

    compares_samples = True  # the negatives of a sample are the others of its micro-batch

    def __init__(self, config: WorldConfig, settings: Mapping[str, Any], data: Path, parent: Path) -> None:
        self.config, self.network_settings, self.parent = config, dict(settings), parent
        # Clips are short sequences of small tokens, slower with a second thread; convolutions of encoders gain by it.
        self.num_threads = 1 if frozen(config) else 0
        interval = int(self.network_settings["fusion"]["frame_interval"])
        self.clips = ClipBatches(data, config.training, self.drawing(), self._frozen_encoders(), interval)
        self._require(data)

    # Arrays that the clips of a phase must have.
    needs: tuple[str, ...] = ()

    def drawing(self) -> Drawing:
        """What is drawn for each batch."""
        raise NotImplementedError

    def _require(self, data: Path) -> None:
        for split, clips in self.clips.clips.items():
            for name in self.needs:
                if getattr(clips, name) is None:
                    raise InputError(f"{data / split}: has no {name}, which this phase learns from; train up to fusion")

    def _frozen_encoders(self) -> WorldNetwork | None:
        return self._parent_network() if frozen(self.config) else None

    def _parent_network(self) -> WorldNetwork:
        found = checkpoint.restore(
            self.parent, "network", WorldNetwork, str(resolve_device(self.config.training.device))
        )
        assert isinstance(found, WorldNetwork)
        return found

    def build(self) -> WorldNetwork:
        """The network with random weights in the modules that the parent lacks, and the scales of the training data."""
        network = WorldNetwork(**self.network_settings)
        network.use(self.config.compute)
        fit_standards(network, self._parent_network(), self.clips.clips["train"])
        return network

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Clips with what is drawn for them."""
        return self.clips.batches(split, epoch, shard)

    def settings(self) -> dict[str, Any]:
        """What rebuilds the network."""
        return {"network": self.network_settings}


@final
class FusionTask(WorldTask):
    """Prediction, consistency of two views, regularisation and alignment of the modalities."""

    config: FusionConfig

    def drawing(self) -> Drawing:
        """Hidden modalities, and where the second view ends."""
        return Drawing(self.config.objective.modality_dropout, min_context=2)

    def loss(self, model: nn.Module, batch: WorldBatch) -> tuple[Tensor, Terms]:
        """The weighted sum and its terms."""
        assert isinstance(model, WorldNetwork)
        terms = fusion_terms(model, batch, views_of(model, batch), self.config.objective)
        return fusion_loss(terms, self.config.objective), terms

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Nothing further; raises InputError for a collapse of the summaries."""
        assert isinstance(model, WorldNetwork)
        require_variance(model, self.clips, self.config.training.batch_size, epoch)
        return {}


@final
class DynamicsTask(WorldTask):
    """Rollouts from the beginning of a clip against the rest of it, and the losses of the fusion."""

    config: DynamicsConfig
    needs = ("states", "actions")

    def drawing(self) -> Drawing:
        """Where the rollouts start; few modalities are hidden, as the fusion was trained for that before."""
        return Drawing(0.1, self.config.objective.min_context, self.config.objective.horizon)

    def loss(self, model: nn.Module, batch: WorldBatch) -> tuple[Tensor, Terms]:
        """The weighted sum and its terms."""
        assert isinstance(model, WorldNetwork)
        objective, views = self.config.objective, views_of(model, batch)
        terms = fusion_terms(model, batch, views, self.config.fusion)
        terms |= dynamics_terms(model, batch, views, objective)
        # Without its own loss the fusion would forget what no rollout needs, and later phases with it.
        loss = dynamics_loss(terms, objective) + objective.fusion_weight * fusion_loss(terms, self.config.fusion)
        return loss, terms


@final
class FullTask(WorldTask):
    """All losses of the last two phases, and those of the heads."""

    config: FullConfig
    needs = ("states", "actions")

    def drawing(self) -> Drawing:
        """Hidden modalities, where rollouts start, and twins."""
        twins = self.config.objective.twins_per_clip if self.config.objective.causal_weight else 0
        fusion, dynamics = self.config.fusion, self.config.dynamics
        return Drawing(fusion.modality_dropout, dynamics.min_context, dynamics.horizon, twins)

    def loss(self, model: nn.Module, batch: WorldBatch) -> tuple[Tensor, Terms]:
        """The weighted sum and its terms."""
        assert isinstance(model, WorldNetwork)
        objective, views = self.config.objective, views_of(model, batch)
        terms = fusion_terms(model, batch, views, self.config.fusion)
        terms |= dynamics_terms(model, batch, views, self.config.dynamics)
        beliefs = model.heads(views.whole.summary)
        terms |= belief_terms(model, batch.clips, beliefs)
        terms["causal"] = causal_term(model, batch.clips, views.whole, beliefs, batch.twins)
        loss = objective.fusion_weight * fusion_loss(terms, self.config.fusion)
        loss = loss + objective.dynamics_weight * dynamics_loss(terms, self.config.dynamics)
        weights = {
            name: getattr(objective, f"{name}_weight")
            for name in ("property", "affordance", "concept", "outcome", "causal")
        }
        return loss + torch.stack([weight * terms[name] for name, weight in weights.items()]).sum(), terms

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """How well heads and effects are on validation clips. Raises InputError for a collapse of the summaries."""
        from nsmodels.systems.world.training.validation import measured

        assert isinstance(model, WorldNetwork)
        require_variance(model, self.clips, self.config.training.batch_size, epoch)
        return measured(model, self.clips)


TASKS = {"fusion": FusionTask, "dynamics": DynamicsTask, "full": FullTask}


def require_variance(model: WorldNetwork, clips: ClipBatches, batch_size: int, epoch: int) -> None:
    """Raise InputError when the summaries of validation clips are nearly equal."""
    found, rows = clips.source.probed()
    batch = batch_of(found, rows[:64], None if clips.maps.get("val") is None else clips.maps["val"], _device(model))
    variance = float(contrastive.representation_variance(model.fusion(model.observe(batch)).summary))
    contrastive.require_variance(variance, ContrastiveConfig(), "clips", epoch, batch_size)


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
