"""Speed of perception on natural images: training images per CPU-second, and milliseconds to read an image.

Whole training steps (augmentation, network, losses, optimizer) of the preset `quick` on composed scenes. Beside them is
the bare backbone: forward and backward of it alone on the same images. Both alternate, so that other programs slow down
both.

    OMP_NUM_THREADS=1 python benchmarks/natural_speed.py [--data FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from nsmodels.datasets.gqa.files.format import write_graphs
from nsmodels.engine.session.optim import make_optimizer
from nsmodels.engine.task import Shard
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.words import vocabulary
from nsmodels.scenery.writing import write_split
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.perception.decoding import look
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.task import PerceptionTask
from nsmodels.systems.natural.presets import quick

NUM_IMAGES, ROUNDS = 96, 5


def compose(folder: Path) -> Path:
    """A GQA folder of composed scenes."""
    for split in ("train", "val"):
        write_graphs(folder, split, write_split(folder, split, NUM_IMAGES, ScenerySettings(), workers=1))
    vocabulary().write(folder)
    return folder


def measure(config: NaturalConfig, data: Path) -> dict[str, float]:
    """Images per CPU-second of a training step, of the bare backbone, and read one at a time; the best of rounds."""
    task = PerceptionTask(config, data)
    model: Any = task.build().train()
    optimizer = make_optimizer(model, config.training)
    batches = list(task.batches("train", 0, Shard()))[:ROUNDS]
    steps, bare = [], []
    for batch in batches:
        steps.append(len(batch.images) / seconds(partial(step, task, model, optimizer, batch)))
        bare.append(len(batch.images) / seconds(partial(backbone, model, batch)))
    model.eval()
    read = [1 / seconds(partial(look, model, task.images["val"].pixels[:1])) for _ in range(ROUNDS)]
    return {"training step": max(steps), "bare backbone": max(bare), "read, one at a time": max(read)}


def step(task: PerceptionTask, model: Perception, optimizer: torch.optim.Optimizer, batch: Any) -> None:
    """A whole training step."""
    loss, _ = task.loss(model, batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def backbone(model: Perception, batch: Any) -> None:
    """Forward and backward of the backbone alone."""
    maps = model.layout.maps(model.backbone, model.normalised(batch.images.permute(0, 3, 1, 2)))
    torch.stack([each.mean() for each in maps]).sum().backward()


def seconds(call: Callable[[], object]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--data", type=Path, help="folder of a GQA dataset [composed scenes]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        config = quick().with_values({"max_images": NUM_IMAGES, "max_val_images": NUM_IMAGES})
        found = measure(config, arguments.data or compose(Path(made)))
    for name, value in found.items():
        print(f"{name:<20} {value:7.1f} images per CPU-second")


if __name__ == "__main__":
    main()
