"""The exported graph has the outputs of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.network.encoding import encode
from nsmodels.systems.nav.network.export import OUTPUTS, export
from nsmodels.systems.nav.network.navigator import Navigator

pytestmark = pytest.mark.usefixtures("one_thread")


def navigator(core: str) -> Navigator:
    """A small network whose answers differ from cell to cell, which those of an untrained one do not."""
    torch.manual_seed(0)
    size: dict[str, Any] = {"num_heads": 1, "height": 4, "width": 5}
    model = make_navigator(ModelConfig(core=core, dim=8, depth=1, group_width=8, num_inner=1, num_segments=2, **size))
    torch.nn.init.normal_(model.read.weight, std=0.5)
    return model.eval()


def maps(num: int, height: int, width: int) -> Maps:
    rng = np.random.default_rng(num)
    cost = rng.integers(1, 256, (num, height, width)).astype(np.uint8)
    ends = np.zeros((num, 2), np.int16)
    return Maps(rng.random((num, height, width)) > 0.3, ends, ends + 1, cost)


def outputs(path: Path, given: Maps) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"inputs": encode(given).numpy()}), strict=True))


def agree(path: Path, model: Navigator, given: Maps, steps: int) -> None:
    ((_, policy),) = model.policies_by_step(given, [steps])
    found = outputs(path, given)
    wanted = (policy.probabilities, policy.reachable, policy.cost_to_go, policy.halting)
    assert policy.probabilities.std() > 0.05
    for name, value in zip(OUTPUTS, wanted, strict=True):
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


def test_one_conv_graph_takes_maps_of_every_size(tmp_path: Path) -> None:
    model = navigator("conv")
    made = export(model, tmp_path / "deep" / "nav.onnx")
    assert (made.steps, made.sizes) == (model.trained_steps, "maps of any size") == (4, "maps of any size")
    for shape in [(1, 8, 8), (3, 4, 5), (2, 17, 9), (1, 2, 30)]:
        agree(made.path, model, maps(*shape), made.steps)


def test_a_network_that_counts_ends_when_no_value_changes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = make_navigator(ModelConfig(core="value", dim=8, num_inner=1, num_segments=2)).eval()
    serpentine = np.ones((1, 17, 15), bool)
    serpentine[:, 1::4, 1:] = serpentine[:, 3::4, :-1] = False
    long = Maps(serpentine, np.array([[16, 14]], np.int16), np.zeros((1, 2), np.int16))
    made = export(model, tmp_path / "nav.onnx")
    assert (made.steps, made.sizes) == (None, "maps of any size")
    for given in (long, maps(3, 9, 6)):
        policy, found = model.policy(given), outputs(made.path, given)
        wanted = (policy.probabilities, policy.reachable, policy.cost_to_go, policy.halting)
        for name, value in zip(OUTPUTS, wanted, strict=True):
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
    assert model.policy(long).steps >= 128  # moves of the way


@pytest.mark.parametrize(("core", "shape"), [("mixer", None), ("attention", (4, 5))])
def test_other_cores_take_one_size_and_any_batch(core: str, shape: tuple[int, int] | None, tmp_path: Path) -> None:
    model = navigator(core)
    made = export(model, tmp_path / "nav.onnx", max_steps=1, shape=shape)
    assert (made.steps, made.sizes) == (model.steps_per_segment, "maps of 4x5 only")
    for num in (1, 3):
        agree(made.path, model, maps(num, 4, 5), made.steps)


def test_what_cannot_be_exported_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nav\.pt: expected a file name that ends in \.onnx"):
        export(navigator("conv"), tmp_path / "nav.pt")
    with pytest.raises(InputError, match="give --height and --width"):
        export(navigator("attention"), tmp_path / "nav.onnx")
    with pytest.raises(InputError, match="takes maps of 4x5 only"):
        export(navigator("mixer"), tmp_path / "nav.onnx", shape=(8, 8))
    assert not list(tmp_path.iterdir())
