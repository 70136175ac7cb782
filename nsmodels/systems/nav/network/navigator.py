"""The navigator: one forward pass gives the policy of all cells of a map.

Shapes: b maps, c input channels, d latent channels, a actions, h rows, w columns; n maps in numpy.
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
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.cores import make_core
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS, encode

CHUNK_CELLS = {"cpu": 2**15, "cuda": 2**21}  # cells thought about at once: the CPU's caches, the GPU's memory
LARGE_CELLS = 128 * 128  # thinking about a map as large takes long enough to be shown
BELIEVED = 0.5


class Answer(NamedTuple):
    """What the network says after a segment, as logits; cost as log(1 + cost-to-go)."""

    actions: Float[Tensor, "b a h w"]
    reach: Float[Tensor, "b h w"]
    cost: Float[Tensor, "b h w"]
    halting: Float[Tensor, " b"]


class Problem(NamedTuple):
    """What stays the same during a recursion: the embedded input, where one may stand, where the goal is."""

    given: Float[Tensor, "b d h w"]
    free: Float[Tensor, "b 1 h w"]
    goal: Float[Tensor, "b h w"]

    def chosen(self, rows: Tensor) -> Problem:
        """Some of the maps."""
        return Problem(self.given[rows], self.free[rows], self.goal[rows])


class Thought(NamedTuple):
    """Where the recursion stands: the latent answer y and the latent reasoning z."""

    y: Float[Tensor, "b d h w"]
    z: Float[Tensor, "b d h w"]


@dataclass(frozen=True)
class Policy:
    """What to do in every cell of n maps of one shape.

    Attributes:
        actions: int8 (n, h, w), the most probable action.
        probabilities: float32 (n, a, h, w), that the action begins an optimal path.
        confidence: float32 (n, h, w), the probability of the action taken.
        reachable: float32 (n, h, w), probability that a way leads to the goal.
        cost_to_go: float32 (n, h, w), predicted cost of the shortest one.
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
        """The perfect policy, lowest action first among equals."""
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
    def joined(cls, parts: Sequence[Policy]) -> Policy:
        """The policies of several lots of maps, in order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


@final
class Navigator(nn.Module):
    """A tiny recursive model (Jolicoeur-Martineau 2025) over the cells of a map.

    One core, the same weights at every step, updates a latent reasoning z from the input and both latents, n times,
    then the latent answer y; T such cycles are a segment, after which y is read out.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.knows_costs = True  # a checkpoint knows whether it has ever seen cells that cost more than 1
        self.embed = nn.Conv2d(NUM_CHANNELS, config.dim, 3, padding=1)
        self.core = make_core(config)
        self.first_y = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.first_z = nn.Parameter(torch.randn(config.dim, 1, 1) / 2)
        self.read = nn.Conv2d(config.dim, config.connectivity + 3, 1)
        nn.init.zeros_(self.read.weight)

    @property
    def num_parameters(self) -> int:
        """Trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def steps_per_segment(self) -> int:
        """Updates by the core in a segment."""
        return self.config.num_cycles * (self.config.num_inner + 1)

    @property
    def trained_steps(self) -> int:
        """Updates in the supervised segments of training."""
        return self.config.num_segments * self.steps_per_segment

    @property
    def window(self) -> int:
        """Segments for which a cell may change its answer, from the first word of the goal; 0: no end.

        Half of those in training: as long as a cell was seen there on average after word had come.
        """
        return max(1, self.config.num_segments // 2) if self.core.reach else 0

    def forward(self, inputs: Float[Tensor, "b c h w"], num_segments: int | None = None) -> Answer:
        """The answer after `num_segments` (default: as in training)."""
        problem, thought = self.begin(inputs)
        for _ in range(num_segments or self.config.num_segments):
            thought = self.segment(problem, thought)
        return self.answer(problem, thought)

    def begin(self, inputs: Float[Tensor, "b c h w"]) -> tuple[Problem, Thought]:
        """The problem, and the first thought of it."""
        free = inputs[:, :1]
        problem = Problem(self.embed(inputs) * free, free, inputs[:, 1])
        return problem, Thought(self.first_y * free, self.first_z * free)

    def segment(self, problem: Problem, thought: Thought, keep: Tensor | None = None) -> Thought:
        """T cycles; the gradient flows through all of them, or through the last alone."""
        for cycle in range(self.config.num_cycles):
            is_taught = self.config.use_full_gradient or cycle == self.config.num_cycles - 1
            with torch.set_grad_enabled(torch.is_grad_enabled() and is_taught):
                thought = self._cycle(problem, thought, keep)
        return thought

    def _cycle(self, problem: Problem, thought: Thought, keep: Tensor | None) -> Thought:
        (given, free, _), (y, z) = problem, thought
        for _ in range(self.config.num_inner):
            z = self.core(given + y + z, free, keep)
        return Thought(self.core(y + z, free, keep), z)

    def answer(self, problem: Problem, thought: Thought) -> Answer:
        """Read the latent answer.

        The policy is right when no cell says that it is not: the halting logit is the least among the cells that
        believe in a way to the goal. (Where a signal is still on its way, the cells at its front speak up.)
        """
        read, a = self.read(thought.y), self.config.connectivity
        actions, reach, cost, settled = read[:, :a], read[:, a], read[:, a + 1], read[:, a + 2]
        is_asked = ((reach > 0) & (problem.free[:, 0] > 0)) | (problem.goal > 0)
        halting = settled.masked_fill(~is_asked, 30.0).flatten(1).amin(1)
        return Answer(actions, reach, cost, halting)

    def keep_channels(self, num: int) -> Float[Tensor, "b d 1 1"] | None:
        """A dropout mask for a whole recursion; None when nothing is dropped."""
        if not self.training or not self.config.dropout:
            return None
        share = 1 - self.config.dropout
        return torch.bernoulli(torch.full((num, self.config.dim, 1, 1), share, device=self.embed.weight.device)) / share

    # --- from a checkpoint to policies -------------------------------------------------------------------------------

    @classmethod
    def from_checkpoint(cls, payload: dict[str, Any], where: str) -> Navigator:
        """The network in a checkpoint, ready to be asked."""
        config = ModelConfig.from_mapping(checkpoint.settings_of(payload, "model", where), where)
        model = cls(config)
        model.knows_costs = bool(payload["config"].get("knows_costs"))
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Navigator:
        """The navigator of a checkpoint folder made by training; `InputError` when there is none."""
        path = Path(folder) / "navigator" / checkpoint.BEST
        return cls.from_checkpoint(checkpoint.load(path), str(path)).to(resolve_device(device))

    def policy(self, maps: Maps, max_steps: int | None = None) -> Policy:
        """The policy of each map, thought out until it halts or `max_steps` are used (default: by the map's size).

        A map halts when a whole segment has changed none of its decisions.
        """
        limit = math.ceil((max_steps or self.default_steps(*maps.shape)) / self.steps_per_segment)
        return Policy.joined([self._halted(part, max(limit, 1)) for part in self._chunks(maps)])

    def policies_by_step(self, maps: Maps, steps: Sequence[int], is_held: bool = True) -> Iterator[tuple[int, Policy]]:
        """The policies after so many steps each (rounded up to whole segments), in one pass, without halting.

        Without `is_held` they are what the recursion says after that segment, not the answers that cells hold.
        """
        wanted = sorted({max(1, math.ceil(number / self.steps_per_segment)) for number in steps})
        parts = [self._snapshots(part, wanted, is_held) for part in self._chunks(maps)]
        for place, number in enumerate(wanted):
            yield number * self.steps_per_segment, Policy.joined([part[place] for part in parts])

    def default_steps(self, height: int, width: int) -> int:
        """Enough steps for a signal to walk the longest shortest path there can be, at the pace learnt in training.

        A corridor fills half of the cells; three quarters of the core's reach is the pace that training demands.
        """
        if not self.core.reach:
            return 4 * self.trained_steps
        return max(4 * self.trained_steps, math.ceil(height * width / 2 / (0.75 * self.core.reach)))

    def _chunks(self, maps: Maps) -> Iterator[Maps]:
        if maps.connectivity != self.config.connectivity:
            raise InputError(
                f"maps: {maps.connectivity}-connected, but the checkpoint has learnt {self.config.connectivity} "
                "actions; train one with data of that connectivity"
            )
        device = self.embed.weight.device.type
        size = max(1, CHUNK_CELLS.get(device, 2**15) // (maps.shape[0] * maps.shape[1]))
        for first in range(0, len(maps), size):
            yield maps[first : first + size]

    @torch.inference_mode()
    def _snapshots(self, maps: Maps, segments: list[int], is_held: bool) -> list[Policy]:
        thinking, found = Thinking(self, maps, is_held), []
        for number in range(1, max(segments) + 1):
            thinking.go_on()
            if number in segments:
                found.append(thinking.policy(torch.arange(len(maps))))
        return found

    @torch.inference_mode()
    def _halted(self, maps: Maps, max_segments: int) -> Policy:
        thinking, rows = Thinking(self, maps), np.arange(len(maps))
        places, finished = [], []
        is_large = maps.shape[0] * maps.shape[1] >= LARGE_CELLS
        for number in counted(range(1, max_segments + 1), max_segments, "thinking, at most", "segment", show=is_large):
            halts = thinking.go_on().cpu() | (number == max_segments)
            if halts.any():
                places.append(rows[halts.numpy()])
                finished.append(thinking.policy(halts))
                rows = rows[~halts.numpy()]
                thinking.keep(~halts)
            if not len(rows):
                break
        order, whole = np.concatenate(places).argsort(), Policy.joined(finished)
        return Policy(*(getattr(whole, name)[order] for name in Policy.__dataclass_fields__))


@final
class Thinking:
    """A recursion under way on maps of one shape: where it stands, and the answer that each cell holds.

    Without `is_held` a cell's answer is always that of the last segment.
    """

    def __init__(self, navigator: Navigator, maps: Maps, is_held: bool = True) -> None:
        self.navigator, self.segments, self.is_held = navigator, 0, is_held
        self.problem, self.thought = navigator.begin(encode(maps).to(navigator.embed.weight.device))
        self.held: Held | None = None

    def go_on(self) -> Float[Tensor, " b"]:
        """Think for one more segment; returns which maps have settled: it has changed none of their decisions."""
        self.thought = self.navigator.segment(self.problem, self.thought)
        self.segments += 1
        answer = self.navigator.answer(self.problem, self.thought)
        before = self.held
        self.held = hold(before if self.is_held else None, answer, self.navigator.window)
        if before is None:
            return torch.zeros(len(answer.halting), dtype=torch.bool, device=answer.halting.device)
        was, now = (_decisions(held.answer, self.problem) for held in (before, self.held))
        return (was == now).flatten(1).all(1)

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the maps only."""
        assert self.held is not None
        rows = rows.to(self.problem.free.device)
        self.problem, self.thought = self.problem.chosen(rows), Thought(self.thought.y[rows], self.thought.z[rows])
        self.held = Held(Answer(*(part[rows] for part in self.held.answer)), self.held.age[rows])

    def policy(self, rows: Tensor) -> Policy:
        """The policies of some of the maps, as they stand."""
        assert self.held is not None
        chosen = Answer(*(part[rows.to(part.device)] for part in self.held.answer))
        steps = np.full(len(chosen.halting), self.segments * self.navigator.steps_per_segment, np.int32)
        return as_policy(chosen, steps, self.navigator.config.output)


class Held(NamedTuple):
    """The answer that each cell holds, and for how many segments (b, h, w) it has believed in a way to the goal."""

    answer: Answer
    age: Float[Tensor, "b h w"]


def hold(held: Held | None, answer: Answer, window: int) -> Held:
    """Take a cell's new answer when it is surer than the one held, while the cell may change its mind.

    It may for `window` segments, the one in which word of the goal came among them (0: for ever). What matters to the
    cell has come by then, and the many steps that a far corner of a large map still needs only wear the answer down.
    The halting logit is the last one.
    """
    if held is None:
        return Held(answer, (answer.reach > 0).to(answer.reach.dtype))
    is_surer = answer.actions.amax(1) > held.answer.actions.amax(1)
    if window:
        is_surer = is_surer & (held.age < window)
    actions = torch.where(is_surer[:, None], answer.actions, held.answer.actions)
    reach, cost = (torch.where(is_surer, one, other) for one, other in zip(answer[1:3], held.answer[1:3], strict=True))
    believes = (reach > 0) | (held.age > 0)
    return Held(Answer(actions, reach, cost, answer.halting), held.age + believes.to(held.age.dtype))


def _decisions(answer: Answer, problem: Problem) -> Float[Tensor, "b h w"]:
    """What a map has decided so far: an action where a way is believed in, else -1."""
    is_decided = (answer.reach > 0) & (problem.free[:, 0] > 0)
    return answer.actions.argmax(1).masked_fill(~is_decided, -1)


def shares(logits: Float[Tensor, "b a h w"], output: str) -> Float[Tensor, "b a h w"]:
    """Probabilities of actions: each by itself (sigmoid), or sharing one (softmax; stablemax, Prieto et al. 2025)."""
    if output == "sigmoid":
        return logits.sigmoid()
    if output == "softmax":
        return logits.softmax(1)
    grown = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    return grown / grown.sum(1, keepdim=True)


def as_policy(answer: Answer, steps: NDArray[np.int32], output: str) -> Policy:
    """An answer in numpy, as probabilities."""
    probabilities = shares(answer.actions.float(), output).cpu().numpy()
    return Policy(
        actions=probabilities.argmax(1).astype(np.int8),
        probabilities=probabilities,
        confidence=probabilities.max(1),
        reachable=answer.reach.float().sigmoid().cpu().numpy(),
        cost_to_go=answer.cost.float().expm1().clamp(min=0).cpu().numpy(),
        halting=answer.halting.float().sigmoid().cpu().numpy(),
        steps=steps,
    )
