"""Heads: properties, affordances, material, shape of an object; outcomes and events of a clip; effects of changes.

Shapes: b clips of t steps, m twins, states of width s, summaries of width d.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from nsmodels.formats.clips.names import ACTION, AFFORDANCES, EVENTS, OUTCOMES, PROPERTIES, STATES, VARIABLES
from nsmodels.systems.world.config import HeadsModelConfig
from nsmodels.systems.world.network.layers import Standard, perceptron

MOST_CONCEPTS = 16  # materials, or shapes, that can be named
CONCEPTS = ("material", "shape")
HASTE = 20.0  # by which strengths of effects change faster than other weights: a few hundred steps reach zero


class Normal(NamedTuple):
    """A mean and the logarithm of its deviation, of one shape."""

    mean: Tensor
    log_deviation: Tensor


class Beliefs(NamedTuple):
    """What is believed of objects and clips.

    properties: (b, 9). affordances: logits (b, 8). concepts: logits (b, 2, MOST_CONCEPTS), of material and shape.
    outcomes: standardised (b, o). events: logits (b, e).
    """

    properties: Normal
    affordances: Tensor
    concepts: Tensor
    outcomes: Normal
    events: Tensor


class Change(NamedTuple):
    """What a change makes of a clip.

    states: (m, t, o) and outcomes: (m, o), standardised differences. events: logits (m, e), after it.
    """

    states: Tensor
    outcomes: Normal
    events: Tensor

    def weakened(self, before: Tensor, states: Float[Tensor, "m 1"], outcomes: Float[Tensor, "m 1"]) -> Change:
        """The effects times factors of states and of outcomes; events move from `before` (m, e) as outcomes do."""
        return Change(
            self.states * states[..., None],
            Normal(self.outcomes.mean * outcomes, self.outcomes.log_deviation),
            before + outcomes * (self.events - before),
        )


class HeadsModule(nn.Module):
    """Heads on the summary of a clip, and the effects of changes on its course."""

    def __init__(self, config: HeadsModelConfig, width: int, latent_dim: int) -> None:
        super().__init__()
        sizes = {"properties": 2 * len(PROPERTIES), "affordances": len(AFFORDANCES), "events": len(EVENTS)}
        sizes |= {"outcomes": 2 * len(OUTCOMES), "concepts": len(CONCEPTS) * MOST_CONCEPTS}
        self.sizes = sizes
        self.standard = Standard(len(OUTCOMES))
        self.layers = perceptron(latent_dim, config.hidden_dim, sum(sizes.values()), config.num_layers)
        self.effects = Effects(config, width, latent_dim)

    def forward(self, summary: Float[Tensor, "b d"]) -> Beliefs:
        """Beliefs from summaries."""
        parts = self.layers(F.normalize(summary, dim=-1) * summary.shape[-1] ** 0.5).split(
            tuple(self.sizes.values()), -1
        )
        found = dict(zip(self.sizes, parts, strict=True))
        concepts = found["concepts"].unflatten(-1, (len(CONCEPTS), MOST_CONCEPTS))
        properties, outcomes = normal(found["properties"]), normal(found["outcomes"])
        return Beliefs(
            Normal(properties.mean.sigmoid(), properties.log_deviation - 1), found["affordances"], concepts,
            outcomes, found["events"],
        )  # fmt: skip


class Effects(nn.Module):
    """A change of one variable, its effects on states, outcomes and events.

    All effects are multiplied by tanh(kᵥ|c|) with the size c of the change and a strength kᵥ ≥ 0 for each variable: no
    change has no effect, and a variable that never matters is left out by its strength.
    """

    def __init__(self, config: HeadsModelConfig, width: int, latent_dim: int) -> None:
        super().__init__()
        hidden = config.hidden_dim
        self.strength = nn.Parameter(torch.full((len(VARIABLES),), 1 / HASTE))
        self.change = perceptron(3 * len(VARIABLES), hidden, hidden)
        self.context = nn.Linear(latent_dim, hidden)
        self.step = nn.Linear(width + len(ACTION) + hidden, hidden)
        self.course = nn.GRU(hidden, hidden, batch_first=True)
        self.states = nn.Linear(hidden, len(STATES))
        self.layers = perceptron(4 * hidden, hidden, 2 * len(OUTCOMES) + len(EVENTS), config.num_layers)

    def forward(
        self,
        states: Float[Tensor, "m t s"],
        summary: Float[Tensor, "m d"],
        actions: Float[Tensor, "m t a"],
        events: Float[Tensor, "m e"],
        variable: Int[Tensor, " m"],
        change: Float[Tensor, " m"],
    ) -> Change:
        """Effects of a `change` of a `variable` on clips; `events`: logits of the clips as they were."""
        one = F.one_hot(variable, len(VARIABLES)).to(change.dtype)
        size = change[:, None]
        asked = self.change(torch.cat([one, one * size, one * size.abs()], -1)) + self.context(
            F.normalize(summary, dim=-1) * summary.shape[-1] ** 0.5
        )
        inputs = torch.cat([states, actions, asked[:, None].expand(-1, states.shape[1], -1)], -1)
        course, _ = self.course(F.gelu(self.step(inputs)), asked[None])
        gate = torch.tanh(F.softplus(HASTE * self.strength)[variable] * change.abs())[:, None]
        found = self.layers(torch.cat([course.mean(1), course.amax(1), course[:, -1], F.gelu(asked)], -1))
        outcomes, shift = found.split((2 * len(OUTCOMES), len(EVENTS)), -1)
        mean, log_deviation = normal(outcomes)
        return Change(
            gate[..., None] * self.states(course), Normal(gate * mean, log_deviation), events + 4 * gate * shift
        )


def normal(values: Float[Tensor, "*b two_o"]) -> Normal:
    """Means and logarithms of deviations between exp(-5) and exp(2)."""
    mean, raw = values.chunk(2, -1)
    return Normal(mean, -5 + 7 * torch.sigmoid(raw))
