"""Export to ONNX, for runtimes without torch: the recursion is a loop in the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch._higher_order_ops.while_loop import while_loop

from nsmodels.core.errors import InputError
from nsmodels.layers import onnx_graphs
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS
from nsmodels.systems.nav.network.latents import HeldReadout, LatentNavigator, LatentState, update_held
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Readout, action_probabilities
from nsmodels.systems.nav.network.values import ValueNavigator, ValueState

INPUT = "inputs"
OUTPUTS = ("action_probabilities", "reachable", "cost_to_go", "halting")


class Exported(NamedTuple):
    """Result of an export: the file, the limit of recursion steps in its graph, the map sizes that it accepts."""

    path: Path
    steps: int | None
    sizes: str

    @property
    def about_steps(self) -> str:
        """The steps in words."""
        return f"{self.steps} recursion steps" if self.steps else "recursion until no value changes"


def export(
    navigator: Navigator, path: Path, max_steps: int | None = None, shape: tuple[int, int] | None = None
) -> Exported:
    """Write `navigator` to `path` (.onnx), with its recursion as a loop: many steps make no larger graph than few.

    The loop ends after `max_steps`, in whole segments; with core=value before that when no value changes (default:
    only then), with the other cores not (default: the steps of training). The graph maps `inputs`, float32 (b, 3, h, w)
    as made by `encode`, to `action_probabilities` (b, a, h, w), `reachable` (b, h, w), `cost_to_go` (b, h, w) and
    `halting` (b,). The batch is free; height and width are free with core=conv and core=value and fixed otherwise, to
    `shape` with core=attention.
    Raises InputError for a suffix other than .onnx, a missing package, and a core that needs a shape and has none.
    """
    onnx_graphs.check(path)
    height, width, is_fixed = _shape(navigator, shape)
    wanted = max_steps or (None if isinstance(navigator, ValueNavigator) else navigator.trained_steps)
    segments = None if wanted is None else max(1, -(-wanted // navigator.steps_per_segment))
    device = navigator.device
    graph = _ProbabilityNetwork(navigator.cpu(), segments)
    example = torch.zeros(2, NUM_CHANNELS, height, width)
    example[:, 0] = 1
    batch, rows, columns = (
        torch.export.Dim("batch"),
        torch.export.Dim("height", min=2),
        torch.export.Dim("width", min=2),
    )
    free = {0: batch} if is_fixed else {0: batch, 2: rows, 3: columns}
    try:
        onnx_graphs.write(graph, example, path, OUTPUTS, free, INPUT)
    finally:
        navigator.to(device)
    sizes = f"maps of {height}x{width} only" if is_fixed else "maps of any size"
    return Exported(path, None if segments is None else segments * navigator.steps_per_segment, sizes)


def _shape(navigator: Navigator, shape: tuple[int, int] | None) -> tuple[int, int, bool]:
    """Height and width of the example, and whether the graph accepts this shape only."""
    config = navigator.config
    if config.core == "attention" and shape is None:
        raise InputError("export: core=attention is exported for one map size; give --height and --width")
    only = (config.height, config.width) if config.core == "mixer" else (shape or (8, 8))
    if shape not in (None, only):
        raise InputError(f"export: this core=mixer takes maps of {only[0]}x{only[1]} only; leave out height and width")
    return only[0], only[1], config.core not in ("conv", "value")


@final
class _ProbabilityNetwork(nn.Module):
    """The network with probabilities and costs as outputs instead of logits, after `limit` segments (None: the end)."""

    def __init__(self, navigator: Navigator, limit: int | None) -> None:
        super().__init__()
        self.navigator, self.limit = navigator, limit

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        problem, state = self.navigator.initialise(inputs)
        problem = type(problem)(*(part.clone() for part in problem))  # a loop takes no two views of one tensor
        if isinstance(self.navigator, LatentNavigator):
            final = self._held(self.navigator, problem, state)
        else:
            final = self.navigator.readout(problem, self._last(problem, state))
        return (
            action_probabilities(final.actions, self.navigator.config.output),
            final.reach.sigmoid(),
            final.cost.expm1().clamp(min=0),
            final.halting.sigmoid(),
        )

    def _last(self, problem: Any, state: ValueState) -> ValueState:
        """The values when a segment changes none of them, or at the limit."""

        def is_going(number: Tensor, _: Tensor, is_changing: Tensor) -> Tensor:
            return is_changing.any() if self.limit is None else is_changing.any() & (number < self.limit)

        def advance(number: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
            return number + 1, *self.navigator.segment(problem, ValueState(*state))

        found = while_loop(is_going, advance, (torch.zeros((), dtype=torch.int64), *state))
        return ValueState(*found[1:])

    def _held(self, navigator: LatentNavigator, problem: Any, state: LatentState) -> Readout:
        """The readout that the cells hold at the limit."""

        def step(state: LatentState, held: HeldReadout | None) -> tuple[Tensor, ...]:
            state = navigator.segment(problem, state)
            held = update_held(held, navigator.readout(problem, state), navigator.window)
            # what a loop carries has the same strides before and after every turn
            return tuple(
                part.clone(memory_format=torch.contiguous_format) for part in (*state, *held.readout, held.age)
            )

        def advance(number: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:
            return number + 1, *step(LatentState(*parts[:2]), HeldReadout(Readout(*parts[2:6]), parts[6]))

        first = (torch.ones((), dtype=torch.int64), *step(state, None))
        found = while_loop(lambda number, *_: number < self.limit, advance, first)
        return Readout(*found[3:7])
