"""Phases vision and audio of the world model: losses, batches, learning, collapse, what an audio phase leaves alone."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.engine.loop import Fit
from nsmodels.engine.task import Shard
from nsmodels.formats.clips import files
from nsmodels.systems.world import SYSTEM
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.source import Source
from tests.systems.world.sample import sample_clips, write_sample

pytestmark = pytest.mark.usefixtures("one_thread")

FEW = {"training.device": "cpu", "training.epochs": 5}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("data") / "clips", 128, size=32, samples=4_000)


def fit(phase: str, data: Path, folder: Path, parent: Path | None = None, **values: Any) -> Fit:
    config = SYSTEM.stage(phase).presets["debug"]().with_values(FEW | values)
    inputs = Inputs.of(data, parent=parent and ("parent", parent))
    return SYSTEM.make_trial(phase, config, inputs).fit(folder / phase)


@pytest.fixture(scope="module")
def vision(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Fit:
    gentle: dict[str, Any] = {"views.jitter": 0.0, "views.grayscale": 0.0, "views.crop_scale": 0.6}
    return fit("vision", data, tmp_path_factory.mktemp("vision"), **gentle)


# --- losses -----------------------------------------------------------------------------------------------------------


def test_nt_xent_is_the_cross_entropy_of_the_other_view_among_all_others() -> None:
    random, temperature = np.random.default_rng(0), 0.3
    first, second = random.normal(size=(2, 5, 4))
    units = np.concatenate([first, second])
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    total = 0.0
    for i in range(10):
        scores = {j: math.exp(units[i] @ units[j] / temperature) for j in range(10) if j != i}
        total -= math.log(scores[(i + 5) % 10] / sum(scores.values()))
    found = contrastive.nt_xent(torch.tensor(first), torch.tensor(second), temperature)
    assert float(found) == pytest.approx(total / 10, rel=1e-5)


def test_variance_and_separation_of_latents() -> None:
    same, spread = torch.ones(6, 3), torch.eye(3).repeat(2, 1) * 5
    assert float(contrastive.representation_variance(same)) == 0
    assert float(contrastive.representation_variance(spread)) == pytest.approx(2 / 3)
    assert float(contrastive.variance_hinge(same)) == pytest.approx(1 - 0.01)
    assert float(contrastive.variance_hinge(spread)) == 0
    classes = np.array([0, 1, 2, 0, 1, 2])
    assert contrastive.cluster_separation(spread, classes) == pytest.approx(1.5)
    assert contrastive.cluster_separation(spread, np.arange(6)) == 0
    shuffled = np.random.default_rng(0).permutation(np.repeat(np.arange(8), 32))
    random = torch.randn(256, 16, generator=torch.Generator().manual_seed(0))
    assert abs(contrastive.cluster_separation(random, shuffled)) < 0.02


# --- trainings --------------------------------------------------------------------------------------------------------


def test_vision_learns_to_tell_pairs_from_others(vision: Fit) -> None:
    chance = math.log(2 * 16 - 1)
    assert vision.history[-1]["val/contrastive"] < chance - 0.1
    assert vision.history[-1]["val/cluster_separation"] > 0.05
    assert vision.history[-1]["train/representation_variance"] > 1e-3


def test_audio_learns_and_leaves_the_vision_of_its_parent_as_it_is(data: Path, vision: Fit, tmp_path: Path) -> None:
    gentle = {"views.time_shift": 0.0, "views.noise": 0.0}
    found = fit("audio", data, tmp_path, parent=vision.folder.parent, **gentle)
    assert found.history[-1]["train/contrastive"] < math.log(2 * 16 - 1) - 0.2
    assert found.history[-1]["val/mel_error"] < 0.8 * found.history[0]["train/mel_error"]
    before, after = (SYSTEM.load_network(each.folder / "best.pt", "cpu") for each in (vision, found))
    assert (before.phase, after.phase) == ("vision", "audio")
    assert after.audio.latent_dim == before.vision.latent_dim
    for name, parameter in before.vision.named_parameters():
        assert torch.equal(after.vision.get_parameter(name), parameter), name


@pytest.mark.parametrize("phase", ["vision", "audio"])
def test_every_parameter_of_an_encoder_gets_a_gradient(phase: str, data: Path, vision: Fit) -> None:
    parent = ("parent", vision.folder.parent) if phase == "audio" else None
    trial = SYSTEM.make_trial(phase, SYSTEM.stage(phase).presets["debug"](), Inputs.of(data, parent=parent))
    model = trial.task.build()
    loss, _ = trial.task.loss(model, next(iter(trial.task.batches("train", 0, Shard()))))
    loss.backward()
    for name, parameter in model.get_submodule(phase).named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def test_a_probe_of_the_mel_does_not_change_the_encoder(data: Path, vision: Fit) -> None:
    found = {}
    for weight in (0.0, 1.0):
        config = (
            SYSTEM.stage("audio")
            .presets["debug"]()
            .with_values({"objective.mel_weight": weight, "objective.variance_weight": 0.0})
        )
        inputs = Inputs.of(data, parent=("parent", vision.folder.parent))
        task = SYSTEM.make_trial("audio", config, inputs).task
        torch.manual_seed(0)
        model = task.build()
        assert isinstance(model, WorldNetwork)
        loss, terms = task.loss(model, next(iter(task.batches("train", 0, Shard()))))
        wanted = torch.autograd.grad(terms["contrastive"], model.audio.head.weight, retain_graph=True)[0]
        whole = torch.autograd.grad(loss, model.audio.head.weight)[0]
        found[weight] = torch.allclose(wanted, whole, atol=1e-6)
    assert found == {0.0: True, 1.0: False}


def test_mixed_precision_computes_in_bfloat16_and_keeps_weights_in_float32(data: Path, tmp_path: Path) -> None:
    kinds = set()
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, _inputs, output: kinds.add(output.dtype) if isinstance(module, nn.Conv2d) else None
    )
    try:
        values: dict[str, Any] = {"training.epochs": 1, "training.use_amp": True, "training.amp_dtype": "bf16"}
        found = fit("vision", data, tmp_path, **values)
    finally:
        hook.remove()
    assert kinds == {torch.bfloat16}
    network = SYSTEM.load_network(found.folder / "best.pt", "cpu")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_collapsed_representation_stops_the_training_with_its_variance_and_a_remedy(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "val")):
        clips = sample_clips(32, seed, size=32, samples=400)
        assert clips.video is not None
        same = np.broadcast_to(clips.video[:1, :1], clips.video.shape)
        files.write(tmp_path / "same", split, dataclasses.replace(clips, video=same))
    with pytest.raises(InputError, match=r"^epoch 1: the representation of frames has collapsed: its variance is \d.*"
                       r"min_variance=0.0001; raise objective.variance_weight \(now 1\)"):  # fmt: skip
        fit("vision", tmp_path / "same", tmp_path / "out")


def test_clips_without_a_modality_are_left_out_and_a_phase_without_any_is_refused(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "val")):
        clips = sample_clips(8, seed, size=32, samples=400)
        observed = np.tile([True, False, False], (8, 1))
        observed[::2, 0] = False
        files.write(tmp_path / "some", split, dataclasses.replace(clips, observed=observed, audio=None, proprio=None))
    training = SYSTEM.stage("vision").presets["debug"]().training
    source = Source(tmp_path / "some", "vision", training)
    assert source.rows["train"].tolist() == [1, 3, 5, 7]
    read = [source.batches("train", epoch, Shard(), lambda drawn: drawn.part.rows) for epoch in range(2)]
    assert {int(row) for epoch in read for batch in epoch for row in batch} == {1, 3, 5, 7}
    with pytest.raises(InputError, match=r"some/train: no clip has audio"):
        Source(tmp_path / "some", "audio", training)


def test_sounds_of_another_rate_are_refused(data: Path, vision: Fit, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sample_rate: 8000 Hz, but the sounds of train have 16000 Hz"):
        fit("audio", data, tmp_path, parent=vision.folder.parent, **{"model.sample_rate": 8000})
