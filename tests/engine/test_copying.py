"""What was trained once under a data root is copied: where it is, what decides, what the copy says of itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nsmodels.core import artifact
from nsmodels.core.artifact import OF_ORIGIN, Manifest
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.sealed import verification
from nsmodels.core.sealed.removal import seal_without
from nsmodels.engine.commands import plan
from nsmodels.engine.system import Stage
from nsmodels.paper import spending
from tests.children import Child
from tests.shared import Shared, Trained, resealed

pytestmark = pytest.mark.usefixtures("one_thread")


class Record:
    """A tracker."""

    def __init__(self) -> None:
        self.epochs: list[dict] = []
        self.num_closed = 0

    def epoch(self, record: dict) -> None:
        self.epochs.append(record)

    def close(self) -> None:
        self.num_closed += 1


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def trained(shared: Shared) -> Trained:
    return shared.trained("nav", "mazes")


def given(trained: Trained, root: Path, stage: Stage) -> Path:
    """The checkpoint of a stage as a replicate below the data root."""
    place = root / "some_replicates" / "0" / f"model_{stage.name}"
    shutil.copytree(trained.folder_of(stage), place)
    return place


def order_of(trained: Trained, root: Path, **more: object) -> Order:
    stage = trained.system.stages[-1]
    return Order("some_model", trained.config_of(stage), trained.inputs(stage), root / "some_model", **more)


def test_a_copy_is_the_training_and_says_whose(trained: Trained, root: Path, capsys: pytest.CaptureFixture) -> None:
    source, tracker = given(trained, root, trained.system.stages[-1]), Record()
    origin = artifact.read_manifest(source)
    order = order_of(trained, root, trackers=[tracker])
    assert any(
        f"would be copied from {source}" in line
        for line in plan.lines(trained.system, trained.system.stages[-1], order)
    )
    made = trained.system.train(order)
    assert (made.key, made.copy_of) == ("some_model", origin.key)
    assert made.files == verification.verify(order.folder).files == origin.files
    assert {name: getattr(made, name) for name in OF_ORIGIN} == {name: getattr(origin, name) for name in OF_ORIGIN}
    assert f"some_model: copied from {source}" in capsys.readouterr().err
    phases = trained.system.phases
    wanted = [each for phase in phases for each in json.loads((source / phase / "history.json").read_text())]
    assert (tracker.epochs, tracker.num_closed) == (wanted, len(phases))
    assert len(spending.of_builds([origin, made])) == 1
    assert trained.system.train(order) == made  # kept


@pytest.mark.parametrize("change", ["force", "config", "seed", "elsewhere", "code", "save_interval", "wandb"])
def test_what_differs_is_not_taken(
    trained: Trained, root: Path, change: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root, force=change == "force")
    values = {
        "config": {"training.epochs": order.config.training.epochs + 1},
        "seed": {"training.seed": 7},
        "save_interval": {"training.save_interval": 1},
        "wandb": {"training.use_wandb": True},
    }
    order = replace(order, config=order.config.with_values(values.get(change, {})))
    if change == "elsewhere":
        order = replace(order, folder=tmp_path_factory.mktemp("place") / "some_model")
    if change == "code":
        resealed(source, code_version="0")
    assert list(trained.system.twins(order)) == []


def test_one_that_kept_checkpoints_is_taken_where_some_are_to_be_kept(trained: Trained, root: Path) -> None:
    source = given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root)
    order = replace(order, config=order.config.with_values({"training.save_interval": 1}))
    first = source / trained.system.phases[0]
    (first / "epoch_0001.pt").write_bytes((first / "best.pt").read_bytes())
    resealed(source)
    assert list(trained.system.twins(order)) == [source]


def test_a_damaged_one_is_passed_over_for_the_next(trained: Trained, root: Path, capsys: pytest.CaptureFixture) -> None:
    damaged = given(trained, root, trained.system.stages[-1])
    (damaged / trained.system.phases[0] / "best.pt").write_bytes(b"x")
    shutil.copytree(trained.folder, root / "zz_model")
    order = order_of(trained, root)
    assert list(trained.system.twins(order)) == [damaged, root / "zz_model"]
    assert trained.system.train(order).copy_of
    assert f"some_model: not copied from {damaged}: {damaged}" in capsys.readouterr().err
    verification.verify(order.folder)


@pytest.mark.parametrize("change", ["other", "gone"])
def test_one_that_changes_while_it_is_copied_is_no_source(
    trained: Trained, root: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    given(trained, root, trained.system.stages[-1])
    order, copy = order_of(trained, root), shutil.copy2

    def meanwhile(path: Path, place: Path) -> None:
        if path.name == "best.pt":
            path.unlink()
            if change == "other":
                path.write_bytes(b"made again")
        copy(path, place)

    monkeypatch.setattr(shutil, "copy2", meanwhile)
    made = trained.system.train(order)
    assert not made.copy_of
    verification.verify(order.folder)


def killed(source: str, folder: str, about: dict) -> None:
    with artifact.copying(Path(source), Path(folder), **about):
        os._exit(9)


def test_what_a_killed_copy_has_left_is_not_resumed_as_a_training(
    trained: Trained, root: Path, child: Callable[..., Child]
) -> None:
    source = given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root, force=True)
    about = {"key": order.key, "maker": trained.system.package, "kind": "training", "inputs": order.inputs}
    about |= {"config": order.config.relevant(), "code_version": trained.system.code_version}
    about |= {"seed": order.config.training.seed}
    process = child(killed, str(source), str(order.folder), about, environment={"NSMODELS_DATA": str(root)})
    process.communicate()
    assert (artifact.beside(order.folder, "partial") / trained.system.phases[0] / "best.pt").exists()
    lines = list(plan.lines(trained.system, trained.system.stages[-1], order))
    assert not any("would be resumed" in line for line in lines)
    before = (source / trained.system.phases[0] / "best.pt").stat().st_mtime
    assert not trained.system.train(order).copy_of
    assert (order.folder / trained.system.phases[0] / "best.pt").stat().st_mtime > before


def test_a_copy_without_what_only_a_resume_needs_is_counted_once(trained: Trained, root: Path) -> None:
    source = given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root)
    trained.system.train(order)
    last = order.folder / trained.system.phases[0] / "last.pt"
    seal_without(order.folder, [last])
    found = spending.of_builds([artifact.read_manifest(order.folder), artifact.read_manifest(source)])
    assert [each.key for each in found] == [artifact.read_manifest(source).key]


def test_data_that_were_made_again_are_different_data(trained: Trained, root: Path) -> None:
    given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root)
    assert list(trained.system.twins(order))
    data = shutil.copytree(trained.data, root / "mazes")
    same = replace(order, inputs=Inputs.of(data))
    assert list(trained.system.twins(same))
    resealed(data, created="2001-01-01T00:00:00+00:00")
    assert list(trained.system.twins(same)) == []


def leave_unfinished(folder: Path, **recipe: object) -> None:
    with artifact.build(folder, **recipe) as part:
        (part.path / "left").write_text("x")
        raise ZeroDivisionError


def test_unfinished_work_of_the_same_training_gives_way(trained: Trained, root: Path) -> None:
    given(trained, root, trained.system.stages[-1])
    order = order_of(trained, root)
    about = {"key": order.key, "maker": trained.system.package, "kind": "training", "inputs": order.inputs}
    about |= {"config": order.config.relevant(), "code_version": trained.system.code_version}
    with pytest.raises(ZeroDivisionError):
        leave_unfinished(order.folder, seed=order.config.training.seed, **about)
    assert artifact.beside(order.folder, "partial").exists()
    trained.system.train(order)
    assert not artifact.beside(order.folder, "partial").exists()
    assert not (order.folder / "left").exists()


def test_each_stage_of_a_chain_is_copied_though_its_parent_has_a_different_name(shared: Shared, root: Path) -> None:
    chain = shared.trained("world", "impacts")
    before: tuple[str, Path] | None = None
    for stage in chain.system.stages:
        given(chain, root, stage)
    made: list[Manifest] = []
    for stage in chain.system.stages:
        key = f"own_{stage.name}"
        inputs = Inputs.of(chain.data, parent=before if stage.starts_from else None)
        made.append(chain.system.train(Order(key, chain.config_of(stage), inputs, root / key), stage.name))
        before = key, root / key
    assert all(manifest.copy_of for manifest in made)
    resealed(before[1].with_name(f"own_{chain.system.stages[-2].name}"), created="2001-01-01T00:00:00+00:00")
    last = chain.system.stages[-1]
    again = replace(Order("again", chain.config_of(last), inputs, root / "again"))
    assert list(chain.system.twins(again, last.name))  # equal files
    (inputs.parent / "more").write_text("x")
    resealed(inputs.parent)
    assert list(chain.system.twins(again, last.name)) == []
