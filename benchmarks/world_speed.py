"""Pre-training of vision: SimCLR images per CPU-second at 64x64 pixels, beside the bare backbone, which is its limit.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive python benchmarks/world_speed.py [--preset quick base] [--steps 30]

An image has two views. `step` is a whole step of the training: frames read from a file, views, loss, gradients,
AdamW; `backbone` is a forward and a backward pass of the encoder on two views that are already there. The source
document's implementation made 14.5 images per CPU-second.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from nsmodels.core.orders import Inputs
from nsmodels.engine.loop import _step
from nsmodels.engine.processes.distributed import World
from nsmodels.engine.session.session import Session
from nsmodels.formats.clips import files
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.network.world import WorldNetwork

SOURCE = 14.5  # images per CPU-second of the implementation that the source document describes
SIDE = 64


def random_data(folder: Path, num: int) -> Path:
    """Splits of random frames, of 16 steps as everywhere."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        video = random.integers(0, 256, (num, 16, SIDE, SIDE, 3), dtype=np.uint8)
        observed = np.tile(np.array([True, False, False]), (num, 1))
        files.write(folder, split, Clips(np.array([f"{split}{k}" for k in range(num)]), observed, video))
    return folder


def session_of(preset: str, data: Path, folder: Path) -> Session:
    """A training of the phase that has not begun."""
    given = {"training.device": "cpu", "training.num_workers": 0}
    config = SYSTEM.stage("vision").presets[preset]().with_values(given)
    trial = SYSTEM.make_trial("vision", config, Inputs.of(data))
    return Session(trial.task, trial.training, folder, World(), torch.device("cpu"))


def measure(preset: str, steps: int, data: Path) -> tuple[float, float]:
    """Images per CPU-second of whole steps and of the bare backbone."""
    with TemporaryDirectory() as place:
        session = session_of(preset, data, Path(place))
        size, rates = session.config.batch_size, []
        session.set_training()
        for trial in (_whole_steps, _backbone_steps):
            trial(session, 2)
            started = time.process_time()
            trial(session, steps)
            rates.append(steps * size / (time.process_time() - started))
    return rates[0], rates[1]


def _whole_steps(session: Session, steps: int) -> None:
    num_batches, batches = session.train_batches(0, 0)
    for _, batch in zip(range(steps), batches, strict=False):
        _step(session, [batch], num_batches)


def _backbone_steps(session: Session, steps: int) -> None:
    images = torch.rand(2 * session.config.batch_size, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    network = session.model
    assert isinstance(network, WorldNetwork)
    for _ in range(steps):
        network.vision(images).latents.square().mean().backward()
        session.optimizer.zero_grad(set_to_none=True)


def main() -> None:
    """Print a line per preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", nargs="+", default=["quick", "base"])
    parser.add_argument("--steps", type=int, default=30)
    given = parser.parse_args()
    print(f"images per CPU-second at {SIDE} px, {torch.get_num_threads()} threads")
    print(f"{'preset':<8} {'step':>7} {'backbone':>9} {'step / backbone':>16} {f'step / {SOURCE}':>12}")
    with TemporaryDirectory() as place:
        data = random_data(Path(place), 64 * (given.steps + 1))
        for preset in given.preset:
            whole, bare = measure(preset, given.steps, data)
            print(f"{preset:<8} {whole:>7.0f} {bare:>9.0f} {whole / bare:>16.2f} {whole / SOURCE:>11.1f}x")


if __name__ == "__main__":
    main()
