"""The navigator of latent vectors: a tiny recursive model (Jolicoeur-Martineau 2025) over the cells of a map.

Shapes: b maps, c input channels, d latent channels, a actions, h rows, w columns.

With the embedded input x, latents y (answer) and z (reasoning), and one core f with the same weights throughout, a
cycle is
    z ← f(x + y + z)    n times,
    y ← f(y + z)        once,
and a segment is T cycles, T (n + 1) steps.
"""

from __future__ import annotations

import math
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.cores import make_core
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS, encode
from nsmodels.systems.nav.network.navigator import Navigator, Recursion
from nsmodels.systems.nav.network.readout import Readout

STILL = 1e-3  # change of a latent channel in a segment, of unit mean square, below which it does not change


class Problem(NamedTuple):
    """Constants of a recursion: the embedded input, free cells (1, walls 0), the goal's cell (1, others 0)."""

    embedding: Float[Tensor, "b d h w"]
    free: Float[Tensor, "b 1 h w"]
    goal: Float[Tensor, "b h w"]

    def select(self, rows: Tensor) -> Problem:
        """The maps `rows`, an index or bool tensor (b,)."""
        return Problem(self.embedding[rows], self.free[rows], self.goal[rows])


class LatentState(NamedTuple):
    """State of the recursion: the latent answer y and the latent reasoning z."""

    y: Float[Tensor, "b d h w"]
    z: Float[Tensor, "b d h w"]

    def detach(self) -> LatentState:
        """The state without its gradients."""
        return LatentState(self.y.detach(), self.z.detach())

    def select(self, rows: Tensor) -> LatentState:
        """The maps `rows`, an index or bool tensor (b,)."""
        return LatentState(self.y[rows], self.z[rows])


