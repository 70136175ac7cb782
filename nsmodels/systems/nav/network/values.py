"""The navigator that counts: value iteration with learnt moves (Tamar et al. 2016).

Shapes: b maps, c input channels, a actions, h rows, w columns.

Which moves there are, what each costs and how far costs decide between actions are learnt from the labels; that a
path's cost is the sum of its moves and that the best path has the smallest cost are built in. With the learnt cost r_a
of the move a from a cell to its neighbour n_a (infinite where the learnt gate of the move is closed), a step is
    v ← min(v, min_a (v(n_a) + r_a)),
from v = 0 at the goal and infinity elsewhere. The value of a cell after k steps is the smallest cost of a path of at
most k moves. A minimum and a sum, and not a fixed number of features, carry the count: what is learnt on 8x8 holds at
any distance (Xu et al. 2020 call such a network aligned with the algorithm). When a step changes no value, no later
step can: the recursion ends there, and a cell without a value then has no path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network import relaxation
from nsmodels.systems.nav.network.encoding import LARGEST_COST, encode
from nsmodels.systems.nav.network.navigator import Navigator, Recursion
from nsmodels.systems.nav.network.readout import Policy, Readout, to_policy
from nsmodels.systems.nav.network.relaxation import PLAIN_KINDS, relax

FAR = float(relaxation.FAR)
REACHED = FAR / 2
NUM_FEATURES = 4
UNLIKELY = 60.0  # largest −log probability of an action
LEAST_SURPRISE = 1e-6  # smallest one, so that its logit is finite
CERTAIN = 12.0  # logit of a path at the goal itself


class MoveCosts(NamedTuple):
    """Learnt properties of moves: logit of the gate, and the cost, each of the shape of the features given."""

    gate: Float[Tensor, ...]
    cost: Float[Tensor, ...]


class ValueProblem(NamedTuple):
    """Constants of a recursion: moves (`paid`: cost, `FAR` where the gate is closed), free cells, the goal's cell."""

    gate: Float[Tensor, "b a h w"]
    cost: Float[Tensor, "b a h w"]
    paid: Float[Tensor, "b a h w"]
    free: Float[Tensor, "b 1 h w"]
    goal: Float[Tensor, "b h w"]

    def select(self, rows: Tensor) -> ValueProblem:
        """The maps `rows`, an index or bool tensor (b,)."""
        return ValueProblem(*(part[rows] for part in self))


class ValueState(NamedTuple):
    """State of the recursion: values, and whether the last segment changed any of a map's."""

    values: Float[Tensor, "b h w"]
    is_changing: Bool[Tensor, " b"]

    def detach(self) -> ValueState:
        """The state without its gradients."""
        return ValueState(self.values.detach(), self.is_changing)

    def select(self, rows: Tensor) -> ValueState:
        """The maps `rows`, an index or bool tensor (b,)."""
        return ValueState(self.values[rows], self.is_changing[rows])


