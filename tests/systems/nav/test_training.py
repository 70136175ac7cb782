"""Training of the navigator: supervision, batches of maps, learning, resuming after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files.format import read_index, read_split
from nsmodels.datasets.mazes.prepare import prepare
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.nav import NAVIGATOR
from nsmodels.systems.nav.config import BaselineConfig, DataConfig, ModelConfig, ObjectiveConfig, debug
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.phases import make_trial
from nsmodels.systems.nav.planning.heuristics import greedy
from nsmodels.systems.nav.planning.plan import plan
from nsmodels.systems.nav.planning.rollout import roll_out
from nsmodels.systems.nav.training.maps import LabelledMaps, TrainingMaps
from nsmodels.systems.nav.training.plain import PlainTask, load_plain
from nsmodels.systems.nav.training.task import NavigationTask
from tests.shared import Shared, resealed

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = ModelConfig(dim=24, group_width=24, num_segments=3)
STEPS = TrainingConfig(epochs=6, batch_size=32, lr=6e-3, ema_decay=0.9, device="cpu", num_workers=0)


def made(folder: Path, **fields) -> Path:
    """Data with a few small maps."""
    values = {"num_train": 1500, "num_val": 60, "num_test": 60, "num_transfer": 0, "sides": [6], "detour_share": 0.9}
    prepare(MazesConfig(**{**values, **fields}), folder.name, folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("data") / "mazes")


@pytest.fixture(scope="module")
def maps(data: Path) -> TrainingMaps:
    return TrainingMaps(data, DataConfig(), STEPS)


def task_of(maps: TrainingMaps, **objective) -> NavigationTask:
    return NavigationTask(maps, TINY, ObjectiveConfig(**objective), STEPS)


# --- what is learnt ----------------------------------------------------------------------------------------------


def test_it_learns_to_plan_and_does_not_from_shuffled_labels(data: Path, tmp_path: Path) -> None:
    honest = TrainingMaps(data, DataConfig(), STEPS)
    fit = loop.fit(task_of(honest), STEPS, tmp_path / "honest")
    (held_out,) = honest.val
    rule = roll_out(greedy(held_out.maps), held_out.maps).success.mean()
    assert fit.best["epoch"] > 4
    assert fit.history[-1]["val/success"] > max(0.8, rule + 0.1)
    assert fit.history[-1]["val/accuracy"] > 0.85

    shuffled = TrainingMaps(data, DataConfig(), STEPS)
    (group,) = shuffled.train
    rows = np.random.default_rng(0).permutation(len(group))
    shuffled.train = [LabelledMaps(group.maps, type(group.labels)(*(part[rows] for part in group.labels)))]
    lost = loop.fit(task_of(shuffled, horizon=0), STEPS, tmp_path / "shuffled")
    assert lost.history[-1]["val/accuracy"] < prior_accuracy(honest) + 0.05
    assert lost.history[-1]["val/success"] < rule


def prior_accuracy(maps: TrainingMaps) -> float:
    """Of taking in each cell the action that is most often right there: all that maps with others' labels can teach."""
    (train,), (val,) = maps.train, maps.val
    usual = action_sets(train.labels.optimal, 4).mean(0).argmax(0)
    sets = action_sets(val.labels.optimal, 4)
    taken = np.take_along_axis(sets, np.broadcast_to(usual, (len(val), 1, *usual.shape)), 1)[:, 0]
    return float(taken[sets.any(1)].mean())


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_plain_networks_learn_something(maps: TrainingMaps, tmp_path: Path, name: str) -> None:
    task = PlainTask(name, maps, BaselineConfig(mlp_dim=64, cnn_depth=3), STEPS, num_parameters=8_000)
    fit = loop.fit(task, STEPS, tmp_path / name)
    sets = action_sets(maps.val[0].labels.optimal, 4)
    assert fit.history[-1]["val/accuracy"] > sets.mean(1)[sets.any(1)].mean() + 0.1
    (network,) = load_plain(tmp_path, "cpu").values()
    assert network.accepts(maps.val[0].maps)
    assert network.policy(maps.val[0].maps).actions.shape == (60, 6, 6)


@pytest.mark.parametrize("fields", [{"connectivity": 8}, {"max_cell_cost": 5}, {"heights": [5], "widths": [9]}])
def test_other_maps_can_be_learnt_from(tmp_path: Path, fields: dict) -> None:
    folder = made(tmp_path / "mazes", num_train=64, num_val=20, num_test=20, **fields)
    config = debug().with_values({"training.device": "cpu", "baselines.is_enabled": False})
    fit = make_trial(NAVIGATOR, config, folder).fit(tmp_path / "model" / NAVIGATOR)
    assert fit.history[-1]["train/loss"] < fit.history[0]["train/loss"]


# --- supervision -------------------------------------------------------------------------------------------------


