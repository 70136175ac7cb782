"""How well the heads are during training, on validation clips."""

from __future__ import annotations

import numpy as np
import torch

from nsmodels.engine.batching import to_device
from nsmodels.engine.task import Shard
from nsmodels.formats.clips.names import PLACEBO, VARIABLES
from nsmodels.systems.world.network.fusion import World
from nsmodels.systems.world.network.heads import Beliefs
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.batches import ClipBatches, WorldBatch
from nsmodels.systems.world.training.terms import NEGLIGIBLE, effects_of


def measured(network: WorldNetwork, clips: ClipBatches) -> dict[str, float]:
    """Mean correlation of properties, accuracy of affordances and names, share of signs of effects that are right."""
    found = [_answers(network, batch) for batch in clips.batches("val", 0, Shard())]
    joined = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    return {
        "val/property_correlation": _correlation(joined["property"], joined["true_property"]),
        "val/affordance_accuracy": _mean(joined["affordance"]),
        "val/concept_accuracy": _mean(joined["concept"]),
        "val/effect_sign": _mean(joined["sign"]),
    }


def _answers(network: WorldNetwork, batch: WorldBatch) -> dict[str, np.ndarray]:
    batch = to_device(batch, next(network.parameters()).device)
    clips = batch.clips
    world = network.fusion(network.observe(clips))
    beliefs, empty = network.heads(world.summary), torch.zeros(0)
    true = clips.properties if clips.properties is not None else torch.zeros(0, 9)
    found = {"property": beliefs.properties.mean[: len(true)], "true_property": true}
    right = empty if clips.affordances is None else ((beliefs.affordances > 0) == clips.affordances).float().flatten()
    names = empty if clips.concepts is None else (beliefs.concepts.argmax(-1) == clips.concepts).all(1).float()
    found |= {"affordance": right, "concept": names, "sign": _signs(network, batch, world, beliefs)}
    return {name: value.float().cpu().numpy() for name, value in found.items()}


def _signs(network: WorldNetwork, batch: WorldBatch, world: World, beliefs: Beliefs) -> torch.Tensor:
    twins = batch.twins
    if twins is None or batch.clips.actions is None:
        return torch.zeros(0)
    effect = effects_of(network, batch.clips, world, beliefs, twins)
    wanted = twins.outcomes / network.heads.standard.deviation
    asked = (wanted.abs() > NEGLIGIBLE) & (twins.variable != VARIABLES.index(PLACEBO))[:, None]
    return (wanted.sign() == effect.outcomes.mean.sign())[asked].float()


def _correlation(found: np.ndarray, true: np.ndarray) -> float:
    """Mean over the properties that vary."""
    if len(true) < 2:
        return 0.0
    varies = (true.std(0) > 1e-6) & (found.std(0) > 1e-9)
    pairs = zip(found.T[varies], true.T[varies], strict=True)
    return _mean(np.array([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
