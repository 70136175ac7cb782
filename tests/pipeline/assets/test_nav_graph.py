"""The real graph from mazes to figures with the debug presets, and what its checks say of broken files."""

import json
import re
import shutil

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.systems.nav import NAVIGATOR, SYSTEM
from nsmodels.systems.nav.figures import CODE_VERSION
from pipeline.assets.systems import nav_checks
from pipeline.definitions import defs
from pipeline.lib import checks
from pipeline.lib.runs.summary import Summary
from tests.pipeline.jobs import job_of
from tests.shared import resealed

GENERIC = ("losses_are_finite", "reproduces_its_score")

pytestmark = pytest.mark.usefixtures("one_thread")

DEBUG = {"config": {"preset": "debug"}}
# What has presets; `mazes` itself is not asked for and is made on the spot.
TRAINED = ("nav_model", "nav_grid_search", "nav_data_scaling")
KEYS = (*TRAINED, "nav_evaluation", "nav_training_curves", "nav_success", "nav_policies")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The data root after one run of the whole graph in an empty store, and the result of the run."""
    root = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("NSMODELS_DATA", str(root))
        job = job_of(defs(), KEYS)
        asked = [dg.AssetKey(key) for key in KEYS]
        config = {"ops": dict.fromkeys(TRAINED, DEBUG)}
        yield (
            root,
            job.execute_in_process(run_config=config, instance=instance, raise_on_error=False, asset_selection=asked),
        )


@pytest.fixture
def copy(made, tmp_path):
    """A copy of an artifact, to be broken."""
    return lambda key: shutil.copytree(made[0] / key, tmp_path / key)


def metadata_of(made, key):
    """What the page of an asset shows."""
    (event,) = [e for e in made[1].get_asset_materialization_events() if e.asset_key.to_user_string() == key]
    return event.materialization.metadata


def test_every_asset_is_made_from_the_one_before_and_mazes_on_the_spot(made):
    root, done = made
    keys = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    assert keys == {*KEYS, "mazes"}
    data, model, scored = (read_manifest(root / key) for key in ("mazes", "nav_model", "nav_evaluation"))
    assert data.config["num_train"] == 64
    assert model.inputs["mazes"].fingerprint == data.fingerprint
    assert scored.inputs["nav_model"].fingerprint == model.fingerprint
    assert scored.source == model.source == "synthetic mazes"
    for key in ("nav_grid_search", "nav_data_scaling"):
        study = read_manifest(root / key)
        assert study.inputs["mazes"].fingerprint == data.fingerprint
        assert {"report.json", "table.txt", f"figures/{key}.pdf", f"figures/{key}.png"} <= study.files.keys()


def test_the_last_lines_have_the_score_beside_its_best_baseline(made):
    root, _ = made
    manifest = read_manifest(root / "nav_evaluation")
    ended = Summary({"nav_evaluation": (manifest, root / "nav_evaluation", True)}, 3, ["nav_model, a_check: too low"])
    _, line, *rest = ended.lines()
    assert line.startswith(f"nav_evaluation  reused, {root}/nav_evaluation, synthetic mazes, success ")
    assert re.search(r"success [\d.]+% \([\d.]+–[\d.]+\), best baseline \w+ [\d.]+%$", line)
    assert rest[:2] == ["checks: 3 passed, 1 failed", "  nav_model, a_check: too low"]
    assert Summary().lines() == []


def test_the_page_of_the_model_shows_curves_walks_and_policies(made):
    shown = metadata_of(made, "nav_model")
    assert {"first_look/navigator", "first_look/greedy", "first_look/chance", "navigator_curves"} <= shown.keys()
    assert "first 24 val maps" in shown["first_look"].value
    assert "data:image/png;base64" in shown["gallery"].value


def test_the_page_of_a_study_shows_table_figure_and_the_best_beside_greedy_and_chance(made):
    key = "nav_data_scaling"
    shown = metadata_of(made, key)
    assert {"table", key, "best/success", "greedy/success", "chance/success"} <= shown.keys()


def test_the_page_of_a_search_shows_table_figures_and_the_best_beside_the_unchanged(made):
    shown = metadata_of(made, "nav_grid_search")
    assert {"table", "nav_grid_search", "slices", "best/value", "unchanged/value"} <= shown.keys()


@pytest.mark.parametrize("key", ["nav_training_curves", "nav_success", "nav_policies"])
def test_figures_are_pdf_and_png_and_name_their_data(made, key):
    from PIL import Image

    assert read_manifest(made[0] / key).code_version == CODE_VERSION  # else it would be drawn again each time
    pictures = list((made[0] / key).glob("*.png"))
    assert pictures
    for path in pictures:
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        with Image.open(path) as picture:
            assert "Data: synthetic mazes" in picture.info["Description"]


def test_every_check_ran_and_those_of_the_machinery_pass(made):
    found = {(e.asset_key.to_user_string(), e.check_name): e for e in made[1].get_asset_check_evaluations()}
    expected = {(key, name) for key, judges in nav_checks.CHECKS.items() for name in judges}
    generic = {("nav_evaluation", "no_regression"), *(("nav_model", name) for name in GENERIC)}
    seals = {(key, "seal") for key in KEYS}
    assert found.keys() == {*expected, *generic, *seals}
    sound = ("losses_are_finite", "reproduces_its_score", "search_is_perfect", "no_regression", "seal")
    said = {key: (event.passed, event.description) for key, event in found.items() if key[1] in sound}
    assert all(passed for passed, _ in said.values()), said
    assert found["nav_evaluation", "thinking_longer_is_safe"].severity == dg.AssetCheckSeverity.WARN


def test_losses_that_are_not_finite_fail(copy):
    folder = copy("nav_model")
    edit(folder / "history.json", lambda history: history["cnn"][0].update({"train/loss": float("nan")}))
    assert checks.losses_are_finite(folder).message == "cnn, epoch 1: train/loss is nan"
    edit(folder / "history.json", lambda history: history["cnn"][0].update({"train/loss": 1.0}))
    edit(folder / "history.json", lambda history: history.update({"val_acc": [0.5, float("inf")]}))
    assert checks.losses_are_finite(folder).message == "val_acc, epoch 2: val_acc is inf"


def test_another_loss_than_that_of_the_training_fails(copy):
    folder = copy("nav_model")
    assert checks.reproduces(SYSTEM, NAVIGATOR)(folder).passed
    edit(folder / "history.json", lambda history: [row.update({"val/loss": 0.01}) for row in history["navigator"]])
    assert not checks.reproduces(SYSTEM, NAVIGATOR)(folder).passed


def test_weights_of_nothing_do_not_reproduce_the_score_nor_beat_greedy(copy):
    import torch

    folder = copy("nav_model")
    path = folder / "navigator" / "best.pt"
    payload = torch.load(path, weights_only=True)
    for weight in payload["model_state_dict"].values():
        weight.zero_()
    path.unlink()  # its content may have a second name
    torch.save(payload, path)
    resealed(folder)
    assert not checks.reproduces(SYSTEM, NAVIGATOR)(folder).passed
    assert not nav_checks.beats_greedy(folder).passed


def test_a_report_at_the_rule_an_imperfect_search_and_harm_by_thinking_fail(copy):
    folder = copy("nav_evaluation")

    def spoil(report):
        report["success"]["value"] = report["baselines"]["greedy"]["success"]
        report["baselines"]["astar"]["optimal"] = 0.99
        report["steps"]["thinking_longer"] |= {"is_safe": False, "success": -1.0}

    edit(folder / "report.json", spoil)
    assert not nav_checks.evaluation_beats_greedy(folder).passed
    assert nav_checks.search_is_perfect(folder).message == "success 100.00%, optimal 99.00%"
    assert "success -1.00 points" in nav_checks.thinking_longer_is_safe(folder).message


def test_a_study_is_judged_by_its_best_trial(copy):
    folder = copy("nav_data_scaling")

    def set_best(report, success):
        best = next(trial for trial in report["trials"] if trial["name"] == report["best"])
        best["success"]["value"] = success

    edit(folder / "report.json", lambda report: set_best(report, 1.0))
    assert nav_checks.best_beats_greedy(folder).passed
    edit(folder / "report.json", lambda report: set_best(report, 0.0))
    assert not nav_checks.best_beats_greedy(folder).passed


def edit(path, change):
    """Change the JSON in a file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
