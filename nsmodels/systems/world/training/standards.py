"""Scales of what a network reads and predicts, from the training clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.network.clips import batch_of
from nsmodels.systems.world.network.layers import Standard
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.terms import observed_targets

SMALLEST = 1e-3  # deviation, below which a number of a map counts as constant
MOST = 256  # clips from which scales of encoded observations are taken


@torch.no_grad()
def fit_standards(network: WorldNetwork, parent: WorldNetwork, clips: Clips) -> None:
    """Set the scales of the modules of the last phase of `network`; those before were set by their own phases."""
    if network.phase == "fusion":
        _fit_observed(network, parent, clips)
    elif network.phase == "dynamics" and clips.states is not None:
        network.dynamics.standard.fit(torch.from_numpy(np.array(clips.states)).flatten(0, 1))
    elif network.phase == "full" and clips.outcomes is not None:
        network.heads.standard.fit(torch.from_numpy(np.array(clips.outcomes)))


def _fit_observed(network: WorldNetwork, parent: WorldNetwork, clips: Clips) -> None:
    rows = np.arange(len(clips))[:: -(-len(clips) // MOST)]
    device = parent.vision.head.weight.device
    batch = batch_of(clips, rows, device=device, with_targets=False)
    given = parent.observe(batch)
    for k, (standard, values) in enumerate(
        zip(network.predictor.standards, observed_targets(parent, batch, given), strict=True)
    ):
        assert isinstance(standard, Standard)
        seen = given.seen[..., k]
        if seen.any():
            standard.fit(values[seen].cpu())
    tokens, alignment = network.fusion.tokens, network.alignment
    sources = {"vision": given.maps, "audio": given.columns, "proprio": given.proprio}
    for k, (name, values) in enumerate(sources.items()):
        _fit_all([getattr(tokens, name)[0], alignment.standards[name]], values[given.seen[..., k]])
    _fit_all([network.fusion.sound[0], alignment.sound[0]], given.latents[given.has[:, 1]])
    if given.actions is not None:
        _fit_all([tokens.action[0]], given.actions.flatten(0, 1))


def _fit_all(standards: list[Any], values: Tensor) -> None:
    for standard in standards if len(values) else []:
        standard.fit(values.cpu(), smallest=SMALLEST)
