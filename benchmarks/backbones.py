"""Backbones of every family of timm in perception: stride, weights and time of a training step, or why it is refused.

    OMP_NUM_THREADS=1 python benchmarks/backbones.py [NAME ...] [--size 96 64] [--all]
    OMP_NUM_THREADS=1 python benchmarks/backbones.py --strides DATA [--size 96 64] [--epochs 16]

The first writes a line per network: the smallest of each family, or all that timm has, without a training step. The
second trains one small network on a CLEVR tree with heat maps of several strides and scores what it finds.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import timm
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.datasets.clevr.vocabulary import MAX_OBJECTS
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.layers.vision.backbone import check_backbone
from nsmodels.layers.vision.layout import Layout, layout_of
from nsmodels.systems.visual.config import PerceptionConfig, debug
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.matching import object_metrics
from nsmodels.systems.visual.perception.network import Perception, perceive
from nsmodels.systems.visual.perception.task import PerceptionBatch, PerceptionTask, batch_loss, targets_of

SMALLEST = """
resnet10t resnet18 resnext50_32x4d seresnet18 skresnet18 resnetv2_18 res2net50_14w_8s resnest14d legacy_seresnet18
eca_resnext26ts botnet26t_256 halonet26t lambda_resnet26t bat_resnext26ts regnetx_002 regnety_002 efficientnet_b0
tf_efficientnet_b0 tf_efficientnetv2_b0 mobilenetv2_050 mobilenetv3_small_050 tf_mobilenetv3_small_075
mobilenetv4_conv_small_035 mnasnet_small lcnet_035 fbnetc_100 mixnet_s tinynet_e hardcorenas_a rexnet_100 ghostnet_050
repghostnet_050 repvgg_a0 mobileone_s0 repvit_m0_9 fastvit_t8 hgnetv2_b0 densenet121 dpn48b vgg11 vgg11_bn dla46_c
hrnet_w18_small selecsls42 ese_vovnet19b_slim_dw cs3darknet_focus_s darknet17 xception41 legacy_xception inception_v3
inception_v4 inception_resnet_v2 nasnetalarge pnasnet5large nf_regnet_b0 eca_nfnet_l0 dm_nfnet_f0 convnext_atto
convnextv2_atto inception_next_atto rdnet_tiny starnet_s050 fasternet_t0 mambaout_femto poolformer_s12 poolformerv2_s12
caformer_s18 convformer_s18 edgenext_xx_small mobilevit_xxs mobilevitv2_050 efficientformer_l1 efficientformerv2_s0
efficientvit_b0 efficientvit_m0 efficientvim_m1 swiftformer_xs shvit_s1 lowformer_b0 cpubone_nano lcnetv2_small
iformer_t csatv2 convmixer_1024_20_ks9_p14 mixer_s32_224 mixer_s16_224 resmlp_12_224 gmlp_ti16_224 sequencer2d_s
vit_tiny_patch16_224 vit_small_patch14_dinov2 vit_relpos_small_patch16_224 vit_tiny_r_s16_p8_224 vit_base_patch32_224
deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224 beit_base_patch16_224 cait_xxs24_224
convit_tiny crossvit_tiny_240 levit_128s levit_conv_128s pit_ti_224 tnt_s_patch16_224 visformer_tiny volo_d1_224
xcit_nano_12_p16_224 twins_svt_small pvt_v2_b0 coat_tiny coatnet_nano_rw_224 maxvit_pico_rw_256 maxxvit_rmlp_nano_rw_256
swin_tiny_patch4_window7_224 swin_s3_tiny_224 swinv2_tiny_window8_256 swinv2_cr_tiny_224 davit_tiny focalnet_tiny_srf
gcvit_xxtiny mvitv2_tiny nest_tiny nextvit_small tiny_vit_5m_224 hiera_tiny_224 sam2_hiera_tiny samvit_base_patch16_224
eva02_tiny_patch14_224 vitamin_small_224 flexivit_small naflexvit_base_patch16_gap qwen3_vit_88m gemma4_vit_167m
"""
BATCH = 2


def describe(name: str, width: int, height: int, trains: bool) -> tuple[str, bool]:
    """A line about a network, and whether it can be used."""
    config = PerceptionConfig(backbone=name, image_width=width, image_height=height, feature_dim=32, head_dim=32)
    try:
        layout = layout_of(config)
        check_backbone(config, BATCH, math.inf, MAX_OBJECTS)
    except InputError as error:
        return f"refused: {error}", False
    facts = [f"{layout.stride:>6}", f"{layout.padding[0]}+{layout.padding[1]}".rjust(8)]
    facts.append(f"{layout.num_parameters / 1e6:>10.1f}")
    return " ".join([*facts, f"{step_seconds(config, layout):>9.2f}" if trains else ""]), True


def step_seconds(config: PerceptionConfig, layout: Layout) -> float:
    """CPU-seconds of a training step; raises ArithmeticError where loss or gradients are not finite."""
    size = (config.image_width, config.image_height)
    scenes = [sample_scene(scene_generator(0, "train", i), "train", i, *size)[0] for i in range(BATCH)]
    targets = targets_of(scenes, np.tile(np.array(size, np.float32), (BATCH, 1)))
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (BATCH, size[1], size[0], 3), dtype=np.uint8))
    batch = PerceptionBatch(pixels, targets, targets.points, None, 0)
    model = Perception(config).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    start = time.process_time()
    loss, _ = batch_loss(model, batch, config.heat_sigma, layout.covered)
    loss.backward()
    taken = time.process_time() - start
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    if not torch.isfinite(torch.stack([loss.detach(), *(g.abs().max() for g in gradients)])).all():
        raise ArithmeticError(f"{config.backbone}: loss or gradients are not finite")
    return taken


# --- the stride of the heat map --------------------------------------------------------------------------------------


def accuracy(data: Path, config: PerceptionConfig, epochs: int) -> dict[str, float]:
    """What a network finds on held-out images; `stride` among the metrics."""
    training = TrainingConfig(
        epochs=epochs, batch_size=16, lr=3e-3, warmup_epochs=1, eval_interval=epochs, num_workers=1, device="cpu"
    )
    task = PerceptionTask(config, training, data)
    with tempfile.TemporaryDirectory() as folder:
        fit = loop.fit(task, training, Path(folder))
        model = Perception.from_checkpoint(checkpoint.load(Path(folder) / "last.pt"))
    # True coordinates are in pixels of the files.
    _, sizes = read_images(data, "val", task.scenes["val"], config.image_width, config.image_height)
    beliefs = perceive(model, np.asarray(task.images["val"]), sizes)
    found = object_metrics(task.scenes["val"], beliefs)
    return found | {"stride": task.layout.stride, "cpu_seconds": fit.cpu_seconds}


def own_peaks(width: int, height: int, stride: int, num: int = 500) -> float:
    """Share of the objects of synthetic scenes with no other object's centre in the 3x3 cells around their own.

    Of two centres in neighbouring cells the peak finder reports the stronger one, unless both are exactly as strong.
    """
    alone = total = 0
    for index in range(num):
        scene = sample_scene(scene_generator(0, "val", index), "val", index, width, height)[0]
        centres = np.array([thing["pixel_coords"][:2] for thing in scene["objects"]])
        cells = np.floor((centres + 0.5) / stride)
        away = np.abs(cells[:, None] - cells).max(-1) + 2 * np.eye(len(cells))
        alone, total = alone + int((away.min(1) > 1).sum()), total + len(cells)
    return alone / total


def report_strides(data: Path, size: tuple[int, int], epochs: int) -> None:
    """Print what heat maps of several strides can hold, and what a small network finds with them."""
    print("objects with a peak of their own, % of those of 500 synthetic scenes")
    print(f"{'image':<10}" + "".join(f"{f'stride {stride}':>11}" for stride in (1, 2, 4, 8, 16, 32)))
    for width, height in ((96, 64), (240, 160), (480, 320)):
        shares = [100 * own_peaks(width, height, stride) for stride in (1, 2, 4, 8, 16, 32)]
        print(f"{f'{width}x{height}':<10}" + "".join(f"{share:>11.1f}" for share in shares))
    config = debug().perception.with_values(
        {"backbone_channels": [16, 24, 32, 48], "feature_dim": 32, "head_dim": 64, "image_width": size[0]}
        | {"image_height": size[1]}
    )
    print(f"\n{'stride':<8}{'precision':>10}{'recall':>8}{'attributes':>12}{'relations':>11}{'CPU s':>8}")
    for stride in (2, 4, 8, 16):
        found = accuracy(data, config.with_values({"min_stride": stride}), epochs)
        figures = [found[name] for name in ("precision", "recall", "all_attributes", "relations")]
        shown = "{:>10.3f}{:>8.3f}{:>12.3f}{:>11.3f}".format(*figures)
        print(f"{found['stride']:<8.0f}{shown}{found['cpu_seconds']:>8.0f}", flush=True)


def report_networks(names: Sequence[str], width: int, height: int, trains: bool) -> None:
    """Print a line per network, and how many can be used."""
    counts: Counter[bool] = Counter()
    print(f"{'network':<36}{'stride':>6} {'padding':>8} {'M weights':>10} {'CPU s/step':>10}")
    for name in names:
        line, is_used = describe(name, width, height, trains)
        counts[is_used] += 1
        print(f"{name:<36}{line}", flush=True)
    print(f"{len(names)} networks, images of {width}x{height}: {counts[True]} can be used, {counts[False]} are refused")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks; the smallest of each family")
    parser.add_argument("--size", type=int, nargs=2, default=[96, 64], help="width and height of the images")
    parser.add_argument("--all", action="store_true", help="all networks of timm, without a training step")
    parser.add_argument("--strides", type=Path, metavar="DATA", help="train on this CLEVR tree with several strides")
    parser.add_argument("--epochs", type=int, default=16, help="of --strides")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.strides:
        return report_strides(arguments.strides, tuple(arguments.size), arguments.epochs)
    names = timm.list_models() if arguments.all else arguments.names or SMALLEST.split()
    return report_networks(names, *arguments.size, trains=not arguments.all)


if __name__ == "__main__":
    main()
