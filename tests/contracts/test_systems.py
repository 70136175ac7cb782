"""What holds of every system, whatever it is: parametrised over the folders. A new system adds one line to `DATA`."""

from __future__ import annotations

import importlib
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

import nsmodels
from nsmodels.__main__ import main
from nsmodels.core import artifact, discover
from nsmodels.core.config import Config
from nsmodels.evaluation import ledger
from nsmodels.evaluation.outcomes import read_outcomes

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = discover.systems()
# The dataset on whose debug() data a system's debug() is trained.
DATA = {"visual": "clevr", "nav": "mazes"}
GOLDEN = Path(__file__).parents[1] / "golden"
# Processors with other vector units sum in another order, and the first steps amplify that rounding a little; a change
# of data, model or loss moves these figures by far more.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Trained:
    """A debug checkpoint and the data it was trained on."""

    name: str
    data: Path
    folder: Path

    def again(self, *flags: str) -> None:
        command = [self.name, "train", "--preset", "debug", "--data", str(self.data), "--out", str(self.folder)]
        assert main([*command, "--device", "cpu", *flags]) == 0

    @property
    def seal(self) -> tuple[int, int]:
        """Another one whenever the checkpoint was made again."""
        state = (self.folder / artifact.MANIFEST).stat()
        return state.st_ino, state.st_mtime_ns


@pytest.fixture(scope="module", params=NAMES)
def trained(request, tmp_path_factory) -> Trained:
    root = tmp_path_factory.mktemp(request.param)
    dataset = DATA[request.param]
    prepare = discover.module("datasets", dataset, "prepare").prepare
    prepare(discover.module("datasets", dataset, "config").debug(), dataset, root / dataset)
    made = Trained(request.param, root / dataset, root / "model")
    made.again()
    return made


def losses(folder: Path) -> dict[str, list[float]]:
    """The training losses of each phase, epoch by epoch; columns of plain numbers beside them are passed over."""
    history: Any = json.loads((folder / "history.json").read_text())
    phases = history if isinstance(history, dict) else {"": history}
    records = {phase: epochs for phase, epochs in phases.items() if isinstance(epochs[0], dict)}
    return {phase: [epoch["train/loss"] for epoch in epochs] for phase, epochs in records.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    config = discover.module("systems", name, "config")
    assert (discover.ROOT / "systems" / name / "README.md").is_file()
    assert isinstance(config.CODE_VERSION, str)
    assert {"debug", "quick", "base", "paper"} <= config.PRESETS.keys()
    for label, preset in config.PRESETS.items():
        assert isinstance(preset(), Config)
        assert preset.__doc__, f"preset {label} says nothing of data, time and score"


def test_debug_gives_a_sealed_checkpoint(trained: Trained) -> None:
    manifest = artifact.verify(trained.folder)
    assert manifest.maker == f"nsmodels.systems.{trained.name}"
    assert manifest.code_version == discover.module("systems", trained.name, "config").CODE_VERSION
    data = artifact.read_manifest(trained.data)
    assert [record.fingerprint for record in manifest.inputs.values()] == [data.fingerprint]
    assert manifest.source == data.source
    assert manifest.wall_seconds < 60
    assert all(math.isfinite(value) for value in manifest.metrics.values() if isinstance(value, float))


def test_weights_load_without_running_code(trained: Trained) -> None:
    paths = list(trained.folder.rglob("*.pt"))
    assert paths
    for path in paths:
        payload = torch.load(path, weights_only=True)
        states = {"model_state_dict", "optimizer_state_dict", "scheduler_state_dict"}
        assert states | {"epoch", "val_metrics", "args", "config"} <= payload.keys(), path


def test_first_losses_are_the_golden_ones(trained: Trained) -> None:
    found = losses(trained.folder)
    wanted = json.loads((GOLDEN / f"{trained.name}.json").read_text())
    assert found == {phase: pytest.approx(values, rel=TOLERANCE) for phase, values in wanted.items()}, json.dumps(found)


def test_unchanged_it_is_reused_and_forced_it_repeats_itself(trained: Trained) -> None:
    seal, before = trained.seal, losses(trained.folder)
    trained.again()
    assert trained.seal == seal
    trained.again("--force")
    assert trained.seal != seal
    assert losses(trained.folder) == before


def test_the_checkpoint_alone_is_enough_to_evaluate(trained: Trained, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(trained.folder, moved)
    report = tmp_path / "report.json"
    command = ["evaluate", "--checkpoint", str(moved), "--data", str(trained.data), "--json", str(report)]
    assert main([trained.name, *command]) == 0
    result = json.loads(report.read_text())
    assert result["data"]["source"] == artifact.read_manifest(trained.data).source
    assert result["rows"]
    assert result["baselines"]


def test_an_evaluation_keeps_what_its_score_is_the_mean_of(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    folder, make = tmp_path / "evaluation", discover.module("systems", trained.name, "evaluate").make_evaluation
    made = make(trained.folder, trained.data, folder, checkpoint_key="model", data_key="data", device="cpu")
    outcomes, (entry,) = read_outcomes(folder), ledger.entries()
    assert outcomes.mean == pytest.approx(made.metrics["accuracy"])
    model, config = artifact.read_manifest(trained.folder), discover.module("systems", trained.name, "config")
    assert (entry.score, entry.n, entry.seed) == (outcomes.mean, len(outcomes.items), model.seed)
    assert (entry.system, entry.dataset, entry.code_version) == (trained.name, "data", config.CODE_VERSION)
    report = json.loads((folder / "report.json").read_text())
    assert [entry.low, entry.high] == pytest.approx(report["rows"][report["headline"]]["interval"])
    assert made.code_version == config.EVALUATION_VERSION
    assert entry.num_parameters == model.metrics["num_parameters"] > 0
    assert 0 < entry.train_cpu_seconds == model.metrics["train_cpu_seconds"]
    assert "chance" in entry.baselines or "random" in entry.baselines
    seal = (folder / artifact.MANIFEST).stat().st_ino
    shutil.rmtree(tmp_path / ledger.LEDGER)
    make(trained.folder, trained.data, folder, checkpoint_key="model", data_key="data", device="cpu")
    assert (folder / artifact.MANIFEST).stat().st_ino == seal
    assert ledger.entries()[0].id == entry.id  # one that is kept is entered too


def test_its_model_and_each_network_are_loaded_by_name(trained: Trained) -> None:
    package = discover.module("systems", trained.name, "config").__package__
    assert type(nsmodels.load(trained.folder, device="cpu")).__module__.startswith(package)
    phases = importlib.import_module(package).PHASES
    assert set(phases) == {path.parent.name for path in trained.folder.glob("*/best.pt")}
    for phase in phases:
        network = nsmodels.load(trained.folder / phase / "last.pt", device="cpu")
        saved = torch.load(trained.folder / phase / "last.pt", weights_only=True)["model_state_dict"]
        assert not network.training
        assert all(torch.equal(network.state_dict()[name], value) for name, value in saved.items())
