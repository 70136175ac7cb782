"""Scales of what a network reads and predicts, from the training clips."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.network.clips import batch_of
from nsmodels.systems.world.network.layers import Standard
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.terms import observed_targets

MOST = 256  # clips from which scales of encoded observations are taken
SETTLED = 3  # steps, after which a clip's states are compared


@torch.no_grad()
def fit_standards(network: WorldNetwork, parent: WorldNetwork, clips: Clips) -> None:
    """Set the scales of the modules of the last phase of `network`; those before were set by their own phases."""
    if network.phase == "fusion":
        _fit_observed(network, parent, clips)
    elif network.phase == "dynamics" and clips.states is not None:
        fit_states(network.dynamics.standard, torch.from_numpy(np.array(clips.states)))
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
    if given.seen[..., 2].any():
        network.fusion.tokens.standard.fit(given.proprio[given.seen[..., 2]].cpu())


def fit_states(standard: Standard, states: Tensor) -> None:
    """The mean of exact states, and as their scale how far they move from where they were at the beginning.

    In units of their deviation over all clips a motion would be small where objects begin in different places, and an
    error that matters, one as large as the motion, would be, too.
    """
    standard.fit(states.flatten(0, 1))
    start = min(SETTLED, states.shape[1] - 1)
    moved = (states[:, start:] - states[:, start : start + 1]).flatten(0, 1).double().square().mean(0).sqrt()
    standard.deviation.copy_(torch.where(moved > 1e-6, moved, standard.deviation.double()))
