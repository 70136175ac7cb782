"""Dynamics: the state of the world rolled forward under actions, and decoded to positions, speeds and forces.

Shapes: b clips, rollouts of h steps, states of the world of width s, exact states of width o.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.formats.clips.names import ACTION, STATES
from nsmodels.systems.world.config import DynamicsModelConfig
from nsmodels.systems.world.network.layers import Standard, perceptron

DEVIATIONS = (-7.0, 2.0)  # range of the logarithm of predicted deviations, in units of those of the data


class Decoded(NamedTuple):
    """Standardised exact states: their mean (..., o), and the logarithm of its deviation (..., o)."""

    mean: Tensor
    log_deviation: Tensor


class Rolled(NamedTuple):
    """A rollout: states of the world (b, h, s), and the exact states decoded from them."""

    states: Float[Tensor, "b h s"]
    decoded: Decoded


class Transition(nn.Module):
    """The next state of the world from the last one and the action of the step between."""

    def __init__(self, width: int, config: DynamicsModelConfig) -> None:
        super().__init__()
        self.action = perceptron(len(ACTION), config.hidden_dim, width)
        self.norm = nn.LayerNorm(width)
        self.layers = perceptron(2 * width, config.hidden_dim, width, config.num_layers)

    def forward(self, state: Float[Tensor, "b s"], action: Float[Tensor, "b s"]) -> Float[Tensor, "b s"]:
        """The next state; `action` as embedded by `self.action`."""
        return state + self.layers(torch.cat([self.norm(state), action], -1))


class DynamicsModule(nn.Module):
    """Transitions, one or an ensemble, and the decoder of exact states."""

    def __init__(self, config: DynamicsModelConfig, width: int) -> None:
        super().__init__()
        self.standard = Standard(len(STATES))
        self.members = nn.ModuleList([Transition(width, config) for _ in range(config.num_members)])
        self.decoder = perceptron(width, config.hidden_dim, 2 * len(STATES), config.num_layers)

    def decode(self, states: Float[Tensor, "*b s"]) -> Decoded:
        """The exact states that states of the world contain."""
        mean, raw = self.decoder(states).chunk(2, -1)
        low, high = DEVIATIONS
        return Decoded(mean, low + (high - low) * torch.sigmoid(raw))

    def roll(self, state: Float[Tensor, "b s"], actions: Float[Tensor, "b h a"], member: int = 0) -> Rolled:
        """The states after each of the `actions`, by one member."""
        transition, found = self.members[member], []
        assert isinstance(transition, Transition)
        embedded = transition.action(actions)
        for step in range(actions.shape[1]):
            state = transition(state, embedded[:, step])
            found.append(state)
        states = torch.stack(found, 1)
        return Rolled(states, self.decode(states))

    def imagine(self, state: Float[Tensor, "b s"], actions: Float[Tensor, "b h a"]) -> tuple[Tensor, Tensor]:
        """Mean and deviation (b, h, o) of the exact states in their units, over all members.

        The variance of an ensemble is the mean of its variances and the variance of its means.
        """
        rolled = [self.roll(state, actions, k).decoded for k in range(len(self.members))]
        means = torch.stack([each.mean for each in rolled])
        variance = torch.stack([(2 * each.log_deviation).exp() for each in rolled]).mean(0)
        variance = variance + means.var(0, correction=0)
        return self.standard.undo(means.mean(0)), variance.sqrt() * self.standard.deviation