def test_a_cell_is_supervised_only_within_and_beyond_the_horizon(maps: TrainingMaps) -> None:
    task = task_of(maps, horizon=0.5)
    batch, model = next(iter(task.batches("val", 0, Shard()))), task.build()
    for number in (1, 2, 3):
        carried = number * model.steps_per_segment * model.core.reach
        mask = task._horizon_mask(model, batch.cells, number)
        assert (batch.cost[mask.within] <= carried / 2).all()
        assert (batch.cost[mask.within] > 0).all()
        assert (batch.cost[mask.beyond] > carried).all()
        assert not mask.beyond[~batch.free].any()
    everything = task_of(maps, horizon=0)._horizon_mask(model, batch.cells, 1)
    assert torch.equal(everything.within, torch.isfinite(batch.cost) & (batch.cost > 0))


@pytest.mark.parametrize("output", ["softmax", "stablemax"])
def test_actions_may_share_one_probability(maps: TrainingMaps, output: str) -> None:
    task = NavigationTask(maps, TINY.with_values({"output": output}), ObjectiveConfig(), STEPS)
    model, batch = task.build(), next(iter(task.batches("train", 0, Shard())))
    loss, _ = task.loss(model, batch)
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    policy = model.eval().policy(maps.val[0].maps)
    assert policy.probabilities.sum(1) == pytest.approx(1, abs=1e-4)


# --- batches of maps ---------------------------------------------------------------------------------------------


def test_turned_maps_carry_the_labels_of_turned_maps(maps: TrainingMaps) -> None:
    for k in range(8):
        transformed, labels = maps.train[0].transformed(np.arange(50), k)
        again = label(transformed)
        assert np.array_equal(again.optimal, labels.optimal)
        assert np.array_equal(again.cost_to_go, labels.cost_to_go)


def test_an_epoch_shows_every_map_once_and_the_next_one_in_another_order(maps: TrainingMaps) -> None:
    first, second = ([part.rows for part in maps.batches("train", n, Shard()).index_batches] for n in (0, 1))
    assert sorted(np.concatenate(first)) == list(range(1500))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))


def test_batches_of_mixed_sizes_hold_one_shape_each(tmp_path: Path) -> None:
    folder = made(tmp_path / "mazes", sides=[6, 7, 9], num_train=100)
    batches = TrainingMaps(folder, DataConfig(), STEPS).batches("train", 0, Shard())
    maps = TrainingMaps(folder, DataConfig(), STEPS)
    mlp = PlainTask("mlp", maps, BaselineConfig(mlp_dim=8), STEPS, num_parameters=1_000)
    assert all(mlp.loss(mlp.build(), batch)[0].isfinite() for batch in batches)
    shapes = [tuple(batch.inputs.shape[2:]) for batch in batches]
    assert set(shapes) == {(6, 6), (7, 7), (9, 9)}
    assert all(len(batch.inputs) == 32 for batch in batches)


def test_fewer_maps_are_the_first_of_more(data: Path, maps: TrainingMaps) -> None:
    few = TrainingMaps(data, DataConfig(max_maps=100), STEPS)
    assert np.array_equal(few.train[0].maps.free, maps.train[0].maps.free[:100])
    with pytest.raises(InputError, match=r"data\.max_maps: 2000 requested, but the data have 1500 training maps"):
        TrainingMaps(data, DataConfig(max_maps=2000), STEPS)


def test_fresh_maps_are_new_each_epoch_and_never_those_held_out(data: Path) -> None:
    fresh = TrainingMaps(data, DataConfig(fresh_maps=True, augment=False), STEPS)
    epochs = [torch.cat([batch.inputs for batch in fresh.batches("train", epoch, Shard())]) for epoch in (0, 1, 0)]
    assert torch.equal(epochs[0], epochs[2])
    assert not torch.equal(epochs[0], epochs[1])
    index = read_index(data)
    held_out = set(index.loc[index["split"] != "train", "mark"])
    assert held_out.isdisjoint(mark(epochs[0][:, 0].numpy() > 0))


# --- a checkpoint ------------------------------------------------------------------------------------------------


def test_checkpoint_and_history_have_the_usual_keys(shared: Shared) -> None:
    folder = shared.model("nav")
    manifest = artifact.read_manifest(folder)
    payload = checkpoint.load(folder / "navigator" / "best.pt")
    assert {"val_acc", "val_loss", "optimizer_state_dict", "epoch"} <= payload.keys()
    assert {"grid_size": 8, "dim": 16, "depth": 2, "dropout": 0.0}.items() <= payload["config"].items()
    history = json.loads((folder / "history.json").read_text())
    assert history["val_acc"] == [record["val/accuracy"] for record in history["navigator"]]
    assert {"train_loss", "train_acc", "val_loss", "mlp", "cnn"} <= history.keys()
    assert manifest.metrics["num_parameters"] < 50_000
    navigator = load_navigator(folder, "cpu")
    with pytest.raises(InputError, match="cost: this network was trained on maps where every move costs 1"):
        plan(navigator, np.ones((8, 8), bool), (0, 0), (7, 7), cost=np.full((8, 8), 3))


def test_data_without_a_validation_split_are_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "mazes", num_train=20, num_val=5, num_test=5)
    index = read_index(folder)
    index[index["split"] != "val"].to_parquet(folder / "index.parquet", index=False)
    resealed(folder)
    with pytest.raises(InputError, match="no split 'val'"):
        TrainingMaps(folder, DataConfig(), STEPS)
    assert len(read_split(folder, "train").index) == 20
