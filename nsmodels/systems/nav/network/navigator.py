"""The navigator: a recursive network whose output is the policy of all cells of a map.

Shapes: b maps, c input channels, h rows, w columns; n maps in numpy.

A recursion applies one update with the same weights again and again; a segment is a fixed number of such steps. Weight
sharing makes the number of segments free: it is a constant in training and grows with the map at inference. Deep
supervision: every segment has a loss of its own, and the state is detached between segments, so that memory and
gradient paths are those of one segment, however many follow.

Two families differ in the state: values that count (`values`), and latent vectors (`latents`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.core.progress import counted
from nsmodels.datasets.mazes.actions import OCTILE, rule_of
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.readout import Policy, Readout, to_policy

CHUNK_CELLS = {"cpu": 2**15, "cuda": 2**21}  # cells per batch, for the CPU's caches and the GPU's memory
LARGE_CELLS = 128 * 128  # from this size on a recursion takes long enough for a progress bar


class Navigator(nn.Module, ABC):
    """A recursive network over the cells of a map; see above.

    Attributes:
        reach: largest distance in cells over which a step carries information; 0: the whole map.
        is_holding: whether cells hold their surest readout, instead of the last.
        is_counting: whether after k steps each cell has the exact cost of its best path of at most k moves.
    """

    reach: int
    is_holding: bool
    is_counting: bool

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.is_cost_aware = True  # whether the training data contained cells that cost more than 1
        self.diagonals = OCTILE  # the rule of diagonal moves in the training data
        self.largest_cost: int | None = None  # of a cell in the training data; None: unknown
        self.largest_side: int | None = None  # of a map in the training data; None: unknown

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    @property
    def rule(self) -> str:
        """Legal moves in words, as `Maps.rule`."""
        return rule_of(self.config.connectivity, self.diagonals)

    @property
    def steps_per_segment(self) -> int:
        """Number of steps in a segment, T (n + 1)."""
        return self.config.num_cycles * (self.config.num_inner + 1)

    @property
    def trained_steps(self) -> int:
        """Number of steps in the supervised segments of training."""
        return self.config.num_segments * self.steps_per_segment

    def accepts(self, shape: tuple[int, int]) -> bool:
        """Whether the network takes maps of this shape."""
        return self.config.core != "mixer" or shape == (self.config.height, self.config.width)

    def cautions(self, maps: Maps) -> list[str]:
        """What distinguishes `maps` from those in training and may cost accuracy, a line each."""
        found, known, side = [], self.largest_cost, self.largest_side
        cost = 1 if maps.cost is None else int(maps.cost.max(initial=1, where=maps.free))
        if known is not None and cost > known:
            found.append(f"cells cost up to {cost}, but up to {known} in the training data")
        if side and not self.is_counting and max(maps.shape) > side:
            found.append(
                f"maps of {maps.shape[0]}x{maps.shape[1]}, but sides of up to {side} in the training data: latents "
                "lose accuracy on larger maps; core=value does not"
            )
        return found

    def forward(self, inputs: Float[Tensor, "b c h w"], num_segments: int | None = None) -> Readout:
        """The readout after `num_segments` (default: as in training); `inputs` as made by `encode`."""
        problem, state = self.initialise(inputs)
        for _ in range(num_segments or self.config.num_segments):
            state = self.segment(problem, state)
        return self.readout(problem, state)

    @abstractmethod
    def initialise(self, inputs: Float[Tensor, "b c h w"]) -> tuple[Any, Any]:
        """The constants of the recursion, and its first state."""

    @abstractmethod
    def segment(self, problem: Any, state: Any, mask: Tensor | None = None) -> Any:
        """The state after one more segment; `mask` as of `dropout_mask`."""

    @abstractmethod
    def readout(self, problem: Any, state: Any) -> Readout:
        """The outputs of a state."""

    @abstractmethod
    def recursion(self, maps: Maps, is_held: bool = True) -> Recursion:
        """A recursion on `maps`; `is_held`: whether a holding network does so."""

    @abstractmethod
    def default_steps(self, height: int, width: int) -> int:
        """Largest number of steps that a map of this size can need."""

    @abstractmethod
    def validation_steps(self) -> int | None:
        """Limit of the steps of a validation; None: as of a plan."""

    def dropout_mask(self, num: int) -> Float[Tensor, "b d 1 1"] | None:
        """Dropout mask for a whole recursion of `num` maps; None without dropout."""
        return None

    def policy(self, maps: Maps, max_steps: int | None = None) -> Policy:
        """The policy of each map, when it is final or after `max_steps` (default: by the map's size).

        A policy is final when no information can still arrive: see `Recursion.advance`. Raises `InputError` for maps
        of a different connectivity, and for a shape that the core does not accept.
        """
        limit = math.ceil((max_steps or self.default_steps(*maps.shape)) / self.steps_per_segment)
        return Policy.concatenate([self._policy_until_final(part, max(limit, 1)) for part in self._chunks(maps)])

    def policies_by_step(self, maps: Maps, steps: Sequence[int], is_held: bool = True) -> Iterator[tuple[int, Policy]]:
        """Pairs (steps, policies) for each number in `steps`, rounded up to whole segments; one pass without halting.

        `is_held` as for `recursion`.
        """
        wanted = sorted({max(1, math.ceil(number / self.steps_per_segment)) for number in steps})
        parts = [self._snapshots(part, wanted, is_held) for part in self._chunks(maps)]
        for place, number in enumerate(wanted):
            yield number * self.steps_per_segment, Policy.concatenate([part[place] for part in parts])

    def _chunks(self, maps: Maps) -> Iterator[Maps]:
        learnt = self.config.connectivity
        if maps.connectivity != learnt:
            raise InputError(
                f"maps: {maps.connectivity}-connected, but the checkpoint has {learnt} actions; train one with data of "
                f"connectivity {maps.connectivity}"
            )
        if maps.rule != self.rule:
            raise InputError(f"maps: {maps.rule}, but the checkpoint is {self.rule}; train one with data of that rule")
        size = max(1, CHUNK_CELLS.get(self.device.type, 2**15) // (maps.shape[0] * maps.shape[1]))
        for first in range(0, len(maps), size):
            yield maps[first : first + size]

    @torch.inference_mode()
    def _snapshots(self, maps: Maps, segments: list[int], is_held: bool) -> list[Policy]:
        recursion, found = self.recursion(maps, is_held), []
        is_final = torch.zeros(len(maps), dtype=torch.bool)
        for number in range(1, max(segments) + 1):
            is_final = is_final | recursion.advance().cpu()
            if number in segments:
                found.append(recursion.policy(torch.arange(len(maps)), is_final))
        return found

    @torch.inference_mode()
    def _policy_until_final(self, maps: Maps, max_segments: int) -> Policy:
        recursion, rows = self.recursion(maps), np.arange(len(maps))
        places, finished = [], []
        is_large = maps.shape[0] * maps.shape[1] >= LARGE_CELLS
        for number in counted(range(1, max_segments + 1), max_segments, "recursion, at most", "segment", show=is_large):
            is_final = recursion.advance().cpu()
            ends = is_final | (number == max_segments)
            if ends.any():
                places.append(rows[ends.numpy()])
                finished.append(recursion.policy(ends, is_final))
                rows = rows[~ends.numpy()]
                recursion.select(~ends)
            if not len(rows):
                break
        return Policy.concatenate(finished).select(np.concatenate(places).argsort())


class Recursion(ABC):
    """A recursion on maps of one shape: its state after so many `segments`."""

    def __init__(self, navigator: Navigator) -> None:
        self.navigator, self.segments = navigator, 0

    @abstractmethod
    def advance(self) -> Bool[Tensor, " b"]:
        """Compute one more segment; return the maps, bool (b,), whose policy is final.

        That is so when no information can still arrive: nothing that any cell has still to receive is changing.
        """

    @abstractmethod
    def select(self, rows: Tensor) -> None:
        """Continue with the maps `rows` only, an index or bool tensor (b,)."""

    @abstractmethod
    def _readout(self, rows: Tensor) -> Readout:
        """The current readout of the maps `rows`, an index or bool tensor (b,)."""

    def policy(self, rows: Tensor, is_final: Bool[Tensor, " b"]) -> Policy:
        """The current policies of the maps `rows`, an index or bool tensor (b,); `is_final`: of all maps."""
        readout = self._readout(rows)
        steps = np.full(len(readout.halting), self.segments * self.navigator.steps_per_segment, np.int32)
        return to_policy(readout, steps, is_final[rows].numpy(), self.navigator.config.output)
