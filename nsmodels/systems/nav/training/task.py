"""Training of the navigator: deep supervision, each segment within the horizon of its signal.

Shapes: b maps, a actions, h rows, w columns.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor, nn

from nsmodels.datasets.mazes.actions import OCTILE
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.nav.config import ModelConfig, ObjectiveConfig
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.network.encoding import Cells, MapBatch
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Readout, action_probabilities
from nsmodels.systems.nav.planning.rollout import roll_out
from nsmodels.systems.nav.training.maps import TrainingMaps


class HorizonMask(NamedTuple):
    """Supervised cells of a segment, bool (b, h, w): `within` the horizon of the goal's signal, and `beyond` it.

    `goal`: the cells of the goals.
    """

    within: Bool[Tensor, "b h w"]
    beyond: Bool[Tensor, "b h w"]
    goal: Bool[Tensor, "b h w"]

    @property
    def supervised(self) -> Bool[Tensor, "b h w"]:
        """Cells within or beyond the horizon."""
        return self.within | self.beyond


@final
class NavigationTask(Task):
    """Training of the recursion on all cells of labelled maps.

    After each segment the target of a cell is its optimal actions if the recursion so far can have carried the signal
    of the goal to it, and no action while it cannot. The network then learns a propagation rule that holds at any
    distance; with the final answer as the target of every segment it would learn to guess beyond its horizon, which
    works at the distances of the training maps only.

    Args:
        maps: training and validation maps.
        model: the network.
        objective: horizon, and weights of the loss terms.
        training: its batch size and seed are used.
    """

    num_threads = 1

    def __init__(
        self, maps: TrainingMaps, model: ModelConfig, objective: ObjectiveConfig, training: TrainingConfig
    ) -> None:
        self.maps, self.objective, self.training = maps, objective, training
        self.model = model.with_values({"connectivity": maps.connectivity})

    def build(self) -> Navigator:
        """A navigator with random weights."""
        navigator = make_navigator(self.model)
        navigator.diagonals = self.maps.diagonals
        return navigator

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of labelled maps of one shape each."""
        return self.maps.batches(split, epoch, shard, self.objective.max_burn_in)

    def loss(self, model: nn.Module, batch: MapBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Mean loss of the segments and its terms; `accuracy`: share of cells with an optimal action at the end."""
        # Burn-in segments have no gradient. Then N supervised segments, each of which starts from detached latents: its
        # gradient ends at its own beginning, and the next one learns to continue from whatever state it is given.
        assert isinstance(model, Navigator)
        problem, state = model.initialise(batch.inputs)
        mask = model.dropout_mask(len(batch.inputs))
        with torch.no_grad():
            for _ in range(batch.burn_in):
                state = model.segment(problem, state, mask)
        found, readout = [], None
        for number in range(1, model.config.num_segments + 1):
            state = model.segment(problem, state.detach(), mask)
            readout = model.readout(problem, state)
            found.append(self._segment_losses(model, readout, batch, batch.burn_in + number))
        assert readout is not None
        terms = {name: torch.stack([losses[name] for losses in found]).mean() for name in found[0]}
        weights = {"cost": self.objective.cost_weight, "reach": self.objective.reach_weight}
        weights |= {"halting": self.objective.halting_weight, "actions": 1.0}
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return total, terms | {"accuracy": accuracy(readout, batch)}

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Share of the validation maps on which the policy reaches the goal; see `Navigator.validation_steps`."""
        assert isinstance(model, Navigator)
        reached = [_reaches(model, group.maps) for group in self.maps.val]
        return {"val/success": float(np.concatenate(reached).mean())}

    def settings(self) -> dict[str, Any]:
        """The network's configuration, and its size under the names that are common in other projects' checkpoints."""
        sides = {side for shape in self.maps.shapes for side in shape}
        flat = {"grid_size": max(sides), **{name: getattr(self.model, name) for name in ("dim", "depth", "dropout")}}
        nested = {"model": self.model.model_dump(mode="json"), "objective": self.objective.model_dump(mode="json")}
        # Left out where it is the default, so that checkpoints from before there was a choice resume.
        rule = {} if self.maps.diagonals == OCTILE else {"diagonals": asdict(self.maps.diagonals)}
        costs = {"largest_cost": self.maps.largest_cost} if self.maps.has_costs else {}
        return nested | flat | {"knows_costs": self.maps.has_costs} | costs | rule

    def _segment_losses(self, model: Navigator, readout: Readout, batch: MapBatch, number: int) -> dict[str, Tensor]:
        horizon = self._horizon_mask(model, batch.cells, number)
        # Each term is a mean over cells, and the loop weights the parts of a batch by their maps: see `_mean`.
        whole = horizon if batch.whole is None else self._horizon_mask(model, batch.whole, number)
        return {
            "actions": action_loss(readout, batch, horizon, whole, self.model.output),
            "reach": _reach_loss(readout, batch, horizon, whole),
            "cost": _mean(_cost_loss(readout, batch), horizon.within, whole.within, batch.share),
            "halting": _halting_loss(readout, batch),
        }

    def _horizon_mask(self, model: Navigator, cells: Cells, number: int) -> HorizonMask:
        # Horizon rule. After s segments of k steps with a reach of r cells per step, a signal has travelled at most
        # c = s·k·r cells. With d the distance of a cell to the goal and ρ = `horizon` ≤ 1:
        #     0 < d ≤ ρ c    within: the target is the set of optimal actions,
        #     d > c          beyond: the target is no action; unreachable cells, d = ∞, are always beyond,
        #     between        not supervised: the signal may or may not have arrived.
        # The network therefore has to carry the signal ρ·r cells per step. The cost-to-go stands for d, the number of
        # moves; it is never smaller, so that no cell is within too early. With a global core, or ρ = 0, every segment
        # is supervised with the final answer. A network that counts has in every cell within c the final answer, at
        # ρ = 1; a cell at d > c has the best path of few moves, perhaps not the best of all, and is not supervised.
        carried = number * model.steps_per_segment * model.reach
        free, cost, can_reach = cells.free, cells.cost, torch.isfinite(cells.cost)
        if not carried or not (self.objective.horizon or model.is_counting):
            return HorizonMask(can_reach & (cost > 0), free & ~can_reach, cost == 0)
        if model.is_counting:
            return HorizonMask((cost <= carried) & (cost > 0), free & ~can_reach, cost == 0)
        is_near = cost <= self.objective.horizon * carried
        return HorizonMask(is_near & (cost > 0), free & (cost > carried), cost == 0)


def action_loss(
    readout: Readout, batch: MapBatch, horizon: HorizonMask, whole: HorizonMask, output: str
) -> Float[Tensor, ""]:
    """Cross-entropy of each action independently, or of the set of optimal actions, over the supervised cells.

    `whole`: supervised cells of the whole batch that `batch` is a part of.
    """
    # sigmoid: a binary cross-entropy per action; beyond the horizon the target of every action is 0.
    # softmax, stablemax: −log Σ_{a optimal} p_a, the probability of any optimal action. Probabilities that sum to 1
    # cannot express "no action", so cells beyond the horizon are not supervised.
    if output == "sigmoid":
        target = (batch.optimal & horizon.within[:, None]).to(readout.actions.dtype)
        each = F.binary_cross_entropy_with_logits(readout.actions, target, reduction="none")
        return _mean(each.mean(1), horizon.supervised, whole.supervised, batch.share)
    share = (action_probabilities(readout.actions.float(), output) * batch.optimal).sum(1)
    return _mean(-share.clamp(min=1e-9).log(), horizon.within, whole.within, batch.share)


def accuracy(readout: Readout, batch: MapBatch) -> Float[Tensor, ""]:
    """Share of the cells from which the goal can be reached whose action is an optimal one."""
    where = _can_reach_goal(batch.cost)
    whole = where if batch.whole is None else _can_reach_goal(batch.whole.cost)
    return _mean(_is_right(readout, batch).float(), where, whole, batch.share)


def _is_right(readout: Readout, batch: MapBatch) -> Bool[Tensor, "b h w"]:
    return batch.optimal.gather(1, readout.actions.argmax(1, keepdim=True))[:, 0]


def _can_reach_goal(cost: Float[Tensor, "b h w"]) -> Bool[Tensor, "b h w"]:
    return torch.isfinite(cost) & (cost > 0)


def _reach_loss(readout: Readout, batch: MapBatch, horizon: HorizonMask, whole: HorizonMask) -> Float[Tensor, ""]:
    target = (horizon.within | horizon.goal).to(readout.reach.dtype)
    each = F.binary_cross_entropy_with_logits(readout.reach, target, reduction="none")
    return _mean(each, horizon.supervised | horizon.goal, whole.supervised | whole.goal, batch.share)


def _cost_loss(readout: Readout, batch: MapBatch) -> Float[Tensor, "b h w"]:
    # On log(1 + cost) the error is a relative one, so that distant cells do not dominate.
    target = torch.where(torch.isfinite(batch.cost), batch.cost, 0.0).log1p()
    return F.smooth_l1_loss(readout.cost, target, reduction="none", beta=0.1)


def _halting_loss(readout: Readout, batch: MapBatch) -> Float[Tensor, ""]:
    """Binary cross-entropy with "the whole policy is correct"."""
    is_whole = (_is_right(readout, batch) | ~_can_reach_goal(batch.cost)).flatten(1).all(1)
    return F.binary_cross_entropy_with_logits(readout.halting, is_whole.to(readout.halting.dtype))


def _reaches(model: Navigator, maps: Maps) -> NDArray[np.bool_]:
    return roll_out(model.policy(maps, model.validation_steps()).actions, maps).success


def _mean(
    values: Float[Tensor, "b h w"], where: Bool[Tensor, "b h w"], whole: Bool[Tensor, "n h w"], share: float
) -> Float[Tensor, ""]:
    """Mean over the cells `where`; 0 when there are none.

    Of a part with the given share of the maps of a batch it is the sum over the share of the cells in the `whole`
    batch, so that the mean over the parts, weighted by their maps, is the mean over the cells of the whole batch.
    """
    return values.masked_fill(~where, 0).sum() / (whole.sum().clamp(min=1) * share)
