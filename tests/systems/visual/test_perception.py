"""Perception: that it learns what is there and nothing else, and what its batches and targets are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.layers.vision.augmentation import augment_images
from nsmodels.layers.vision.centres import centre_heat
from nsmodels.systems.visual.config import PerceptionConfig, debug
from nsmodels.systems.visual.perception.matching import object_metrics
from nsmodels.systems.visual.perception.network import Perception, perceive
from nsmodels.systems.visual.perception.task import (
    PerceptionBatch,
    PerceptionTask,
    Targets,
)
from tests.shared import Shared, resealed

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = debug().perception.with_values({"backbone_channels": [16, 16, 32, 32], "feature_dim": 32, "head_dim": 64})
TRAINING = TrainingConfig(
    epochs=40, batch_size=4, lr=5e-3, warmup_epochs=1, eval_interval=40, num_workers=1, device="cpu"
)
NUM_TRAIN, NUM_VAL = 24, 12


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    """24 + 12 images of 96x64 pixels."""
    return shared.data("clevr")


def make_task(data: Path, config: PerceptionConfig = SMALL, **training: Any) -> PerceptionTask:
    return PerceptionTask(config, TRAINING.with_values(training), data)


@pytest.fixture(scope="module")
def task(data: Path) -> PerceptionTask:
    return make_task(data, SMALL.with_values({"augment": 0}))


def learnt(task: PerceptionTask, folder: Path) -> tuple[Perception, loop.Fit]:
    fit = loop.fit(task, task.training, folder)
    return Perception.from_checkpoint(checkpoint.load(folder / "last.pt")), fit


@pytest.fixture(scope="module")
def overfitted(task: PerceptionTask, tmp_path_factory) -> tuple[Perception, loop.Fit]:
    """A network that has seen its 24 images 40 times."""
    return learnt(task, tmp_path_factory.mktemp("overfitted"))


def right(model: Perception, task: PerceptionTask, split: str) -> dict[str, float]:
    """Share of the objects of a split of which the head, asked at the true centre, knows each attribute."""
    targets = task.targets[split]
    with torch.inference_mode():
        _, objects = model(torch.from_numpy(task.images[split]).permute(0, 3, 1, 2), targets.points)
    exists = targets.exists
    return {
        name: float((objects.attributes[name].argmax(-1) == targets.attributes[..., i])[exists].float().mean())
        for i, name in enumerate(ATTRIBUTES)
    }


# --- what it learns ----------------------------------------------------------------------------------------------


def test_the_loss_falls_and_attributes_are_learned(overfitted, task: PerceptionTask) -> None:
    model, fit = overfitted
    losses = [epoch["train/loss"] for epoch in fit.history]
    assert losses[-1] < 0.35 * losses[0]
    seen, held_out = right(model, task, "train"), right(model, task, "val")
    assert seen["color"] > 0.5
    assert seen["shape"] > 0.55
    assert min(seen["size"], seen["material"]) > 0.8
    assert held_out["color"] > 0.3  # chance: 1/8
    assert held_out["size"] > 0.7  # chance: 1/2


def test_shuffled_labels_teach_nothing(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "shuffled")
    path = tmp_path / "shuffled" / "scenes" / "CLEVR_train_scenes.json"
    content = json.loads(path.read_text())
    things = [thing for scene in content["scenes"] for thing in scene["objects"]]
    labels = [{name: thing[name] for name in ATTRIBUTES} for thing in things]
    for thing, place in zip(things, np.random.default_rng(0).permutation(len(things)), strict=True):
        thing.update(labels[place])
    path.write_text(json.dumps(content))
    resealed(tmp_path / "shuffled")
    task = make_task(tmp_path / "shuffled", epochs=15, eval_interval=15)
    model, _ = learnt(task, tmp_path / "fit")
    found = right(model, task, "val")
    num = int(task.targets["val"].exists.sum())
    for name, values in ATTRIBUTES.items():
        chance = 1 / len(values)
        assert found[name] < chance + 4 * (chance * (1 - chance) / num) ** 0.5, name


def test_an_overfitted_network_finds_the_objects_where_they_are(overfitted, task: PerceptionTask) -> None:
    model, _ = overfitted
    beliefs = perceive(model, task.images["train"], np.tile([96, 64], (NUM_TRAIN, 1)))
    found = object_metrics(task.scenes["train"], beliefs)
    assert found["precision"] > 0.8
    assert found["recall"] > 0.6
    assert found["relations"] > 0.8
    twice = perceive(model, task.images["train"][:1], np.array([[192, 128]]))[0]
    assert twice.image_size == (192, 128)
    assert np.allclose((twice.pixels + 0.5) / 2, beliefs[0].pixels + 0.5)  # in the pixels of the file as given


def test_nothing_is_believed_of_an_empty_ground(overfitted) -> None:
    model, _ = overfitted
    grey = np.full((1, SMALL.image_height, SMALL.image_width, 3), 110, np.uint8)
    assert (perceive(model, grey, np.array([[96, 64]]))[0].presence >= 0.5).sum() == 0


# --- targets -----------------------------------------------------------------------------------------------------


def targets(points: list[list[tuple[float, float]]], exists: list[list[bool]]) -> Targets:
    shape = (len(points), len(points[0]))
    return Targets(
        torch.tensor(points), torch.zeros(*shape, 2), torch.zeros(*shape, 4, dtype=torch.int64), torch.tensor(exists)
    )


def test_the_heat_map_is_one_at_each_centre_and_nowhere_else() -> None:
    given = targets([[(0.3, 0.5), (0.81, 0.1), (0.5, 0.5)], [(0.0, 0.0)] * 3], [[True, True, False], [False] * 3])
    heat = centre_heat(given.points, given.exists, height=8, width=10, sigma=1.0)
    assert heat.shape == (2, 1, 8, 10)
    assert torch.nonzero(heat[0, 0] == 1).tolist() == [[0, 8], [4, 3]]
    assert heat[0, 0, 4, 4] == pytest.approx(np.exp(-0.5))
    assert heat[0, 0, 3, 2] == pytest.approx(np.exp(-1.0))
    assert heat[1].abs().max() == 0


def test_targets_are_the_annotations(task: PerceptionTask) -> None:
    scene, row = task.scenes["val"][3], task.targets["val"]
    num = len(scene["objects"])
    assert row.exists[3].tolist() == [True] * num + [False] * (row.exists.shape[1] - num)
    for k, thing in enumerate(scene["objects"]):
        x, y = thing["pixel_coords"][:2]
        assert row.points[3, k].tolist() == pytest.approx([(x + 0.5) / 96, (y + 0.5) / 64])
        assert (row.ground[3, k] * 3).tolist() == pytest.approx(thing["3d_coords"][:2])
        words = [values[row.attributes[3, k, i]] for i, values in enumerate(ATTRIBUTES.values())]
        assert words == [thing[name] for name in ATTRIBUTES]


# --- batches -----------------------------------------------------------------------------------------------------


def batches(task: PerceptionTask, epoch: int = 0, shard: Shard | None = None, split: str = "train"):
    return list(task.batches(split, epoch, shard or Shard()))


def pictures(batch: PerceptionBatch) -> list[bytes]:
    return [image.numpy().tobytes() for image in batch.images]


def test_an_epoch_holds_each_image_once_in_an_order_of_its_own(task: PerceptionTask) -> None:
    first, second = ([p for batch in batches(task, epoch) for p in pictures(batch)] for epoch in (0, 1))
    assert len(set(first)) == NUM_TRAIN
    assert sorted(first) == sorted(second)
    assert first != second


def test_shards_partition_each_batch(task: PerceptionTask) -> None:
    whole = batches(task)
    parts = [batches(task, shard=Shard(rank, 2)) for rank in (0, 1)]
    assert len(whole) == len(parts[0]) == len(parts[1]) == 6
    for together, *apart in zip(whole, *parts, strict=True):
        assert [len(part.images) for part in apart] == [2, 2]
        assert sorted(pictures(together)) == sorted(pictures(apart[0]) + pictures(apart[1]))


def test_validation_sees_every_image_as_it_is(task: PerceptionTask) -> None:
    seen = batches(task, split="val", shard=Shard(0, 2)) + batches(task, split="val", shard=Shard(1, 2))
    assert sum(len(batch.images) for batch in seen) == NUM_VAL
    assert all(batch.augmentation is None and torch.equal(batch.queries, batch.targets.points) for batch in seen)


def test_augmentation_depends_on_seed_and_epoch_alone(data: Path) -> None:
    one, same, other = (make_task(data, seed=seed) for seed in (1, 1, 2))
    first, again, later = batches(one)[2], batches(same)[2], batches(one, epoch=1)[2]
    assert first.augmentation is not None
    assert torch.equal(first.augmentation, again.augmentation)
    assert torch.equal(first.queries, again.queries)
    assert first.noise_seed == again.noise_seed
    for different in (later, batches(other)[2]):
        assert not torch.equal(first.augmentation, different.augmentation)
    images = first.images.permute(0, 3, 1, 2).float()
    changed = augment_images(images, first.augmentation, first.noise_seed)
    assert torch.equal(changed, augment_images(images, first.augmentation, first.noise_seed))
    assert (changed - images).abs().mean() > 1
    assert not torch.equal(changed, augment_images(images, first.augmentation, first.noise_seed + 1))
    assert torch.equal(changed[1:3], augment_images(images[1:3], first.augmentation[1:3], first.noise_seed))


def test_augmentation_is_gain_shift_blur_and_noise() -> None:
    image = torch.zeros(1, 3, 5, 5)
    image[..., 2, 2] = 90.0
    plain = torch.tensor([[1.0, 1, 1, 0, 0, 0]])
    assert torch.equal(augment_images(image, plain, 0), image)
    changed = augment_images(image, torch.tensor([[1.0, 2, 1, 5, 0.5, 0]]), 0)[0]
    expected = torch.full((5, 5), 5.0)
    expected[1:4, 1:4] = 10.0
    expected[2, 2] = 55.0
    assert torch.allclose(changed[0], expected)
    assert changed[1, 2, 2] == pytest.approx(2 * 50 + 5)
    noisy = augment_images(torch.full((1, 3, 50, 50), 100.0), torch.tensor([[1.0, 1, 1, 0, 0.175, 3.0]]), 1)
    assert float(noisy.std()) == pytest.approx(3.0, rel=0.05)
    flat = augment_images(torch.full((1, 3, 8, 8), 100.0), torch.tensor([[1.0, 1, 1, 0, 0.2, 0]]), 1)
    assert torch.allclose(flat, torch.full_like(flat, 100.0))  # blur leaves the border alone


def test_without_augmentation_the_image_is_left_alone(task: PerceptionTask) -> None:
    assert all(batch.augmentation is None for batch in batches(task))


def test_the_curriculum_admits_full_scenes_later_and_changes_the_order(data: Path, task: PerceptionTask) -> None:
    easy = make_task(data, curriculum=True)
    limits = [easy.curriculum(epoch)["curriculum/max_objects"] for epoch in range(TRAINING.epochs)]
    assert limits == sorted(limits)
    assert (limits[0], limits[TRAINING.epochs // 2], limits[-1]) == (4, 10, 10)
    most = [max(int(batch.targets.exists.sum(1).max()) for batch in batches(easy, epoch)) for epoch in (0, 39)]
    counts = task.targets["train"].exists.sum(1)
    assert most == [4, int(counts.max())]
    assert sum(len(batch.images) for batch in batches(easy)) == int((counts <= 4).sum())
    assert task.curriculum(0) == {}


# --- bad input ---------------------------------------------------------------------------------------------------


def test_a_corrupt_image_is_one_line(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "harmed")
    victim = tmp_path / "harmed" / "images" / "train" / "CLEVR_train_000007.png"
    victim.write_bytes(victim.read_bytes()[:-300])
    resealed(tmp_path / "harmed")
    with pytest.raises(InputError, match=rf"^{victim}: cannot be decoded .*; restore it from a copy, or make"):
        make_task(tmp_path / "harmed")
