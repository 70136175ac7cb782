"""What the training loop needs to train the navigator: deep supervision that asks for what can be known by then."""

from __future__ import annotations

from typing import Any, NamedTuple, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor, nn

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.nav.config import ModelConfig, ObjectiveConfig
from nsmodels.systems.nav.network.encoding import MapBatch
from nsmodels.systems.nav.network.navigator import Answer, Navigator, Thought, shares
from nsmodels.systems.nav.planning.rollout import follow
from nsmodels.systems.nav.training.maps import TrainingMaps


class Asked(NamedTuple):
    """What is asked after a segment, bool (b, h, w): cells that should know their actions, cells that cannot yet."""

    known: Bool[Tensor, "b h w"]
    beyond: Bool[Tensor, "b h w"]


@final
class NavigationTask(Task):
    """Trains the recursion on all cells of labelled maps.

    After each segment a cell is asked for its optimal actions if the recursion so far could carry word of the goal to
    it, and for none while it could not. So what is learnt is a rule that goes on, at any distance, and not a guess
    that is right at the distances of the training maps.

    Args:
        maps: training and validation maps.
        model: the network.
        objective: what is asked, with which weights.
        training: batch size and seed are read from it.
    """

    def __init__(
        self, maps: TrainingMaps, model: ModelConfig, objective: ObjectiveConfig, training: TrainingConfig
    ) -> None:
        self.maps, self.objective, self.training = maps, objective, training
        self.model = model.with_values({"connectivity": maps.connectivity})

    def build(self) -> Navigator:
        """A navigator with random weights."""
        return Navigator(self.model)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of labelled maps of one shape each."""
        return self.maps.batches(split, epoch, shard, self.objective.max_burn_in)

    def loss(self, model: nn.Module, batch: MapBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Mean over the segments; `accuracy` is the share of cells with an optimal action after the last one."""
        assert isinstance(model, Navigator)
        problem, thought = model.begin(batch.inputs)
        keep = model.keep_channels(len(batch.inputs))
        with torch.no_grad():
            for _ in range(batch.burn_in):
                thought = model.segment(problem, thought, keep)
        found, answer = [], None
        for number in range(1, model.config.num_segments + 1):
            thought = model.segment(problem, Thought(thought.y.detach(), thought.z.detach()), keep)
            answer = model.answer(problem, thought)
            found.append(self._segment_losses(model, answer, batch, batch.burn_in + number))
        assert answer is not None
        terms = {name: torch.stack([losses[name] for losses in found]).mean() for name in found[0]}
        weights = {"cost": self.objective.cost_weight, "reach": self.objective.reach_weight}
        weights |= {"halting": self.objective.halting_weight, "actions": 1.0}
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return total, terms | {"accuracy": accuracy(answer, batch)}

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Share of the validation maps on which following the policy, thought out as in training, reaches the goal."""
        assert isinstance(model, Navigator)
        reached = [_reaches(model, group.maps) for group in self.maps.val]
        return {"val/success": float(np.concatenate(reached).mean())}

    def settings(self) -> dict[str, Any]:
        """The network, and its size under the names that stand in the checkpoints of others."""
        sides = {side for shape in self.maps.shapes for side in shape}
        flat = {"grid_size": max(sides), **{name: getattr(self.model, name) for name in ("dim", "depth", "dropout")}}
        shown = {"model": self.model.model_dump(mode="json"), "objective": self.objective.model_dump(mode="json")}
        return shown | flat | {"knows_costs": self.maps.has_costs}

    def _segment_losses(self, model: Navigator, answer: Answer, batch: MapBatch, number: int) -> dict[str, Tensor]:
        asked = self._asked(model, batch, number)
        return {
            "actions": action_loss(answer, batch, asked, self.model.output),
            "reach": _reach_loss(answer, asked, batch.cost == 0),
            "cost": _mean(_cost_loss(answer, batch), asked.known),
            "halting": _halting_loss(answer, batch),
        }

    def _asked(self, model: Navigator, batch: MapBatch, number: int) -> Asked:
        carried = number * model.steps_per_segment * model.core.reach
        is_way = torch.isfinite(batch.cost)
        if not carried or not self.objective.horizon:
            return Asked(is_way & (batch.cost > 0), batch.free & ~is_way)
        is_near = batch.cost <= self.objective.horizon * carried
        return Asked(is_near & (batch.cost > 0), batch.free & (batch.cost > carried))


def action_loss(answer: Answer, batch: MapBatch, asked: Asked, output: str) -> Float[Tensor, ""]:
    """Cross-entropy of each action by itself, or of the whole set of optimal actions, over the cells that are asked.

    Where actions share one probability there is no saying "none", so cells beyond the horizon are not asked.
    """
    if output == "sigmoid":
        wanted = (batch.optimal & asked.known[:, None]).to(answer.actions.dtype)
        each = F.binary_cross_entropy_with_logits(answer.actions, wanted, reduction="none")
        return _mean(each.mean(1), asked.known | asked.beyond)
    share = (shares(answer.actions.float(), output) * batch.optimal).sum(1)
    return _mean(-share.clamp(min=1e-9).log(), asked.known)


def accuracy(answer: Answer, batch: MapBatch) -> Float[Tensor, ""]:
    """Share of the cells from which the goal can be reached whose action is an optimal one."""
    return _mean(_is_right(answer, batch).float(), _is_on_the_way(batch))


def _is_right(answer: Answer, batch: MapBatch) -> Bool[Tensor, "b h w"]:
    return batch.optimal.gather(1, answer.actions.argmax(1, keepdim=True))[:, 0]


def _is_on_the_way(batch: MapBatch) -> Bool[Tensor, "b h w"]:
    return torch.isfinite(batch.cost) & (batch.cost > 0)


def _reach_loss(answer: Answer, asked: Asked, goal: Bool[Tensor, "b h w"]) -> Float[Tensor, ""]:
    wanted = (asked.known | goal).to(answer.reach.dtype)
    each = F.binary_cross_entropy_with_logits(answer.reach, wanted, reduction="none")
    return _mean(each, asked.known | asked.beyond | goal)


def _cost_loss(answer: Answer, batch: MapBatch) -> Float[Tensor, "b h w"]:
    wanted = torch.where(torch.isfinite(batch.cost), batch.cost, 0.0).log1p()
    return F.smooth_l1_loss(answer.cost, wanted, reduction="none", beta=0.1)


def _halting_loss(answer: Answer, batch: MapBatch) -> Float[Tensor, ""]:
    """Binary cross-entropy with "the whole policy is correct"."""
    is_whole = (_is_right(answer, batch) | ~_is_on_the_way(batch)).flatten(1).all(1)
    return F.binary_cross_entropy_with_logits(answer.halting, is_whole.to(answer.halting.dtype))


def _reaches(model: Navigator, maps: Maps) -> NDArray[np.bool_]:
    ((_, policy),) = model.policies_by_step(maps, [model.trained_steps])
    return follow(policy.actions, maps).success


def _mean(values: Float[Tensor, "b h w"], where: Bool[Tensor, "b h w"]) -> Float[Tensor, ""]:
    """Mean over the cells chosen; 0 when there are none."""
    return values.masked_fill(~where, 0).sum() / where.sum().clamp(min=1)
