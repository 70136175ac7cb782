"""`nsmodels.load` and `nsmodels.report`; and a data root that moves with everything in it."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import nsmodels
from nsmodels.core import artifact, disk
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import inventory
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass(frozen=True)
class Root:
    """A data root with maps, a navigator of preset debug, a report on it, and a partition with both."""

    path: Path

    def train(self) -> artifact.Manifest:
        from nsmodels.systems.nav import SYSTEM
        from nsmodels.systems.nav.config import debug

        small = debug().with_values(
            {"training.epochs": 1, "training.max_steps": 2, "training.save_interval": 1, "training.device": "cpu"}
        )
        return orders.train(SYSTEM, small, self.path / "mazes", self.path / "nav_model", data_key="mazes")

    def evaluate(self) -> None:
        place = self.path / "nav_evaluation"
        inputs = {"nav_model": self.path / "nav_model", "mazes": self.path / "mazes"}
        recipe = {"config": {"split": "test"}, "code_version": "1", "inputs": inputs}
        with artifact.build(place, key="nav_evaluation", maker="nsmodels.systems.nav", **recipe) as part:
            disk.write_json(part.path / "report.json", {"headline": "navigator"})


@pytest.fixture(scope="module")
def root(shared: Shared, tmp_path_factory) -> Root:
    made = Root(tmp_path_factory.mktemp("root") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(made.path))
        shutil.copytree(shared.data("mazes"), made.path / "mazes")
        made.train()
        made.evaluate()
    for part in ("model", "evaluation"):
        shutil.copytree(made.path / f"nav_{part}", made.path / "nav_replicates" / "3" / part)
    return made


@pytest.fixture(autouse=True)
def _at(root, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(root.path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("nav_model", None),
        (Path("nav_model"), None),
        ("nav_replicates", "3"),
        ("nav_replicates/3", None),
        ("nav_replicates/3/model", None),
        ("mazes_replicates", "3"),
        ("mazes_replicates/3/model", None),
        ("nav_model/navigator", None),
        ("nav_model/navigator/epoch_0001.pt", None),
    ],
)
def test_a_navigator_by_any_of_its_names(name, partition):
    from nsmodels.systems.nav.network.navigator import Navigator

    navigator = nsmodels.load(name, partition, device="cpu")
    assert isinstance(navigator, Navigator)
    assert not navigator.training


def test_a_path_outside_of_the_data_root(root, tmp_path, monkeypatch):
    shutil.copytree(root.path / "nav_model", tmp_path / "taken_along")
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "nothing_here"))
    assert (
        nsmodels.load("taken_along", device="cpu").num_parameters
        == nsmodels.load(tmp_path / "taken_along").num_parameters
    )


def test_a_training_under_way_may_be_looked_at(root, tmp_path):
    shutil.copytree(root.path / "nav_model", tmp_path / ".nav_model.partial")
    (tmp_path / ".nav_model.partial" / "manifest.json").unlink()
    assert nsmodels.load(tmp_path / ".nav_model.partial" / "mlp" / "last.pt", device="cpu").num_parameters
    with pytest.raises(InputError, match="never finished"):
        nsmodels.load(tmp_path / ".nav_model.partial")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nav_modle", r"'nav_modle' does not exist or was never finished; did you mean nav_model\?$"),
        (
            "nothing",
            "'nothing' does not exist .*; if it is an asset, make it with: .* --select nothing$",
        ),
        ("gqa_model", "'gqa_model' .* never finished; if it is an asset, make it with: .* --select gqa_model$"),
        ("nav_evaluation", r"no trained model; it is an evaluation: nsmodels.report\('nav_evaluation'\)"),
        ("mazes", "no trained model; it was made by nsmodels.datasets.mazes"),
        ("nav_replicates", r"holds some \(3\); name one, as nav_replicates/3/evaluation"),
        ("nav_model/figures", "is a part of .*nav_model; give that folder"),
        ("nav_model/history.json", "not a checkpoint"),
    ],
)
def test_what_is_no_model_is_told_in_one_line(name, said):
    with pytest.raises(InputError, match=said):
        nsmodels.load(name)


def test_every_checkpoint_is_listed_with_its_metrics_and_loads_by_its_name(root, capsys):
    from nsmodels.commands import checkpoint_table
    from nsmodels.systems.nav.network.navigator import Navigator

    found = nsmodels.checkpoints("nav_model")
    names = [row["name"] for row in found]
    assert names[:3] == ["navigator/best", "navigator/last", "navigator/epoch_0001"]
    assert {name.partition("/")[0] for name in names} == {"navigator", "mlp", "cnn"}
    history = json.loads((root.path / "nav_model" / "history.json").read_text())["navigator"][0]
    assert found[2]["epoch"] == 1
    assert (found[2]["train/loss"], found[2]["val/accuracy"]) == (history["train/loss"], history["val/accuracy"])
    loaded = nsmodels.load("nav_replicates", "3", device="cpu", checkpoint="navigator/epoch_0001.pt")
    assert isinstance(loaded, Navigator)
    assert checkpoint_table.main(["nav_model"]) == 0
    assert "mlp/best" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"'navigator/epoch_0009': not one of nav_model \(navigator/best"):
        nsmodels.load("nav_model", checkpoint="navigator/epoch_0009")
    for name in ("mazes", "nav_modle"):
        with pytest.raises(InputError):
            nsmodels.checkpoints(name)


def test_checkpoints_of_an_unfinished_training_are_read_from_their_files(root, tmp_path):
    part = tmp_path / ".unfinished.partial"
    shutil.copytree(root.path / "nav_model", part)
    (part / "manifest.json").unlink()
    shutil.rmtree(part / "cnn")
    rows = nsmodels.checkpoints(tmp_path / "unfinished")
    assert {row["name"]: row["epoch"] for row in rows}["mlp/last"] == 1
    assert "cnn/best" not in [row["name"] for row in rows]


def test_reports_by_name():
    assert nsmodels.report("nav_evaluation")["headline"] == "navigator"
    assert nsmodels.report("nav_replicates", "3") == nsmodels.report("nav_evaluation")
    with pytest.raises(InputError, match=r"holds no evaluation; it is a model: nsmodels.load"):
        nsmodels.report("nav_model")


def test_the_package_itself_needs_no_torch():
    names = "nsmodels, nsmodels.loading, nsmodels.commands.checkpoint_table, nsmodels.commands.disk_usage"
    program = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_data_root_that_moved_goes_on_as_before(root, tmp_path, monkeypatch):
    from nsmodels.systems.nav.evaluation.familiarity import TrainingData

    before = {item.name: item.manifest for item in inventory.items(root.path)}
    moved = Root(tmp_path / "elsewhere" / "data")
    shutil.copytree(root.path, moved.path, copy_function=shutil.copy2)
    hidden = root.path.rename(root.path.with_name("gone"))
    monkeypatch.setenv("NSMODELS_DATA", str(moved.path))
    try:
        assert {item.name: item.manifest for item in inventory.items(moved.path)} == before
        assert moved.train() == before["nav_model"], "trained again"
        assert TrainingData.of(moved.path / "nav_model"), "data not found again"
        assert nsmodels.load("nav_model", device="cpu").num_parameters
        assert nsmodels.report("nav_evaluation")["headline"] == "navigator"
        assert artifact.verify(moved.path / "nav_model")
    finally:
        hidden.rename(root.path)
