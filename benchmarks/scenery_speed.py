"""Composed scenes per CPU-second: composition, graph, picture with JPEG, edits, on one core.

OMP_NUM_THREADS=1 python benchmarks/scenery_speed.py [--scenes 1000] [--width 224] [--height 168]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.drawing import encode
from nsmodels.scenery.edits import edits


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU milliseconds of a composed scene, part by part")
    parser.add_argument("--scenes", type=int, default=1000, help="how many scenes")
    parser.add_argument("--width", type=int, default=224, help="of the image in pixels")
    parser.add_argument("--height", type=int, default=168, help="of the image in pixels")
    args = parser.parse_args()
    settings = ScenerySettings(width=args.width, height=args.height)
    scenes = measured("composition", lambda index: compose(0, "train", index, settings), range(args.scenes))
    measured("graph", lambda scene: scene.graph, scenes)
    files = measured("picture and JPEG", encode, scenes)
    found = measured("all edits", lambda scene: list(edits(scene, 0)), scenes[: args.scenes // 10])
    size, num_edits = sum(map(len, files)) / len(files), sum(map(len, found)) / len(found)
    print(f"{size / 1000:.1f} kB a file, {num_edits:.1f} edits a scene")


def measured(what: str, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Results for the items; prints the CPU time of one."""
    start = time.process_time()
    results = [function(item) for item in items]
    print(f"{what:<18}{1000 * (time.process_time() - start) / len(results):6.2f} CPU-ms")
    return results


if __name__ == "__main__":
    main()
