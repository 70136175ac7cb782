"""Questions made and programs executed per second, on one core.

    python benchmarks/question_speed.py [--scenes 500]

For comparison: the generator that was published with CLEVR makes 16–44 questions per second.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from nsmodels.datasets.clevr.questions.executor import compile, execute
from nsmodels.datasets.clevr.questions.generation import generate
from nsmodels.datasets.clevr.rendering.scenes import relationships
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES

REPEATS = 10


def random_scene(index: int) -> dict:
    """Attributes and places at random; images, and so visibility, do not matter here."""
    rng = np.random.default_rng(index)
    coords = rng.uniform(-3, 3, (rng.integers(3, 11), 3))
    objects = [
        {name: str(rng.choice(values)) for name, values in ATTRIBUTES.items()} | {"3d_coords": list(place)}
        for place in coords
    ]
    found = relationships(coords)
    return {"image_index": index, "objects": objects, "relationships": found, "image_filename": f"{index}.png"}


def main() -> None:
    parser = argparse.ArgumentParser(description="questions and executions per second")
    parser.add_argument("--scenes", type=int, default=500, help="how many scenes, ten questions each")
    scenes = [random_scene(index) for index in range(parser.parse_args().scenes)]
    start = time.process_time()
    questions = generate(scenes, per_scene=10)
    spent = time.process_time() - start
    print(f"{len(questions)} questions on {len(scenes)} scenes: {len(questions) / spent:,.0f} questions per CPU second")

    compiled = [compile(scene) for scene in scenes]
    start = time.process_time()
    for _ in range(REPEATS):
        for question in questions:
            execute(question["program"], compiled[question["image_index"]])
    spent = time.process_time() - start
    print(f"{REPEATS * len(questions)} executions: {REPEATS * len(questions) / spent:,.0f} per CPU second")


if __name__ == "__main__":
    main()
