"""Speed of a training step of perception on this machine, on noise.

`python -m nsmodels.systems.visual.perception.speed` prints the images per second of a few steps of the preset `quick`,
in the faster of float32 and bfloat16.
"""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.session.optim import make_optimizer
from nsmodels.engine.session.precision import has_bfloat16
from nsmodels.layers.vision.augmentation import draw_augmentation
from nsmodels.systems.visual.config import PerceptionConfig, quick
from nsmodels.systems.visual.perception.network import Perception
from nsmodels.systems.visual.perception.task import (
    PerceptionBatch,
    Targets,
    batch_loss,
    targets_of,
)


class StepRate(NamedTuple):
    """Training images per second of wall time, and per second of processor time over all threads."""

    wall: float
    cpu: float


def step_rate(
    config: PerceptionConfig,
    batch_size: int = 32,
    num_steps: int = 5,
    memory_format: torch.memory_format = torch.channels_last,
    is_bf16: bool = False,
) -> StepRate:
    """Median rate of `num_steps` whole steps: augmentation, forward, loss, backward, AdamW; one more comes before."""
    model = Perception(config).to(memory_format=memory_format)  # pyright: ignore[reportCallIssue]
    optimizer = make_optimizer(model, TrainingConfig())
    rng, spent = np.random.default_rng(0), []
    pixels, targets = _images(config, batch_size, rng)
    for step in range(num_steps + 1):
        start, cpu_start = time.perf_counter(), time.process_time()
        batch = PerceptionBatch(pixels, targets, targets.points, draw_augmentation(batch_size, 1.0, rng), step)
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            loss, _ = batch_loss(model, batch, config.heat_sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent.append((time.perf_counter() - start, time.process_time() - cpu_start))
    wall, cpu = (statistics.median(times) for times in zip(*spent[1:], strict=True))
    return StepRate(batch_size / wall, batch_size / cpu)


def _images(config: PerceptionConfig, num: int, rng: np.random.Generator) -> tuple[UInt8[Tensor, "b h w 3"], Targets]:
    """Noise for images, and the targets of scenes as they are sampled."""
    shape = (config.image_width, config.image_height)
    scenes = [sample_scene(scene_generator(0, "train", i), "train", i, *shape)[0] for i in range(num)]
    targets = targets_of(scenes, np.tile(np.array(shape, np.float32), (num, 1)))
    return torch.from_numpy(rng.integers(0, 256, (num, shape[1], shape[0], 3), dtype=np.uint8)), targets


if __name__ == "__main__":
    types = [False, True] if has_bfloat16() else [False]
    print(max(step_rate(quick().perception, num_steps=2, is_bf16=is_bf16).wall for is_bf16 in types))
