"""Backbones of every family of timm: each trains a step and finds objects where they are, or is refused in one line."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional as F

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.layers.vision.backbone import build_backbone, check_backbone
from nsmodels.layers.vision.centres import centre_heat, find_peaks
from nsmodels.layers.vision.layout import SubsampledConvolution, create, layout_of
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.config import PerceptionConfig, debug, quick
from nsmodels.systems.visual.perception.network import ObjectLogits, Perception, find_candidates
from nsmodels.systems.visual.perception.task import (
    PerceptionBatch,
    PerceptionTask,
    Targets,
    batch_loss,
    object_terms,
)
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, HEIGHT = 96, 64
# Pixels per cell of the finest map, and columns and rows of padding for images of 96x64.
FITS = {
    "resnet10t": (2, (0, 0)),
    "regnetx_002": (2, (0, 0)),
    "tf_efficientnet_lite0": (2, (0, 0)),
    "mobilenetv3_small_050": (2, (0, 0)),
    "mobilenetv4_conv_small_035": (2, (0, 0)),
    "ghostnet_050": (2, (0, 0)),
    "hrnet_w18_small": (2, (0, 0)),
    "dla46_c": (2, (0, 0)),
    "nf_regnet_b0": (2, (0, 0)),
    "repvgg_a0": (2, (0, 0)),
    "ese_vovnet19b_slim_dw": (2, (0, 0)),
    "maxvit_pico_rw_256": (2, (0, 0)),
    "mobilevit_xxs": (2, (0, 0)),
    "vgg11": (1, (0, 0)),
    "inception_v3": (2, (16, 20)),
    "convnext_atto": (4, (0, 0)),
    "convnextv2_atto": (4, (0, 0)),
    "inception_next_atto": (4, (0, 0)),
    "edgenext_xx_small": (4, (0, 0)),
    "fastvit_t8": (4, (0, 0)),
    "starnet_s050": (4, (0, 0)),
    "pvt_v2_b0": (4, (0, 0)),
    "tiny_vit_5m_224": (4, (0, 0)),
    "swin_tiny_patch4_window7_224": (4, (0, 0)),  # channels last
    "visformer_tiny": (8, (0, 0)),
    "eva02_tiny_patch14_224": (14, (2, 6)),
    "vit_tiny_patch16_224": (16, (0, 0)),
    "deit_tiny_patch16_224": (16, (0, 0)),
    "xcit_nano_12_p16_224": (16, (0, 0)),
    "levit_128s": (16, (0, 0)),
}
REFUSED = {
    "resnt18": "^backbone 'resnt18' is not a timm model; did you mean resnet18 or",
    "hf_hub:timm/resnet18": "^backbone 'hf_hub:timm/resnet18' is not a timm model; they are listed by",
    "resnet18.mine": "^backbone 'resnet18.mine': timm has no weights 'mine' .known: resnet18.a1_in1k, ",
    "efficientformer_l1": "^backbone 'efficientformer_l1': cannot use images of 96x64 .*; its own size is 224x224$",
    "gemma4_vit_167m": "^backbone 'gemma4_vit_167m': cannot use images of 96x64 pixels ",
    "mixer_s32_224": "^backbone 'mixer_s32_224': 6 cells of 32 pixels cannot hold the 10 objects of an image; ",
}
# Centres that are two cells of 16 pixels apart or more, (x, y) in 0..1 of the image.
CENTRES = ((0.11, 0.13), (0.55, 0.2), (0.9, 0.86), (0.3, 0.8))


def config_of(backbone: str, **values: object) -> PerceptionConfig:
    small = {"image_width": WIDTH, "image_height": HEIGHT, "feature_dim": 16, "head_dim": 16}
    return PerceptionConfig(backbone=backbone).with_values(small | values)


def targets_at(*centres: tuple[float, float]) -> Targets:
    points = torch.tensor([centres, centres])
    shape = points.shape[:2]
    numbers = torch.zeros(*shape, len(ATTRIBUTES), dtype=torch.int64)
    return Targets(points, torch.zeros(*shape, 2), numbers, torch.ones(shape, dtype=torch.bool))


def batch_at(*centres: tuple[float, float], width: int = WIDTH, height: int = HEIGHT) -> PerceptionBatch:
    images = torch.randint(0, 256, (2, height, width, 3), dtype=torch.uint8)
    targets = targets_at(*centres)
    return PerceptionBatch(images, targets, targets.points, None, None)


class Drawn(nn.Module):
    """A heat map with the targets in it, whatever the features are."""

    def __init__(self, batch: PerceptionBatch, covered: tuple[float, float]) -> None:
        super().__init__()
        self.targets = batch.on_maps(covered).targets

    def forward(self, level: Tensor) -> Tensor:
        return centre_heat(self.targets.points, self.targets.exists, *level.shape[-2:], sigma=1.2)


# --- a step with each of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FITS)
def test_a_step_is_finite_and_peaks_are_where_the_objects_are(name: str) -> None:
    torch.manual_seed(0)
    config, batch = config_of(name), batch_at(*CENTRES)
    check_backbone(config, 2, math.inf, 10)
    model = Perception(config).to(memory_format=torch.channels_last)
    assert (model.layout.stride, model.layout.padding) == FITS[name]
    loss, terms = batch_loss(model, batch, config.heat_sigma, model.layout.covered)
    loss.backward()
    assert all(term.isfinite() for term in (loss, *terms.values()))
    gradients = [weights.grad for weights in model.backbone.parameters() if weights.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert gradients[0].any()  # of the first layer
    assert_peaks_at_targets(model.eval(), batch)


def assert_peaks_at_targets(model: Perception, batch: PerceptionBatch) -> None:
    model.heat = Drawn(batch, model.layout.covered)  # type: ignore[assignment]
    nn.init.zeros_(model.head.out.weight)
    nn.init.zeros_(model.head.out.bias)  # the offset among them
    with torch.inference_mode():
        found = find_candidates(model, batch.images.permute(0, 3, 1, 2), num=4).points
    size = torch.tensor([batch.images.shape[2], batch.images.shape[1]])
    away = ((found[:, :, None] - batch.targets.points[:, None]) * size).abs().amax(-1).min(2).values
    # Networks that leave out the border of the image have slightly larger cells: 53 of them for 112 pixels.
    assert away.max() <= model.layout.stride / 2 * 1.1 + 1e-4
    assert len({tuple(point) for point in found[0].tolist()}) == 4


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=REFUSED[name]) as caught:
        check_backbone(config_of(name), 2, math.inf, 10)
    assert "\n" not in str(caught.value)


def test_the_stride_is_the_one_that_timm_reports() -> None:
    for name in ("resnet10t", "vgg11", "convnext_atto", "visformer_tiny", "vit_tiny_patch16_224"):
        layout = layout_of(config_of(name))
        with torch.device("meta"):
            network = timm.create_model(name, features_only=True, **layout.options)
        assert list(layout.strides) == network.feature_info.reduction()


def test_no_random_number_is_drawn_to_find_a_layout() -> None:
    config = config_of("levit_128s", image_width=128)
    before = torch.get_rng_state()
    layout_of(config)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_weights_of_a_checkpoint_are_named_as_in_timm() -> None:
    config = debug().perception
    names = {name for name in Perception(config).state_dict() if name.startswith("backbone.")}
    assert names == {f"backbone.{name}" for name in build_backbone(config)[0].state_dict()}
    assert layout_of(config).covered == (1.0, 1.0)


# --- the geometry of maps --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 14, 16, 32])
@pytest.mark.parametrize(("width", "height"), [(224, 224), (448, 224), (224, 672)])
def test_a_target_is_decoded_to_its_centre_within_half_a_stride(stride: int, width: int, height: int) -> None:
    targets = targets_at(*CENTRES)
    heat = centre_heat(targets.points, targets.exists, height // stride, width // stride, sigma=1.2)
    points, values = find_peaks(heat, 4)
    size = torch.tensor([width, height])
    away = ((points[:, :, None] - targets.points[:, None]) * size).abs().amax(-1)
    assert away.min(2).values.max() <= stride / 2 + 1e-3
    assert sorted(away[0].argmin(1).tolist()) == [0, 1, 2, 3]
    assert (values > 0.999).all()


def test_a_map_of_few_cells_gives_as_many_candidates() -> None:
    points, values = find_peaks(torch.rand(2, 1, 2, 3), 16)
    assert points.shape == (2, 6, 2)
    assert values.shape == (2, 6)


def test_no_object_is_found_in_the_padding() -> None:
    model = Perception(config_of("convit_tiny")).eval()
    assert model.layout.padding == (0, 32)
    batch = batch_at((0.5, 1.2), (0.5, 0.4))  # the first is 13 pixels below the image
    model.heat = Drawn(batch, model.layout.covered)  # type: ignore[assignment]
    with torch.inference_mode():
        found = find_candidates(model, batch.images.permute(0, 3, 1, 2))
    real = found.logits[0].isfinite() & (found.logits[0] > 0.9)
    assert int(real.sum()) == 1


@pytest.mark.parametrize("name", ["resnet10t", "eva02_tiny_patch14_224"])
def test_the_offset_is_what_leads_from_a_query_to_its_object(name: str) -> None:
    layout, batch = layout_of(config_of(name)), batch_at(*CENTRES)
    queries = batch.targets.points + torch.tensor([3.0, -2.0]) / torch.tensor([WIDTH, HEIGHT])
    batch = replace(batch, queries=queries).on_maps(layout.covered)
    cells = ((WIDTH + layout.padding[0]) // layout.stride, (HEIGHT + layout.padding[1]) // layout.stride)
    offset = torch.tensor([-3.0, 2.0]).expand(2, 4, 2) / layout.stride
    logits = {attribute: torch.zeros(2, 4, len(values)) for attribute, values in ATTRIBUTES.items()}
    terms = object_terms(ObjectLogits(logits, torch.zeros(2, 4, 2), offset), batch, (cells[1], cells[0]))
    assert terms["offset"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("name", "stride"), [("resnet10t", 2), ("vit_tiny_patch16_224", 16)])
def test_queries_move_by_up_to_a_cell_and_images_do_not(shared: Shared, name: str, stride: int) -> None:
    training = TrainingConfig(batch_size=8, num_workers=1, device="cpu")
    task = PerceptionTask(config_of(name, augment=0), training, shared.data("clevr"))
    seen = list(task.batches("train", 0, Shard()))
    moved = torch.cat([(batch.queries - batch.targets.points).flatten(0, 1) for batch in seen])
    pixels = (moved * torch.tensor([WIDTH, HEIGHT])).abs().amax(0)
    assert (pixels <= stride).all()
    assert (pixels > 0.9 * stride).all()
    given = {image.tobytes() for image in task.images["train"]}
    assert {image.numpy().tobytes() for batch in seen for image in batch.images} == given


# --- presets and files -----------------------------------------------------------------------------------------------


def test_another_backbone_comes_without_the_widths_of_the_preset() -> None:
    changed = quick().with_values({"perception.backbone": "resnet18"})
    assert changed.perception.backbone_channels == []
    assert changed == quick().with_values({"perception": {"backbone": "resnet18"}})
    assert changed.perception.feature_dim == quick().perception.feature_dim
    same = quick().with_values({"perception.backbone": "resnet10t", "perception.dropout": 0.1})
    assert same.perception.backbone_channels == quick().perception.backbone_channels
    wide = quick().with_values({"perception.backbone": "resnet18", "perception.backbone_channels": [8, 8, 16, 16]})
    assert wide.perception.backbone_channels == [8, 8, 16, 16]
    check_backbone(wide.perception, 2, math.inf, 10)


def test_widths_beside_another_kind_of_network_are_one_line() -> None:
    for widths, name in (([8, 8, 16, 16], "convnext_atto"), ([0, 8, 8, 8], "resnet10t")):
        both = quick().with_values({"perception.backbone": name, "perception.backbone_channels": widths})
        with pytest.raises(
            InputError, match=rf"^backbone_channels: \[.*\] do not fit backbone '{name}' .*leave them out"
        ):
            SYSTEM.check_config(both)


def quick_training(shared: Shared, out: Path) -> list[str]:
    return ["visual", "train", "--preset", "quick", "--data", str(shared.data("clevr")), "--out", str(out)]


def test_widths_in_a_file_are_not_dropped_by_a_flag(capsys, shared: Shared, tmp_path: Path) -> None:
    file = tmp_path / "narrow.yaml"
    file.write_text("perception: {backbone_channels: [8, 8, 16, 16]}\n")
    command = quick_training(shared, tmp_path / "out")
    capsys.readouterr()
    assert main([*command, "--config", str(file), "--backbone", "convnext_atto", "--device", "cpu"]) == 2
    assert capsys.readouterr().err.startswith("error: backbone_channels: [8, 8, 16, 16] do not fit backbone 'convnext_")


def test_the_command_refuses_before_it_trains(capsys, shared: Shared, tmp_path: Path) -> None:
    command = quick_training(shared, tmp_path / "out")
    capsys.readouterr()
    assert main([*command, "--backbone", "resnt18", "--device", "cpu"]) == 2
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["error: backbone 'resnt18' is not a timm model; did you mean resnet18 or resnet18d or skresnet18?"]
    assert not (tmp_path / "out").exists()


def test_a_file_that_names_a_vision_transformer_trains(shared: Shared, tmp_path: Path) -> None:
    file = tmp_path / "vit.yaml"
    file.write_text(yaml.safe_dump({"perception": {"backbone": "vit_tiny_patch16_224"}}))
    flags = ["--config", str(file), "--no-baseline.is-enabled", "--epochs", "1", "--device", "cpu"]
    command = [
        "visual",
        "train",
        "--preset",
        "debug",
        "--data",
        str(shared.data("clevr")),
        "--out",
        str(tmp_path / "m"),
    ]
    assert main([*command, *flags]) == 0
    model = SYSTEM.load(tmp_path / "m", "cpu")
    assert model.perception.layout.stride == 16


# --- weights and memory ----------------------------------------------------------------------------------------------


def test_pretrained_weights_without_a_network_are_one_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"^pretrained weights of 'resnet10t' cannot be fetched .*pretrained=false"):
        check_backbone(config_of("resnet10t", pretrained=True), 2, math.inf, 10)


def test_a_network_without_pretrained_weights_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^backbone 'seresnet18': timm has no pretrained weights of it; use"):
        check_backbone(config_of("seresnet18", pretrained=True), 2, math.inf, 10)


def test_more_memory_than_there_is_is_one_line() -> None:
    config = config_of("resnet18")
    with pytest.raises(
        InputError, match=r"11\.2 million weights and 64 images at a time need 0\.\d GiB or more, there are 0\.1"
    ):
        check_backbone(config, 64, 2**27, 10)
    check_backbone(config, 64, 2**33, 10)


def test_a_strided_pointwise_convolution_of_few_channels_takes_its_pixels_first() -> None:
    network = create("repvgg_a0", False, {})
    found = [each for each in network.modules() if isinstance(each, SubsampledConvolution)]
    assert [(each.in_channels, each.stride) for each in found] == [(3, (2, 2))]
    images = torch.rand(2, 3, 7, 10)
    torch.testing.assert_close(found[0](images), F.conv2d(images, found[0].weight, stride=2))