@final
class MoveNetwork(nn.Module):
    """Gate and cost of a move from its surroundings, one network for all actions.

    Sharing it makes the navigator equivariant: turning a map turns its policy. Its features are those of
    `move_features`. A linear path beside the hidden layer lets the logarithm of the cost grow with that of the cell,
    as far as costs go.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(NUM_FEATURES, hidden)
        self.out = nn.Linear(hidden, 2)
        self.linear = nn.Linear(NUM_FEATURES, 2, bias=False)
        nn.init.zeros_(self.linear.weight)
        self.out.bias = nn.Parameter(torch.tensor([2.0, 0.0]))  # gates begin open, so that values spread from the start

    def forward(self, features: Float[Tensor, "... f"]) -> MoveCosts:
        """Gate and cost of each move."""
        gate, exponent = (self.out(F.relu(self.hidden(features))) + self.linear(features)).unbind(-1)
        return MoveCosts(gate, torch.exp2(exponent.clamp(-10, 20)))


@final
class ValueNavigator(Navigator):
    """Value iteration with learnt moves; see above. Any map size.

    Raises `InputError` for outputs that share one probability.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        if config.output != "sigmoid":
            raise InputError(f"model.output: core=value has output=sigmoid only, got {config.output}")
        self.moves = MoveNetwork(config.dim)
        # P(action optimal) = σ(gate) σ(certainty − sharpness · excess), with the excess cost over the best action
        self.sharpness = nn.Parameter(torch.tensor(0.0))  # its logarithm
        self.certainty = nn.Parameter(torch.tensor(2.0))
        self.unreached = nn.Parameter(torch.tensor(3.0))  # −logit of a path where no value has arrived
        self.halting = nn.Parameter(torch.tensor([1.0, 0.0, -1.0]))  # of the least sure cell, bias, still changing

    reach = 1
    is_holding = False
    is_counting = True

    def initialise(self, inputs: Float[Tensor, "b c h w"]) -> tuple[ValueProblem, ValueState]:
        """Moves of the maps, and values before the first step: 0 at the goal, `FAR` elsewhere."""
        moves = self.moves(move_features(inputs, self.config.connectivity))
        return self._begin(moves, inputs[:, :1], inputs[:, 1])

    def _begin(self, moves: MoveCosts, free: Tensor, goal: Tensor) -> tuple[ValueProblem, ValueState]:
        paid = torch.where((moves.gate > 0) & (free > 0), moves.cost, FAR)
        values = torch.where(goal > 0, 0.0, FAR)
        changing = torch.ones(goal.shape[0], dtype=torch.bool, device=goal.device)
        return ValueProblem(moves.gate, moves.cost, paid, free, goal), ValueState(values, changing)

    def segment(self, problem: ValueProblem, state: ValueState, mask: Tensor | None = None) -> ValueState:
        """As many steps as a segment has."""
        values = state.values
        for _ in range(self.steps_per_segment):
            there = neighbours(values, self.config.connectivity)
            values = torch.minimum(values, (there + problem.paid).amin(1))
        changing = (values.detach() != state.values.detach()).flatten(1).any(1)
        return ValueState(values, changing)

    def readout(self, problem: ValueProblem, state: ValueState) -> Readout:
        """Logits of the actions from the costs of their paths; see `ValueNavigator.__init__` for the probabilities."""
        there = neighbours(state.values, self.config.connectivity)
        best, chosen = (there + problem.paid).min(1, keepdim=True)
        # A closed move is compared by its cost too: its gate is then what makes it improbable, and what is taught.
        excess = (there + problem.cost - best).clamp(max=UNLIKELY)
        preference = (self.certainty - self.sharpness.exp() * excess).clamp(-UNLIKELY, UNLIKELY)
        # With s = −log σ(gate) − log σ(preference) the probability is e^−s and its logit −log(e^s − 1).
        surprise = F.softplus(-problem.gate) + F.softplus(-preference)
        surprise = torch.where(there < REACHED, surprise.clamp(LEAST_SURPRISE, UNLIKELY), UNLIKELY)
        actions = -torch.log(torch.expm1(surprise))
        is_reached = (state.values < REACHED) & (problem.free[:, 0] > 0)
        reach = torch.where(is_reached, problem.gate.detach().gather(1, chosen)[:, 0], -self.unreached)
        reach = torch.where(problem.goal > 0, CERTAIN, reach)
        is_counted = is_reached & ~(problem.goal > 0)
        least = actions.detach().amax(1).masked_fill(~is_counted, CERTAIN).flatten(1).amin(1)
        slope, bias, changing = self.halting
        halting = slope * least + bias + changing * state.is_changing
        return Readout(actions, reach, state.values.clamp(max=FAR).log1p(), halting)

    def recursion(self, maps: Maps, is_held: bool = True) -> ValueRecursion:
        """The recursion on `maps`; nothing is held, `is_held` has no effect."""
        return ValueRecursion(self, maps)

    def default_steps(self, height: int, width: int) -> int:
        """One step for each cell: no path without a loop is longer, whatever its moves cost."""
        return height * width + self.steps_per_segment

    def validation_steps(self) -> int | None:
        """Steps of a validation: until nothing changes, which is cheap."""
        return None

    @torch.inference_mode()
    def _policy_until_final(self, maps: Maps, max_segments: int) -> Policy:
        if self.device.type != "cpu":
            return super()._policy_until_final(maps, max_segments)
        moves, steps = self.move_table(), self.steps_per_segment
        values, changes = relax(maps, moves.gate.numpy(), moves.cost.numpy(), max_segments * steps)
        # The recursion in tensors ends after the first segment without a change.
        segments = torch.from_numpy(-(-changes // steps) + 1)
        problem, _ = self.begin(maps, moves)
        is_final = segments <= max_segments
        readout = self.readout(problem, ValueState(torch.from_numpy(values), ~is_final))
        used = torch.clamp(segments, max=max_segments).int() * steps
        return to_policy(readout, used.numpy(), is_final.numpy(), self.config.output)

    def begin(self, maps: Maps, moves: MoveCosts) -> tuple[ValueProblem, ValueState]:
        """As `initialise`, with the moves from a `move_table`: each kind of move is computed once."""
        inputs = encode(maps).to(self.device)
        kinds = move_kinds(inputs, self.config.connectivity)
        return self._begin(MoveCosts(moves.gate[kinds], moves.cost[kinds]), inputs[:, :1], inputs[:, 1])

    def move_table(self) -> MoveCosts:
        """Gate and cost of every kind of move, numbered as by `move_kinds`."""
        return self.moves(kind_features().to(self.device))


@final
class ValueRecursion(Recursion):
    """A recursion on maps of one shape, in tensors."""

    def __init__(self, navigator: ValueNavigator, maps: Maps) -> None:
        super().__init__(navigator)
        self.network = navigator
        self.problem, self.state = navigator.begin(maps, navigator.move_table())

    def advance(self) -> Bool[Tensor, " b"]:
        """Compute one more segment; return the maps, bool (b,), in which it changed nothing: none will change later."""
        self.state = self.network.segment(self.problem, self.state)
        self.segments += 1
        return ~self.state.is_changing

    def select(self, rows: Tensor) -> None:
        """Continue with the maps `rows` only."""
        rows = rows.to(self.state.values.device)
        self.problem, self.state = self.problem.select(rows), self.state.select(rows)

    def _readout(self, rows: Tensor) -> Readout:
        rows = rows.to(self.state.values.device)
        return self.network.readout(self.problem.select(rows), self.state.select(rows))


def neighbours(values: Float[Tensor, "b h w"], num: int) -> Float[Tensor, "b a h w"]:
    """The values of the first `num` neighbours of each cell; `FAR` beyond the border."""
    return shifted(F.pad(values, (1, 1, 1, 1), value=FAR), OFFSETS[:num], values.shape[1], values.shape[2])


def shifted(
    wide: Float[Tensor, "b h2 w2"], offsets: Sequence[tuple[int, int]], height: int, width: int
) -> Float[Tensor, "b a h w"]:
    """The value of the cell at each of `offsets` (rows, columns) from every cell; `wide` has a margin of one cell."""
    return torch.stack([wide[:, 1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in offsets], 1)


def move_features(inputs: Float[Tensor, "b c h w"], connectivity: int) -> Float[Tensor, "b a h w f"]:
    """Features of each move: whether the cell entered is free, the share of the two cells beside the move that are,
    whether it is diagonal, and log2 of the cost of the cell entered.

    Of a straight move the cells beside it are the two that it joins.
    """
    (height, width), moves = inputs.shape[2:], OFFSETS[:connectivity]
    free, cost = (F.pad(inputs[:, k], (1, 1, 1, 1)) for k in (0, 2))
    entered = [shifted(layer, moves, height, width) for layer in (free, cost)]
    vertical, horizontal = ([(down, 0) for down, _ in moves], [(0, right) for _, right in moves])
    beside = (shifted(free, vertical, height, width) + shifted(free, horizontal, height, width)) / 2
    diagonal = inputs.new_tensor([float(bool(down and right)) for down, right in moves])
    return torch.stack([entered[0], beside, diagonal[:, None, None].expand_as(beside), entered[1]], -1)


def move_kinds(inputs: Float[Tensor, "b c h w"], connectivity: int) -> Int[Tensor, "b a h w"]:
    """Number of the kind of each move; moves with equal features are of one kind.

    By the cost c of the cell entered, whether it is free (0 or 1), the number of free cells beside the move and whether
    it is diagonal: 12 c + 6 free + 2 beside + diagonal.
    """
    is_free, beside, diagonal, log_cost = move_features(inputs, connectivity).unbind(-1)
    plain = is_free * 6 + beside * 4 + diagonal
    return (torch.exp2(log_cost).round() * PLAIN_KINDS + plain).long()


def kind_features() -> Float[Tensor, "kinds f"]:
    """Features of each kind of move."""
    kinds = torch.arange(PLAIN_KINDS * (LARGEST_COST + 1))
    plain, cost = kinds % PLAIN_KINDS, kinds // PLAIN_KINDS
    log_cost = cost.clamp(min=1).float().log2()
    return torch.stack([(plain // 6).float(), (plain % 6 // 2) / 2, (plain % 2).float(), log_cost], -1)
