"""Export to ONNX: the network with a fixed number of segments, for runtimes without torch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.layers import onnx_graphs
from nsmodels.systems.nav.network.encoding import NUM_CHANNELS
from nsmodels.systems.nav.network.latents import LatentNavigator, update_held
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Readout, action_probabilities

INPUT = "inputs"
OUTPUTS = ("action_probabilities", "reachable", "cost_to_go", "halting")


class Exported(NamedTuple):
    """Result of an export: the file, the number of recursion steps in its graph, the map sizes that it accepts."""

    path: Path
    steps: int
    sizes: str


def export(
    navigator: Navigator, path: Path, max_steps: int | None = None, shape: tuple[int, int] | None = None
) -> Exported:
    """Write `navigator` to `path` (.onnx) with `max_steps` recursion steps (default: as trained), in whole segments.

    The graph maps `inputs`, float32 (b, 3, h, w) as made by `encode`, to `action_probabilities` (b, a, h, w),
    `reachable` (b, h, w), `cost_to_go` (b, h, w) and `halting` (b,). The batch is free; height and width are free with
    core=conv and fixed otherwise, to `shape` with core=attention.
    Raises InputError for a suffix other than .onnx, a missing package, and a core that needs a shape and has none.
    """
    onnx_graphs.check(path)
    height, width, is_fixed = _shape(navigator, shape)
    segments = max(1, -(-(max_steps or navigator.trained_steps) // navigator.steps_per_segment))
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
    return Exported(path, segments * navigator.steps_per_segment, sizes)


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
    """The network with probabilities and costs as outputs instead of logits."""

    def __init__(self, navigator: Navigator, num_segments: int) -> None:
        super().__init__()
        self.navigator, self.num_segments = navigator, num_segments

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        final = self._final(inputs)
        cost = final.cost.expm1().clamp(min=0)
        return (
            action_probabilities(final.actions, self.navigator.config.output),
            final.reach.sigmoid(),
            cost,
            final.halting.sigmoid(),
        )

    def _final(self, inputs: Float[Tensor, "b c h w"]) -> Readout:
        navigator = self.navigator
        if not isinstance(navigator, LatentNavigator):
            return navigator(inputs, self.num_segments)
        problem, state = navigator.initialise(inputs)
        held = None
        for _ in range(self.num_segments):
            state = navigator.segment(problem, state)
            held = update_held(held, navigator.readout(problem, state), navigator.window)
        assert held is not None
        return held.readout
