"""Simulated clips per CPU-second on one core, part by part, with and without pictures and twins.

    OMP_NUM_THREADS=1 python benchmarks/impacts_speed.py [--clips 512] [--repeats 3]

A clip is 16 pictures of 64x64, one second of sound, the hand's readings, exact states, properties and affordances. The
peer draws the same pictures without compilation of the rays, a few frames of it: numpy over all pixels at once, boxes
alone, no shadow. All figures are CPU time, the least of the repeats; a first call, which may compile, is not counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.impacts.config import ImpactsConfig
from nsmodels.datasets.impacts.generation import BLOCK, known_of, scenes_of, simulated
from nsmodels.datasets.impacts.labels.outcomes import outcomes_of, states_of
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.physics.touch import actions_of, feel
from nsmodels.datasets.impacts.rendering import camera
from nsmodels.datasets.impacts.rendering.render import render
from nsmodels.datasets.impacts.scenes import Motion, Scenes
from nsmodels.datasets.impacts.sound.levels import levels
from nsmodels.datasets.impacts.sound.synthesis import synthesize

PEER_FRAMES = 100
WITHOUT_PICTURES = ("draw scenes", "mechanics", "touch, actions, states", "outcomes", "sound")


def in_blocks(num: int, work: Callable[[slice], object]) -> float:
    """CPU seconds of `work` over `num` clips, in blocks as the generator makes them."""
    start = time.process_time()
    for first in range(0, num, BLOCK):
        work(slice(first, min(first + BLOCK, num)))
    return time.process_time() - start


def parts(num: int, seed: int) -> dict[str, float]:
    """CPU seconds of each part of `num` clips."""
    config = ImpactsConfig(seed=seed)
    scenes: dict[int, Scenes] = {}
    motions: dict[int, Motion] = {}

    def drawn(rows: slice) -> None:
        scenes[rows.start] = scenes_of(config, "train", np.arange(rows.start, rows.stop))

    def moved(rows: slice) -> None:
        motions[rows.start] = simulate(scenes[rows.start])

    def both(function: Callable[[Scenes, Motion], object]) -> Callable[[slice], object]:
        return lambda rows: function(scenes[rows.start], motions[rows.start])

    work: dict[str, Callable[[slice], object]] = {
        "draw scenes": drawn,
        "mechanics": moved,
        "touch, actions, states": both(lambda one, motion: (feel(one, motion), actions_of(one), states_of(motion))),
        "outcomes": both(outcomes_of),
        "of these, sound levels": both(levels),
        "sound": both(synthesize),
        "properties, affordances": lambda rows: known_of(scenes[rows.start].objects),
        "pictures": both(render),
    }
    return {name: in_blocks(num, function) for name, function in work.items()}


def whole(num: int, seed: int, twins: int) -> float:
    """CPU seconds of clips with everything, and this many twins of each."""
    config = ImpactsConfig(seed=seed, twins_per_clip=twins)
    return in_blocks(num, lambda rows: simulated(config, "train", np.arange(rows.start, rows.stop)))


def numpy_boxes(half: NDArray, place: NDArray, turn: NDArray) -> NDArray:
    """One picture of a box by numpy: nearest face of every pixel, its cosine to the light; float64 (64, 64)."""
    offsets = (np.arange(camera.SIDE) + 0.5 - camera.SIDE / 2) / camera.FOCAL
    right, up, forward = (np.array(axis) for axis in (camera.RIGHT, camera.UP, camera.FORWARD))
    rays = forward + offsets[None, :, None] * right - offsets[:, None, None] * up
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True) @ turn
    origin = (np.array(camera.EYE) - place) @ turn
    with np.errstate(divide="ignore"):
        first, second = (-half - origin) / rays, (half - origin) / rays
    enter, leave = np.minimum(first, second).max(axis=-1), np.maximum(first, second).min(axis=-1)
    face = np.minimum(first, second).argmax(axis=-1)
    normal = -np.sign(np.take_along_axis(rays, face[..., None], axis=-1))[..., 0] * turn[2][face]
    return np.where((enter < leave) & (leave > 0), 0.4 + 0.6 * np.maximum(normal, 0), 0.2)


def peer(num: int, seed: int) -> float:
    """CPU seconds of a picture of a box by numpy."""
    scenes = scenes_of(ImpactsConfig(seed=seed), "train", np.arange(num))
    motion = simulate(scenes)
    start = time.process_time()
    for i in range(num):
        numpy_boxes(scenes.objects.extents[i] / 2, motion.position[i, -1], motion.rotation[i, -1])
    return (time.process_time() - start) / num


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    num = arguments.clips
    parts(BLOCK, 1)
    whole(BLOCK, 1, 1)
    runs = [parts(num, seed) for seed in range(arguments.repeats)]
    least = {name: min(run[name] for run in runs) for name in runs[0]}
    print("| part | ms per clip |\n| --- | ---: |")
    print("".join(f"| {name} | {1e3 * seconds / num:.2f} |\n" for name, seconds in least.items()), end="")
    dark = sum(least[name] for name in WITHOUT_PICTURES)
    print("\n| clips of one core | per CPU-second |\n| --- | ---: |")
    print(f"| sound, touch and states, no pictures | {num / dark:.0f} |")
    for twins in (0, 4):
        seconds = min(whole(num, seed, twins) for seed in range(arguments.repeats))
        print(f"| everything, {twins} twins of each | {num / seconds:.1f} |")
    alone = peer(PEER_FRAMES, 0)
    frame = least["pictures"] / num / 16
    print(f"\na picture: {1e3 * frame:.2f} ms; a box by numpy, no shadow: {1e3 * alone:.2f} ms")


if __name__ == "__main__":
    main()
