from __future__ import annotations

import json
import sys

import pytest

from nsmodels.core.errors import InputError
from nsmodels.engine import tracking
from nsmodels.engine.loop import fit
from tests.engine.toy import CONFIG, Toy


def record(epoch):
    losses = {"train/loss": 1 / epoch, "val/loss": 2 / epoch}
    return {"epoch": epoch, **losses, "lr": 0.1, "seconds": 60.0, "samples_per_second": 7.0}


def test_json_lines_repeat_and_lose_nothing_on_a_resume(tmp_path):
    path = tmp_path / "metrics.jsonl"
    tracker = tracking.JsonLines(path)
    for epoch in (1, 2, 3):
        tracker.epoch(record(epoch))
    tracker.close()
    with path.open("a") as file:
        file.write('{"epoch": 4, "tr')
    again = tracking.JsonLines(path, [record(1), record(2)])
    again.epoch(record(3))
    again.close()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [record(1), record(2), record(3)]


def test_a_line_per_epoch_names_what_matters(capsys):
    tracking.Lines(CONFIG.model_copy(update={"epochs": 62}), "parser").epoch(record(2))
    assert capsys.readouterr().err == (
        "parser  epoch 2/62  train/loss 0.5  val/loss 1  lr 1.00e-01  7 samples/s  1:00:00 left\n"
    )


def test_tensorboard_holds_the_history(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = CONFIG.model_copy(update={"use_tensorboard": True, "epochs": 2})
    result = fit(Toy(config), config, tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    written = [(e.step, e.value) for e in events.Scalars("val/loss")]
    assert written == [(r["epoch"], pytest.approx(r["val/loss"])) for r in result.history]


def test_weights_and_biases_offline_continues_the_same_run(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}.items():
        monkeypatch.setenv(name, value)
    config = CONFIG.model_copy(update={"use_wandb": True, "epochs": 1})
    fit(Toy(config), config, tmp_path)
    known = (tmp_path / "wandb_id.txt").read_text()
    longer = config.model_copy(update={"epochs": 2})
    fit(Toy(longer), longer, tmp_path)
    assert (tmp_path / "wandb_id.txt").read_text() == known
    tracking.end(longer, tmp_path, {"val/loss": 0.25}, picture(tmp_path))
    assert len(list((tmp_path / "wandb").glob(f"offline-run-*-{known}"))) >= 1
    assert (tmp_path / "wandb_id.txt").read_text() == known


def test_weights_and_biases_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"use_wandb: .* pip install 'nsmodels\[wandb\]'"):
        tracking.WeightsAndBiases(CONFIG, tmp_path, {})


def test_weights_and_biases_without_key_or_network_is_one_line_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"use_wandb: no key for http://127.0.0.1:9; .*WANDB_MODE=offline"):
        tracking.require_wandb()
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    with pytest.raises(InputError, match=r"does not answer \(ConnectionError\); .*WANDB_MODE=offline"):
        tracking.require_wandb()
    monkeypatch.setenv("WANDB_MODE", "offline")
    tracking.require_wandb()


def picture(folder):
    from PIL import Image

    path = folder / "curves.png"
    Image.new("RGB", (8, 8), "red").save(path)
    return {"curves": path}


@pytest.mark.filterwarnings("ignore:The ``noload``", "ignore:.*deprecat:DeprecationWarning")
def test_mlflow_continues_the_same_run_and_ends_with_figures_and_pictures(tmp_path, monkeypatch):
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".things_model.partial" / "parser"
    config = CONFIG.model_copy(update={"use_mlflow": True, "epochs": 1})
    fit(Toy(config), config, folder)
    longer = config.model_copy(update={"epochs": 2})
    result = fit(Toy(longer), longer, folder)
    tracking.end(longer, folder, {"val/loss": 0.25, "device": "cpu"}, picture(tmp_path))
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    [run] = client.search_runs([client.get_experiment_by_name("nsmodels").experiment_id])
    assert (run.info.run_name, run.info.status) == ("things_model/parser", "FINISHED")
    assert run.data.params["training.epochs"] == "1"
    assert run.data.metrics["final/val/loss"] == 0.25
    written = [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "val/loss")]
    assert written == [(r["epoch"], pytest.approx(r["val/loss"])) for r in result.history]
    assert [each.path for each in client.list_artifacts(run.info.run_id, "figures")] == ["figures/curves.png"]


@pytest.mark.filterwarnings("ignore:.*deprecat:DeprecationWarning")
def test_mlflow_without_the_package_or_with_a_bad_store_is_one_line(tmp_path, monkeypatch):
    config = CONFIG.model_copy(update={"use_mlflow": True, "mlflow_uri": "nothing://here"})
    with pytest.raises(InputError, match="use_mlflow: nothing://here: "):
        tracking.MLflow(config, tmp_path, {})
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(InputError, match=r"use_mlflow: .* pip install 'nsmodels\[mlflow\]'"):
        tracking.require(config)


def test_tensorboard_gets_the_pictures_of_the_end(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = CONFIG.model_copy(update={"use_tensorboard": True, "epochs": 1})
    fit(Toy(config), config, tmp_path)
    tracking.end(config, tmp_path, {}, picture(tmp_path))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["images"] == ["curves"]
    assert events.Tags()["scalars"]


def test_given_trackers_hear_of_epochs_and_steps_and_are_closed(tmp_path):
    heard = []

    class Ear:
        def epoch(self, record):
            heard.append(record["epoch"])

        def step(self, step, values):
            heard.append((step, sorted(values)))

        def close(self):
            heard.append("closed")

    config = CONFIG.model_copy(update={"epochs": 2, "batch_size": 4})
    fit(Toy(config), config, tmp_path, [Ear()])
    assert heard == [1, (50, ["lr", "train/loss"]), 2, "closed"]
