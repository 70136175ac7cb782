"""The navigator: a recursive network whose output is the policy of all cells of a map.

Shapes: b maps, c input channels, d latent channels, a actions, h rows, w columns; n maps in numpy.

Recursion (Jolicoeur-Martineau 2025). With the embedded input x, latents y (answer) and z (reasoning), and one core f
with the same weights throughout, a cycle is
    z ← f(x + y + z)    n times,
    y ← f(y + z)        once,
and a segment is T cycles, T (n + 1) applications of f. Weight sharing makes the number of segments free: it is a
constant in training and grows with the map at inference. Deep supervision: every segment has a loss of its own, and the
latents are detached between segments, so that memory and gradient paths are those of one segment, however many follow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.core.progress import counted
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule, rule_of
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.cores import make_core
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS, encode

CHUNK_CELLS = {"cpu": 2**15, "cuda": 2**21}  # cells per batch, for the CPU's caches and the GPU's memory
LARGE_CELLS = 128 * 128  # from this size on a recursion takes long enough for a progress bar
REACHABLE_THRESHOLD = 0.5  # of the probability that the goal can be reached


class Readout(NamedTuple):
    """Output after a segment: logits of optimal actions, reachability and a correct policy; log(1 + cost-to-go)."""

    actions: Float[Tensor, "b a h w"]
    reach: Float[Tensor, "b h w"]
    cost: Float[Tensor, "b h w"]
    halting: Float[Tensor, " b"]


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
    """

    actions: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    confidence: NDArray[np.float32]
    reachable: NDArray[np.float32]
    cost_to_go: NDArray[np.float32]
    halting: NDArray[np.float32]
    steps: NDArray[np.int32]

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
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Policy]) -> Policy:
        """The policies of several batches of maps of one shape, in order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


@final
class Navigator(nn.Module):
    """A tiny recursive model (Jolicoeur-Martineau 2025) over the cells of a map; the recursion is defined above.

    Raises `InputError` for a width that the core cannot have.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.is_cost_aware = True  # whether the training data contained cells that cost more than 1
        self.diagonals = OCTILE  # the rule of diagonal moves in the training data
        self.embed = nn.Conv2d(NUM_CHANNELS, config.dim, 3, padding=1)
        self.core = make_core(config)
        self.first_y = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.first_z = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.read = nn.Conv2d(config.dim, config.connectivity + 3, 1)
        nn.init.zeros_(self.read.weight)

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def rule(self) -> str:
        """Legal moves in words, as `Maps.rule`."""
        return rule_of(self.config.connectivity, self.diagonals)

    @property
    def steps_per_segment(self) -> int:
        """Number of applications of the core in a segment, T (n + 1)."""
        return self.config.num_cycles * (self.config.num_inner + 1)

    @property
    def trained_steps(self) -> int:
        """Number of applications of the core in the supervised segments of training."""
        return self.config.num_segments * self.steps_per_segment

    @property
    def window(self) -> int:
        """Number of segments in which a cell may change its readout, from its first belief in a path on; 0: no limit.

        Half of the segments in training: for that many, on average, a cell is supervised after the signal of the goal
        has reached it. Later segments are outside the range of training.
        """
        return max(1, self.config.num_segments // 2) if self.core.reach else 0

    def forward(self, inputs: Float[Tensor, "b c h w"], num_segments: int | None = None) -> Readout:
        """The readout after `num_segments` (default: as in training); `inputs` as made by `encode`."""
        problem, state = self.initialise(inputs)
        for _ in range(num_segments or self.config.num_segments):
            state = self.segment(problem, state)
        return self.readout(problem, state)

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
        return torch.bernoulli(torch.full((num, self.config.dim, 1, 1), share, device=self.embed.weight.device)) / share

    # --- from a checkpoint to policies -------------------------------------------------------------------------------

    @classmethod
    def from_checkpoint(cls, payload: dict[str, Any], where: str) -> Navigator:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        config = ModelConfig.from_mapping(checkpoint.settings_of(payload, "model", where), where)
        model = cls(config)
        model.is_cost_aware = bool(payload["config"].get("knows_costs"))
        model.diagonals = DiagonalRule(**payload["config"].get("diagonals", {}))
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Navigator:
        """The navigator of a checkpoint folder; raise `InputError` when it contains none."""
        path = Path(folder) / "navigator" / checkpoint.BEST
        return cls.from_checkpoint(checkpoint.load(path), str(path)).to(resolve_device(device))

    def policy(self, maps: Maps, max_steps: int | None = None) -> Policy:
        """The policy of each map, after the recursion halts or after `max_steps` (default: by the map's size).

        A map halts when a whole segment changes none of its decisions. Raises `InputError` for maps of a different
        connectivity, and for a shape that the core does not accept.
        """
        limit = math.ceil((max_steps or self.default_steps(*maps.shape)) / self.steps_per_segment)
        return Policy.concatenate([self._policy_until_halt(part, max(limit, 1)) for part in self._chunks(maps)])

    def policies_by_step(self, maps: Maps, steps: Sequence[int], is_held: bool = True) -> Iterator[tuple[int, Policy]]:
        """Pairs (steps, policies) for each number in `steps`, rounded up to whole segments; one pass without halting.

        Without `is_held` each cell has the readout of the last segment instead of its surest one, see `update_held`.
        """
        wanted = sorted({max(1, math.ceil(number / self.steps_per_segment)) for number in steps})
        parts = [self._snapshots(part, wanted, is_held) for part in self._chunks(maps)]
        for place, number in enumerate(wanted):
            yield number * self.steps_per_segment, Policy.concatenate([part[place] for part in parts])

    def default_steps(self, height: int, width: int) -> int:
        """Number of steps that carries a signal along the longest possible shortest path of a map."""
        # The longest shortest path is that of a winding corridor, which together with its walls fills the map: h·w / 2
        # cells. Training demands 3/4 of the core's reach as cells per step (`ObjectiveConfig.horizon`).
        if not self.core.reach:
            return 4 * self.trained_steps
        return max(4 * self.trained_steps, math.ceil(height * width / 2 / (0.75 * self.core.reach)))

    def _chunks(self, maps: Maps) -> Iterator[Maps]:
        learnt = self.config.connectivity
        if maps.connectivity != learnt:
            raise InputError(
                f"maps: {maps.connectivity}-connected, but the checkpoint has {learnt} actions; train one with data of "
                f"connectivity {maps.connectivity}"
            )
        if maps.rule != self.rule:
            raise InputError(f"maps: {maps.rule}, but the checkpoint is {self.rule}; train one with data of that rule")
        device = self.embed.weight.device.type
        size = max(1, CHUNK_CELLS.get(device, 2**15) // (maps.shape[0] * maps.shape[1]))
        for first in range(0, len(maps), size):
            yield maps[first : first + size]

    @torch.inference_mode()
    def _snapshots(self, maps: Maps, segments: list[int], is_held: bool) -> list[Policy]:
        recursion, found = Recursion(self, maps, is_held), []
        for number in range(1, max(segments) + 1):
            recursion.advance()
            if number in segments:
                found.append(recursion.policy(torch.arange(len(maps))))
        return found

    @torch.inference_mode()
    def _policy_until_halt(self, maps: Maps, max_segments: int) -> Policy:
        recursion, rows = Recursion(self, maps), np.arange(len(maps))
        places, finished = [], []
        is_large = maps.shape[0] * maps.shape[1] >= LARGE_CELLS
        for number in counted(range(1, max_segments + 1), max_segments, "recursion, at most", "segment", show=is_large):
            halts = recursion.advance().cpu() | (number == max_segments)
            if halts.any():
                places.append(rows[halts.numpy()])
                finished.append(recursion.policy(halts))
                rows = rows[~halts.numpy()]
                recursion.select(~halts)
            if not len(rows):
                break
        order, whole = np.concatenate(places).argsort(), Policy.concatenate(finished)
        return Policy(*(getattr(whole, name)[order] for name in Policy.__dataclass_fields__))


@final
class Recursion:
    """A recursion on maps of one shape: its state, and the readout that each cell holds.

    Without `is_held` a cell's readout is always that of the last segment.
    """

    def __init__(self, navigator: Navigator, maps: Maps, is_held: bool = True) -> None:
        self.navigator, self.segments, self.is_held = navigator, 0, is_held
        self.problem, self.state = navigator.initialise(encode(maps).to(navigator.embed.weight.device))
        self.held: HeldReadout | None = None

    def advance(self) -> Float[Tensor, " b"]:
        """Compute one more segment; return the converged maps, bool (b,): it changed none of their decisions."""
        self.state = self.navigator.segment(self.problem, self.state)
        self.segments += 1
        readout = self.navigator.readout(self.problem, self.state)
        before = self.held
        self.held = update_held(before if self.is_held else None, readout, self.navigator.window)
        if before is None:
            return torch.zeros(len(readout.halting), dtype=torch.bool, device=readout.halting.device)
        was, now = (_decisions(held.readout, self.problem) for held in (before, self.held))
        return (was == now).flatten(1).all(1)

    def select(self, rows: Tensor) -> None:
        """Continue with the maps `rows` only, an index or bool tensor (b,)."""
        assert self.held is not None
        rows = rows.to(self.problem.free.device)
        self.problem, self.state = self.problem.select(rows), LatentState(self.state.y[rows], self.state.z[rows])
        self.held = HeldReadout(Readout(*(part[rows] for part in self.held.readout)), self.held.age[rows])

    def policy(self, rows: Tensor) -> Policy:
        """The current policies of the maps `rows`, an index or bool tensor (b,)."""
        assert self.held is not None
        selected = Readout(*(part[rows.to(part.device)] for part in self.held.readout))
        steps = np.full(len(selected.halting), self.segments * self.navigator.steps_per_segment, np.int32)
        return to_policy(selected, steps, self.navigator.config.output)


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


def action_probabilities(logits: Float[Tensor, "b a h w"], output: str) -> Float[Tensor, "b a h w"]:
    """Probabilities of actions: independent (sigmoid), or summing to 1 (softmax; stablemax, Prieto et al. 2025)."""
    if output == "sigmoid":
        return logits.sigmoid()
    if output == "softmax":
        return logits.softmax(1)
    # stablemax: s(x_a) / Σ s(x), with s(x) = x + 1 for x ≥ 0 and 1 / (1 − x) below in place of exp, which overflows.
    positive = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    return positive / positive.sum(1, keepdim=True)


def to_policy(readout: Readout, steps: NDArray[np.int32], output: str) -> Policy:
    """A readout as probabilities in numpy; `steps` int32 (b,): recursion steps used."""
    probabilities = action_probabilities(readout.actions.float(), output).cpu().numpy()
    return Policy(
        actions=probabilities.argmax(1).astype(np.int8),
        probabilities=probabilities,
        confidence=probabilities.max(1),
        reachable=readout.reach.float().sigmoid().cpu().numpy(),
        cost_to_go=readout.cost.float().expm1().clamp(min=0).cpu().numpy(),
        halting=readout.halting.float().sigmoid().cpu().numpy(),
        steps=steps,
    )
