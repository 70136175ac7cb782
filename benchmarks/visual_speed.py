"""Speed of the visual reasoner: training images per CPU-second and end-to-end latency of one question.

Beside each rate of whole training steps (augmentation, network, losses, optimizer) is that of the bare backbone:
forward, backward and optimizer of the backbone alone on images of the same size. Both alternate, so that other
programs slow down both.

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
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.session.optim import make_optimizer
from nsmodels.layers.vision.backbone import build_backbone
from nsmodels.systems.visual.config import PerceptionConfig, quick
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.perception.speed import step_rate

PEER_IMAGES_PER_CPU_SECOND = 2.5
PEER_LATENCY_MS = 252.0
BATCH, STEPS, ROUNDS = 32, 3, 3


def rates(config: PerceptionConfig, is_bf16: bool) -> tuple[float, float]:
    """Images per CPU-second of whole steps and of the bare backbone, the best of alternating rounds."""
    steps, bare = [], []
    for _ in range(ROUNDS):
        steps.append(step_rate(config, BATCH, STEPS, is_bf16=is_bf16).cpu)
        bare.append(backbone_rate(config, is_bf16))
    return max(steps), max(bare)


def backbone_rate(config: PerceptionConfig, is_bf16: bool) -> float:
    """Images per CPU-second of forward, backward and AdamW of the backbone alone, down to its last map."""
    backbone = build_backbone(config)[0].to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = make_optimizer(backbone, TrainingConfig())
    images = torch.randn(BATCH, 3, config.image_height, config.image_width).contiguous(
        memory_format=torch.channels_last
    )
    spent = []
    for _ in range(STEPS + 1):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            loss = backbone(images)[-1].float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent.append(time.process_time() - start)
    return BATCH / statistics.median(spent[1:])


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
    parser.add_argument("--quick", action="store_true", help="the preset `quick` only")
    parser.add_argument("--data", type=Path, help="CLEVR folder for the latency")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    b0 = PerceptionConfig(backbone="efficientnet_b0", image_width=224, image_height=224)
    small = quick().perception
    size = f"{small.image_width}x{small.image_height}"
    variants = [(f"quick, {size}", small)]
    if not arguments.quick:
        plain = small.with_values({"crop_size": 0})
        variants = [("efficientnet_b0, 224x224", b0), *variants, (f"quick without second look, {size}", plain)]
    print(f"{'training, one thread':<44}{'images/CPU-s':>14}{'bare':>8}{'share':>8}{'peer':>8}{'ratio':>8}")
    for name, config in variants:
        for is_bf16 in (False, True):
            rate, bare = rates(config, is_bf16)
            ratio = (
                f"{PEER_IMAGES_PER_CPU_SECOND:>8.1f}{rate / PEER_IMAGES_PER_CPU_SECOND:>7.1f}x" if config is b0 else ""
            )
            label = f"{name}, {'bf16' if is_bf16 else 'fp32'}"
            print(f"{label:<44}{rate:>14.1f}{bare:>8.1f}{rate / bare:>8.0%}{ratio}", flush=True)
    if arguments.checkpoint and arguments.data:
        median, high = latency(arguments.checkpoint, arguments.data)
        print(f"latency, batch 1, one thread, proof included: {median:.1f} ms median, {high:.1f} ms at 95 %", end=" ")
        print(f"(peer {PEER_LATENCY_MS:.0f} ms, {PEER_LATENCY_MS / median:.0f}x)")


if __name__ == "__main__":
    main()