@final
class LatentNavigator(Navigator):
    """A tiny recursive model; the recursion is defined above.

    Raises `InputError` for a width that the core cannot have.
    """

    is_holding = True
    is_counting = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.embed = nn.Conv2d(NUM_CHANNELS, config.dim, 3, padding=1)
        self.core = make_core(config)
        self.first_y = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.first_z = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.read = nn.Conv2d(config.dim, config.connectivity + 3, 1)
        nn.init.zeros_(self.read.weight)

    @property
    def reach(self) -> int:
        """Of the core."""
        return self.core.reach

    @property
    def window(self) -> int:
        """Number of segments in which a cell may change its readout, from its first belief in a path on; 0: no limit.

        Half of the segments in training: for that many, on average, a cell is supervised after the signal of the goal
        has reached it. Later segments are outside the range of training.
        """
        return max(1, self.config.num_segments // 2) if self.reach else 0

    def initialise(self, inputs: Float[Tensor, "b c h w"]) -> tuple[Problem, LatentState]:
        """The constants of the recursion, and its first state: learnt vectors, the same in every free cell."""
        free = inputs[:, :1]
        problem = Problem(self.embed(inputs) * free, free, inputs[:, 1])
        return problem, LatentState(self.first_y * free, self.first_z * free)

    def segment(self, problem: Problem, state: LatentState, mask: Tensor | None = None) -> LatentState:
        """T cycles. Gradients are those of all cycles with `use_full_gradient`, else of the last one, as published."""
        for cycle in range(self.config.num_cycles):
            has_gradient = self.config.use_full_gradient or cycle == self.config.num_cycles - 1
            with torch.set_grad_enabled(torch.is_grad_enabled() and has_gradient):
                state = self._cycle(problem, state, mask)
        return state

    def _cycle(self, problem: Problem, state: LatentState, mask: Tensor | None) -> LatentState:
        (x, free, _), (y, z) = problem, state
        for _ in range(self.config.num_inner):
            z = self.core(x + y + z, free, mask)
        return LatentState(self.core(y + z, free, mask), z)

    def readout(self, problem: Problem, state: LatentState) -> Readout:
        """The outputs of the latent answer y: one linear layer per cell, and the halting logit of the map."""
        read, a = self.read(state.y), self.config.connectivity
        actions, reach, cost, cell_halting = read[:, :a], read[:, a], read[:, a + 1], read[:, a + 2]
        # P(all cells are right) is at most the smallest P(cell is right), with equality when the other cells are right
        # whenever that one is. With the minimum a single uncertain cell, as at the front of a signal, marks the policy
        # as incomplete on a map of any size; a mean or a product would depend on the number of cells. Cells without a
        # believed path do not count: σ(30) is 1.
        is_counted = ((reach > 0) & (problem.free[:, 0] > 0)) | (problem.goal > 0)
        halting = cell_halting.masked_fill(~is_counted, 30.0).flatten(1).amin(1)
        return Readout(actions, reach, cost, halting)

    def dropout_mask(self, num: int) -> Float[Tensor, "b d 1 1"] | None:
        """Dropout mask of the channels for a whole recursion of `num` maps; None without dropout."""
        if not self.training or not self.config.dropout:
            return None
        # One mask for all steps (Gal & Ghahramani 2016): a mask per step would average out over the recursion. Divided
        # by the probability of keeping a channel, so that the expectation is that of inference.
        share = 1 - self.config.dropout
        return torch.bernoulli(torch.full((num, self.config.dim, 1, 1), share, device=self.device)) / share

    def default_steps(self, height: int, width: int) -> int:
        """Number of steps that carries a signal along the longest possible shortest path of a map."""
        # The longest shortest path is that of a winding corridor, which together with its walls fills the map: h·w / 2
        # cells. Training demands 3/4 of the core's reach as cells per step (`ObjectiveConfig.horizon`).
        if not self.reach:
            return 4 * self.trained_steps
        return max(4 * self.trained_steps, math.ceil(height * width / 2 / (0.75 * self.reach)))

    def validation_steps(self) -> int | None:
        """Those of training: the recursion until it is final would cost several times as much."""
        return self.trained_steps

    def recursion(self, maps: Maps, is_held: bool = True) -> LatentRecursion:
        """The recursion on `maps`; without `is_held` a cell's readout is always that of the last segment."""
        return LatentRecursion(self, maps, is_held)


@final
class LatentRecursion(Recursion):
    """A recursion on maps of one shape: its state, and the readout that each cell holds.

    Without `is_held` a cell's readout is always that of the last segment.
    """

    def __init__(self, navigator: LatentNavigator, maps: Maps, is_held: bool = True) -> None:
        super().__init__(navigator)
        self.network, self.is_held = navigator, is_held
        self.problem, self.state = navigator.initialise(encode(maps).to(navigator.device))
        self.held: HeldReadout | None = None

    def advance(self) -> Bool[Tensor, " b"]:
        """Compute one more segment; return the maps whose policy is final.

        It is when the segment changed no decision, and when at the frontier, the cells beside those that believe in a
        path and do not themselves, every latent is still. While the signal of the goal creeps along a corridor its
        frontier changes; where it has filled all that it can, there is no frontier.
        """
        before, earlier = self.held, self.state
        self.state = self.network.segment(self.problem, self.state)
        self.segments += 1
        readout = self.network.readout(self.problem, self.state)
        self.held = update_held(before if self.is_held else None, readout, self.network.window)
        if before is None:
            return torch.zeros(len(readout.halting), dtype=torch.bool, device=readout.halting.device)
        was, now = (_decisions(held.readout, self.problem) for held in (before, self.held))
        is_decided = (was == now).flatten(1).all(1)
        return is_decided & ~self._is_creeping(earlier)

    def _is_creeping(self, earlier: LatentState) -> Bool[Tensor, " b"]:
        """Whether any latent at the frontier has changed since `earlier`; False for a core that sees the whole map."""
        if not self.network.reach:
            return torch.zeros(len(earlier.y), dtype=torch.bool, device=earlier.y.device)
        assert self.held is not None
        believes = ((self.held.readout.reach > 0) & (self.problem.free[:, 0] > 0)) | (self.problem.goal > 0)
        beside = F.max_pool2d(believes.float()[:, None], 3, stride=1, padding=1)[:, 0] > 0
        frontier = beside & ~believes & (self.problem.free[:, 0] > 0)
        changed = torch.stack([(now - then).abs().amax(1) for now, then in zip(self.state, earlier, strict=True)])
        return ((changed.amax(0) > STILL) & frontier).flatten(1).any(1)

    def select(self, rows: Tensor) -> None:
        """Continue with the maps `rows` only, an index or bool tensor (b,)."""
        assert self.held is not None
        rows = rows.to(self.problem.free.device)
        self.problem, self.state = self.problem.select(rows), self.state.select(rows)
        self.held = HeldReadout(Readout(*(part[rows] for part in self.held.readout)), self.held.age[rows])

    def _readout(self, rows: Tensor) -> Readout:
        assert self.held is not None
        return Readout(*(part[rows.to(part.device)] for part in self.held.readout))


class HeldReadout(NamedTuple):
    """The readout that each cell holds; `age`: number of segments since it first believed in a path to the goal."""

    readout: Readout
    age: Float[Tensor, "b h w"]


def update_held(held: HeldReadout | None, readout: Readout, window: int) -> HeldReadout:
    """Replace a cell's readout by the new one where that is surer, while the cell is within its window.

    The window is the first `window` segments in which the cell believes in a path (0: no limit). By then the cell has
    received the signal of the goal; the steps that a distant part of a large map still needs would only degrade its
    readout. The halting logit is always the new one.
    """
    # The surer readout is the one with the larger logit of its best action.
    if held is None:
        return HeldReadout(readout, (readout.reach > 0).to(readout.reach.dtype))
    is_surer = readout.actions.amax(1) > held.readout.actions.amax(1)
    if window:
        is_surer = is_surer & (held.age < window)
    actions = torch.where(is_surer[:, None], readout.actions, held.readout.actions)
    reach, cost = (
        torch.where(is_surer, one, other) for one, other in zip(readout[1:3], held.readout[1:3], strict=True)
    )
    believes = (reach > 0) | (held.age > 0)
    return HeldReadout(Readout(actions, reach, cost, readout.halting), held.age + believes.to(held.age.dtype))


def _decisions(readout: Readout, problem: Problem) -> Float[Tensor, "b h w"]:
    """Current decision of each cell: an action where a path is believed to exist, else -1."""
    is_decided = (readout.reach > 0) & (problem.free[:, 0] > 0)
    return readout.actions.argmax(1).masked_fill(~is_decided, -1)
