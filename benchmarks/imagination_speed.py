"""Imagined clips per CPU-second, beside the simulator that would make them.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive python benchmarks/imagination_speed.py [--preset quick base] [--clips 64]

A rollout is 11 steps after 5 observed ones. `whole` encodes frames, sound and touch first; `rollout` starts from a
state of the world; `simulator` is the mechanics of a clip of 16 steps, without pictures and sound. Random weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from nsmodels.datasets.impacts.config import quick
from nsmodels.datasets.impacts.generation import scenes_of
from nsmodels.datasets.impacts.labels.outcomes import states_of
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.formats.clips.names import ACTION, PROPRIO, STATES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.model import WorldModel

STEPS, CONTEXT = 16, 5


def random_clips(num: int) -> Clips:
    """Clips of noise: their content does not change the time."""
    random = np.random.default_rng(0)
    return Clips(
        ids=np.arange(num).astype(str),
        observed=np.ones((num, 3), bool),
        video=random.integers(0, 256, (num, STEPS, 64, 64, 3), dtype=np.uint8),
        audio=random.normal(0, 0.1, (num, 16_000)).astype(np.float16),
        proprio=random.normal(size=(num, STEPS, len(PROPRIO))).astype(np.float32),
        actions=random.normal(size=(num, STEPS, len(ACTION))).astype(np.float32),
        states=random.normal(size=(num, STEPS, len(STATES))).astype(np.float32),
    )


def rate(work: Callable[[], object], num: int, repeats: int = 3) -> float:
    """Clips per CPU-second, the best of some runs after one that is not counted."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return num / min(found)


def measure(preset: str, num: int) -> tuple[float, float]:
    """Clips per CPU-second: encoded and imagined, and imagined from states."""
    model, clips = WorldModel.untrained(preset), random_clips(num)
    assert clips.actions is not None
    ahead = torch.from_numpy(clips.actions[:, CONTEXT:])
    start = torch.randn(num, model.network.state_dim)
    with torch.inference_mode():
        rollout = rate(lambda: model.network.dynamics.imagine(start, ahead), num)
    return rate(lambda: model.imagine(clips, CONTEXT, STEPS - CONTEXT), num), rollout


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", nargs="+", default=["quick", "base"], help="presets of the world model")
    parser.add_argument("--clips", type=int, default=64, help="clips at a time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    scenes = scenes_of(quick(), "test", np.arange(arguments.clips))
    print(f"simulator: {rate(lambda: states_of(simulate(scenes)), arguments.clips):,.0f} clips per CPU-second")
    for preset in arguments.preset:
        whole, rollout = measure(preset, arguments.clips)
        print(f"{preset}: whole {whole:,.0f}, rollout {rollout:,.0f} clips per CPU-second")


if __name__ == "__main__":
    main()
