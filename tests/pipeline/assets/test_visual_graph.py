"""The real graph from data to figures with the debug presets, and what its checks say of broken files."""

import json
import shutil

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.systems.visual import SYSTEM
from pipeline.assets.datasets.clevr import CLEVR
from pipeline.assets.systems import visual_checks
from pipeline.definitions import defs
from pipeline.lib import checks
from tests.pipeline.jobs import job_of

GENERIC = {"losses_are_finite", "reproduces_its_score"}
DEBUG = {"config": {"preset": "debug"}}
KEYS = ("clevr_mini", "clevr_mini_model", "clevr_mini_evaluation", "training_curves", "reasoning_depth")
FIGURES = {"training_curves": ("perception", "parser", "baseline"), "reasoning_depth": ("reasoning_depth",)}
CHECKED = {"clevr_mini_model": visual_checks.MODEL_CHECKS, "clevr_mini_evaluation": visual_checks.EVALUATION_CHECKS}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The data root after one run of the whole graph, and the result of the run."""
    root = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("NSMODELS_DATA", str(root))
        job = defs().resolve_job_def("demo")
        config = {"ops": dict.fromkeys(KEYS[:2], DEBUG)}
        yield root, job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


@pytest.fixture
def copy(made, tmp_path):
    """A copy of an artifact, to be broken."""
    return lambda key: shutil.copytree(made[0] / key, tmp_path / key)


def test_the_demo_job_makes_every_asset_from_the_one_before(made):
    root, done = made
    made_keys = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    assert made_keys == {*KEYS, "leaderboard"}
    model, scored = (read_manifest(root / key) for key in KEYS[1:3])
    assert model.inputs["clevr_mini"].fingerprint == read_manifest(root / "clevr_mini").fingerprint
    assert scored.inputs["clevr_mini_model"].fingerprint == model.fingerprint
    assert scored.source == model.source == "synthetic CLEVR"
    for name in ("history.json", "perception/best.pt", "parser/best.pt", "calibration.json"):
        assert name in model.files
    assert {"report.json", "table.txt"} <= scored.files.keys()


@pytest.mark.parametrize("key", FIGURES)
def test_figures_are_pdf_and_png_and_name_their_data(made, key):
    from PIL import Image

    folder = made[0] / key
    for name in FIGURES[key]:
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.text["Description"].endswith("Data: synthetic CLEVR.")


def test_every_check_ran_and_those_of_the_machinery_pass(made):
    results = {(e.asset_key.to_user_string(), e.check_name): e for e in made[1].get_asset_check_evaluations()}
    for key, judges in CHECKED.items():
        generic = GENERIC if key.endswith("_model") else {"no_regression"}
        assert {name for asset, name in results if asset == key} == {*judges, *generic, "seal"}
        assert results[key, "seal"].passed, results[key, "seal"].description
    for name in GENERIC:
        assert results["clevr_mini_model", name].passed, results["clevr_mini_model", name].description
    for name in ("oracle_is_perfect", "no_regression"):
        assert results["clevr_mini_evaluation", name].passed


def test_losses_that_are_not_finite_fail(copy):
    folder = copy("clevr_mini_model")
    edit(folder / "history.json", lambda history: history["parser"][0].update({"train/loss": float("nan")}))
    verdict = checks.losses_are_finite(folder)
    assert not verdict.passed
    assert verdict.message == "parser, epoch 1: train/loss is nan"


def test_another_loss_than_that_of_the_training_fails(copy):
    folder = copy("clevr_mini_model")
    assert checks.reproduces(SYSTEM, "perception")(folder).passed
    edit(folder / "history.json", lambda history: [row.update({"val/loss": 0.1}) for row in history["perception"]])
    assert not checks.reproduces(SYSTEM, "perception")(folder).passed


def test_an_oracle_below_all_and_a_score_at_the_prior_fail(copy):
    folder = copy("clevr_mini_evaluation")
    edit(folder / "report.json", lambda report: report["rows"]["true_scene_true_program"].update({"accuracy": 0.99}))
    edit(folder / "report.json", lambda report: report["rows"][report["headline"]].update({"accuracy": 0.0}))
    assert not visual_checks.oracle_is_perfect(folder).passed
    assert not visual_checks.evaluation_beats_priors(folder).passed


def test_data_that_moved_are_found_in_the_data_root(made, copy, monkeypatch, tmp_path):
    assert checks.data_of(made[0] / "clevr_mini_model") == made[0] / "clevr_mini"
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    assert checks.data_of(made[0] / "clevr_mini_model") == made[0] / "clevr_mini"
    moved = copy("clevr_mini")
    assert checks.data_of(made[0] / "clevr_mini_model") == moved


@pytest.mark.parametrize(
    ("preset", "source", "num_train", "expected"),
    [
        ("debug", "synthetic", 24, False),
        ("small", "synthetic", 24, True),
        ("small", "synthetic", 2_000, False),
        ("small", "synthetic", 500, False),
        ("quick", "synthetic", 24, True),
        ("quick", "synthetic", 2_000, True),
        ("quick", "synthetic", 3_000, False),
        ("base", "synthetic", 3_000, True),
        ("paper", "synthetic", 10_000, False),
        ("base", "archive", 3_000, False),
    ],
)
def test_data_that_are_too_small_for_a_preset(made, preset, source, num_train, expected):
    manifest = read_manifest(made[0] / "clevr_mini")
    other = manifest.model_copy(update={"config": {"source": source, "num_train": num_train}})
    assert CLEVR.is_too_small(other, preset) is expected


def edit(path, change):
    """Change the JSON in a file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


MISTAKEN = {"config": {"preset": "debug", "perception": {"backbone": "resnt18"}}}


def refusal(instance, selected, **config):
    """What the first step of a run says that fails."""
    keys = [dg.AssetKey(key) for key in selected]
    job = job_of(defs(), selected)
    how = {"run_config": {"ops": dict.fromkeys(selected, DEBUG) | config}, "asset_selection": keys}
    done = job.execute_in_process(**how, instance=instance, raise_on_error=False)
    assert not done.success
    return done.failure_data_for_node(selected[0]).user_failure_data.description


@pytest.mark.parametrize("selected", [["clevr_mini_model"], ["clevr_mini", "clevr_mini_model"]])
def test_a_backbone_that_cannot_be_trained_is_refused_before_data_are_made(data, instance, selected):
    error = refusal(instance, selected, clevr_mini_model=MISTAKEN)
    assert error.startswith("clevr_mini_model: backbone 'resnt18' is not a timm model; did you mean resnet18 or")
    assert not (data / "clevr_mini").exists()


def test_data_that_only_a_person_can_ask_for_are_missed_before_networks_are_imported(data, instance):
    error = refusal(instance, ["clevr_model"], clevr_model=MISTAKEN)
    assert error.endswith("dagster asset materialize --select clevr")
