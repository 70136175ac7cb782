"""Speed of the visual reasoner: training images per CPU-second and end-to-end latency of one question.

The peer is the scripts this project replaces, measured on the same kind of processor with the same backbone:
2.5 training images per CPU-second (efficientnet_b0, 224 x 224, batch 32), 252 ms per image at batch 1 on one thread.

    python benchmarks/visual_speed.py [--checkpoint FOLDER --data FOLDER]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from nsmodels.datasets.clevr.files.format import image_path, read_questions, read_scenes
from nsmodels.systems.visual.config import PerceptionConfig, quick
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.perception.speed import step_rate

PEER_IMAGES_PER_CPU_SECOND = 2.5
PEER_LATENCY_MS = 252.0
BATCH, STEPS = 32, 5


def latency(checkpoint: Path, data: Path, num: int = 60) -> tuple[float, float]:
    """Median and 95th percentile, in ms of wall time, from the image file to the proved answer; one thread."""
    model = VisualReasoner.load(checkpoint, "cpu")
    scenes = {scene["image_index"]: scene for scene in read_scenes(data, "val")}
    times = []
    for question in read_questions(data, "val")[:num]:
        start = time.perf_counter()
        model.answer(image_path(data, "val", scenes[question["image_index"]]), question["question"])
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[5:]), float(np.percentile(times[5:], 95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="also measure latency with this checkpoint")
    parser.add_argument("--data", type=Path, help="CLEVR folder for the latency")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    b0 = PerceptionConfig(backbone="efficientnet_b0", image_width=224, image_height=224)
    small = quick().perception
    print(f"{'training, one thread':<44}{'images/CPU-s':>14}{'peer':>8}{'ratio':>8}")
    for name, config, is_bf16 in (
        ("efficientnet_b0, 224x224, fp32", b0, False),
        ("efficientnet_b0, 224x224, bf16 autocast", b0, True),
        (f"quick, {small.image_width}x{small.image_height}, fp32", small, False),
    ):
        rate = step_rate(config, BATCH, STEPS, is_bf16=is_bf16).cpu
        is_same = config is b0
        peer = f"{PEER_IMAGES_PER_CPU_SECOND:>8.1f}{rate / PEER_IMAGES_PER_CPU_SECOND:>7.1f}x" if is_same else ""
        print(f"{name:<44}{rate:>14.1f}{peer}", flush=True)
    if arguments.checkpoint and arguments.data:
        median, high = latency(arguments.checkpoint, arguments.data)
        print(f"latency, batch 1, one thread, proof included: {median:.1f} ms median, {high:.1f} ms at 95 %", end=" ")
        print(f"(peer {PEER_LATENCY_MS:.0f} ms, {PEER_LATENCY_MS / median:.0f}x)")


if __name__ == "__main__":
    main()
