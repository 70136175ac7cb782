"""Perception as an ONNX graph, from images to the arrays of a `Readout`."""

from __future__ import annotations

from pathlib import Path
from typing import final

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from nsmodels.layers import onnx_graphs
from nsmodels.systems.visual.perception.network import Perception, find_candidates
from nsmodels.systems.visual.perception.readout import INPUT, OUTPUTS


def export(perception: Perception, path: Path) -> Path:
    """Write the network to `path` (.onnx); raise `InputError` for a different suffix and for a missing package.

    The graph maps `images`, uint8 (b, h, w, 3) at the size of the network, to the arrays of `OUTPUTS`; b is free.
    """
    onnx_graphs.check(path)
    device, config = perception.mean.device, perception.config
    example = torch.zeros(2, config.image_height, config.image_width, 3, dtype=torch.uint8)
    try:
        with torch.inference_mode():
            onnx_graphs.write(_Reading(perception.cpu()), example, path, OUTPUTS, {0: torch.export.Dim("batch")}, INPUT)
    finally:
        perception.to(device)
    return path


@final
class _Reading(nn.Module):
    def __init__(self, perception: Perception) -> None:
        super().__init__()
        self.perception = perception

    def forward(self, images: UInt8[Tensor, "b h w 3"]) -> tuple[Tensor, ...]:
        return find_candidates(self.perception, images.permute(0, 3, 1, 2)).tensors()
