"""The second look: which pixels it reads, that it learns from them, and networks without it or with fewer maps."""

from __future__ import annotations

import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.layers.vision.crops import CropEncoder, read_crops
from nsmodels.layers.vision.layout import layout_of
from nsmodels.systems.visual.config import PerceptionConfig, debug, quick
from nsmodels.systems.visual.perception.network import Perception, find_candidates

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = debug().perception


def test_crops_are_the_pixels_around_the_points_and_the_border_is_repeated() -> None:
    images = torch.arange(2 * 3 * 20 * 30, dtype=torch.float32).view(2, 3, 20, 30)
    points = torch.tensor([[10.5 / 30, 8.5 / 20], [10.4 / 30, 8.6 / 20], [0.0, 1.0]])
    crops = read_crops(images, points, torch.tensor([1, 0, 0]), 4)
    # Pixel 10 covers [10, 11): of four columns with their middle nearest to 10.4 the first is 8, of 10.5 as well.
    assert torch.equal(crops[0], images[1, :, 6:10, 8:12])
    assert torch.equal(crops[1], images[0, :, 7:11, 8:12])
    corner = images[0, :, 18:20, 0:2]
    assert torch.equal(crops[2][:, :2, 2:], corner)
    assert torch.equal(crops[2][:, 2:, :2], images[0, :, 19:, :1].expand(3, 2, 2))


def test_only_objects_that_exist_are_read() -> None:
    encoder = CropEncoder(16, 8).eval()
    images, points = torch.randn(2, 3, 32, 48), torch.rand(2, 3, 2)
    exists = torch.tensor([[True, False, True], [False, True, False]])
    some, every = encoder(images, points, exists), encoder(images, points)
    assert every.shape == (2, 3, encoder.num_features)
    assert torch.allclose(some[exists], every[exists], atol=1e-5)
    assert some[~exists].abs().max() == 0


def test_an_attribute_depends_on_the_pixels_beside_the_centre_and_their_network_learns() -> None:
    model = Perception(TINY).eval()
    images = torch.rand(1, 3, TINY.image_height, TINY.image_width) * 255
    points = torch.tensor([[[0.25, 0.5]]])
    scaled = model.normalised(images)
    levels = [level.detach() for level in model.levels(scaled)]
    before = model.objects(scaled, levels, points).attributes["shape"]
    near, far = scaled.clone(), scaled.clone()
    near[..., 32, 24] += 5.0
    far[..., 32, 90] += 5.0
    assert not torch.equal(model.objects(near, levels, points).attributes["shape"], before)
    assert torch.equal(model.objects(far, levels, points).attributes["shape"], before)
    before.sum().backward()
    assert model.crops is not None
    assert all(parameter.grad is not None for parameter in model.crops.parameters())
    assert next(model.crops.parameters()).grad.abs().max() > 0


def test_maps_finer_than_the_least_stride_are_left_out() -> None:
    whole, cut = (layout_of(TINY.with_values({"min_stride": stride})) for stride in (1, 4))
    assert (whole.strides, cut.strides, cut.first) == ((2, 4, 8, 16, 32), (4, 8, 16, 32), 1)
    assert cut.channels == whole.channels[1:]
    assert cut.num_cells == 24 * 16
    model = Perception(TINY.with_values({"min_stride": 4})).eval()
    with torch.inference_mode():
        heat, _ = model(torch.zeros(1, 3, 64, 96), torch.rand(1, 2, 2))
        found = find_candidates(model, torch.zeros(1, 3, 64, 96), num=4)
    assert heat.shape == (1, 1, 16, 24)
    assert found.points.shape == (1, 4, 2)
    patches = PerceptionConfig(backbone="vit_tiny_patch16_224", image_width=96, image_height=64, min_stride=32)
    with pytest.raises(
        InputError, match=r"^min_stride: 32, but the maps of backbone 'vit_tiny_.*' have strides of 16, "
    ):
        layout_of(patches)


def test_a_configuration_from_before_builds_the_network_of_before() -> None:
    before = {
        k: v for k, v in quick().perception.model_dump().items() if k not in ("min_stride", "crop_size", "crop_dim")
    }
    names = set(Perception(PerceptionConfig.from_mapping(before, "older")).state_dict())
    assert {"heat.0.0.weight", "heat.1.bias", "pyramid.lateral.4.weight", "head.mix.0.weight"} <= names
    assert not any(name.startswith("crops") for name in names)
