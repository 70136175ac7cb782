"""Outputs of a navigator: the readout of a recursion as tensors, and policies in numpy.

Shapes: b maps, a actions, h rows, w columns; n maps in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets

REACHABLE_THRESHOLD = 0.5  # of the probability that the goal can be reached


class Readout(NamedTuple):
    """Output after a segment: logits of optimal actions, reachability and a correct policy; log(1 + cost-to-go)."""

    actions: Float[Tensor, "b a h w"]
    reach: Float[Tensor, "b h w"]
    cost: Float[Tensor, "b h w"]
    halting: Float[Tensor, " b"]


@dataclass(frozen=True)
class Policy:
    """Policies of n maps of one shape.

    Attributes:
        actions: int8 (n, h, w), the most probable action.
        probabilities: float32 (n, a, h, w), that the action begins an optimal path.
        confidence: float32 (n, h, w), the probability of the action taken.
        reachable: float32 (n, h, w), probability that the goal can be reached.
        cost_to_go: float32 (n, h, w), predicted cost of an optimal path.
        halting: float32 (n,), probability that the whole policy is right, from the halting head.
        steps: int32 (n,), recursion steps used.
        is_final: bool (n,), whether the recursion ended because no information could still arrive.
    """

    actions: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]
    reachable: NDArray[np.float32]
    cost_to_go: NDArray[np.float32]
    halting: NDArray[np.float32]
    steps: NDArray[np.int32]
    is_final: NDArray[np.bool_]

    @classmethod
    def from_labels(cls, labels: Labels, maps: Maps) -> Policy:
        """The optimal policy, with the lowest of equally good actions."""
        sets = action_sets(labels.optimal, maps.connectivity)
        ones = np.ones(len(maps), np.float32)
        return cls(
            actions=sets.argmax(1).astype(np.int8),
            probabilities=sets.astype(np.float32),
            confidence=np.asarray(sets.any(1), np.float32),
            reachable=np.asarray(np.isfinite(labels.cost_to_go), np.float32),
            cost_to_go=labels.cost_to_go,
            halting=ones,
            steps=np.zeros(len(maps), np.int32),
            is_final=np.ones(len(maps), bool),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Policy]) -> Policy:
        """The policies of several batches of maps of one shape, in order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def select(self, rows: NDArray) -> Policy:
        """The policies of the maps `rows`, int or bool (m,)."""
        return Policy(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def action_probabilities(logits: Float[Tensor, "b a h w"], output: str) -> Float[Tensor, "b a h w"]:
    """Probabilities of actions: independent (sigmoid), or summing to 1 (softmax; stablemax, Prieto et al. 2025)."""
    if output == "sigmoid":
        return logits.sigmoid()
    if output == "softmax":
        return logits.softmax(1)
    # stablemax: s(x_a) / Σ s(x), with s(x) = x + 1 for x ≥ 0 and 1 / (1 − x) below in place of exp, which overflows.
    positive = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    return positive / positive.sum(1, keepdim=True)


def to_policy(readout: Readout, steps: NDArray[np.int32], is_final: NDArray[np.bool_], output: str) -> Policy:
    """A readout as probabilities in numpy; `steps` int32 (b,), `is_final` bool (b,): as of a `Policy`."""
    probabilities = action_probabilities(readout.actions.float(), output).cpu().numpy()
    return Policy(
        actions=probabilities.argmax(1).astype(np.int8),
        probabilities=probabilities,
        confidence=probabilities.max(1),
        reachable=readout.reach.float().sigmoid().cpu().numpy(),
        cost_to_go=readout.cost.float().expm1().clamp(min=0).cpu().numpy(),
        halting=readout.halting.float().sigmoid().cpu().numpy(),
        steps=steps,
        is_final=is_final,
    )
