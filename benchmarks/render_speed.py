"""Milliseconds per CLEVR image on one core, beside the numpy prototype that the compiled caster replaces.

python benchmarks/render_speed.py [--scenes 20]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nsmodels.datasets.clevr.rendering.render import render, render_split
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator

# Measured on the same kind of core with the prototype of about 200 lines of numpy.
NUMPY_PROTOTYPE = {(128, 96): (35, 43), (320, 240): (190, 225)}
SIZES = ((128, 96), (192, 128), (320, 240), (480, 320))


def milliseconds(width: int, height: int, scenes: int) -> tuple[float, float]:
    """CPU milliseconds to sample a scene, and to render it."""
    start = time.process_time()
    made = [sample_scene(scene_generator(0, "speed", i), "speed", i, width, height) for i in range(scenes)]
    sampled = time.process_time()
    for scene, camera, lamps in made:
        render(scene, camera, lamps, width, height)
    return (sampled - start) / scenes * 1e3, (time.process_time() - sampled) / scenes * 1e3


def split_milliseconds(width: int, height: int, scenes: int) -> float:
    """CPU milliseconds per scene of a whole split: sampling, rendering and PNG files."""
    with TemporaryDirectory() as folder:
        start = time.process_time()
        render_split(Path(folder), "speed", scenes, 0, width, height, workers=1, progress=False)
        return (time.process_time() - start) / scenes * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=20)
    scenes = parser.parse_args().scenes
    start = time.perf_counter()
    milliseconds(16, 16, 1)
    print(f"first call, compiling unless cached: {time.perf_counter() - start:.1f} s\n")
    print("| size | sample ms | render ms | with PNG ms | numpy prototype ms | times faster |\n|" + " --- |" * 6)
    for width, height in SIZES:
        sample, cast = milliseconds(width, height, scenes)
        whole = split_milliseconds(width, height, scenes)
        known = NUMPY_PROTOTYPE.get((width, height))
        peer, ratio = (f"{known[0]}–{known[1]}", f"{np.mean(known) / cast:.1f}") if known else ("–", "–")
        print(f"| {width}x{height} | {sample:.1f} | {cast:.1f} | {whole:.1f} | {peer} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
