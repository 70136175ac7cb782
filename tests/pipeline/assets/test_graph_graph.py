"""The real graph from causal graphs to figures with the debug presets, and what its checks find in broken reports."""

import importlib
import json
import shutil

import dagster as dg
import pytest

from nsmodels.core import discover
from nsmodels.core.artifact import read_manifest
from pipeline.assets.datasets.causal_graphs import CAUSAL_GRAPHS, CAUSAL_NETWORKS
from pipeline.assets.systems import graph_checks
from pipeline.definitions import defs
from pipeline.lib import store
from pipeline.lib.dataset import Generated
from tests.pipeline.jobs import job_of

pytestmark = pytest.mark.usefixtures("one_thread")

DEBUG = {"config": {"preset": "debug"}}
TRAINED = ("causal_model", "graph_hyperparameters")
KEYS = (*TRAINED, "causal_evaluation", "causal_training_curves")
FEWER = {"config": {"preset": "debug", "baselines": {"labels_only": False, "source": False}}}  # figures take seconds


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The data root after one run in an empty store, and the result of the run; the data are made on the spot."""
    root = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("NSMODELS_DATA", str(root))
        job = job_of(defs(), KEYS)
        asked = [dg.AssetKey(key) for key in KEYS]
        config = {"ops": {"causal_model": FEWER, "graph_hyperparameters": DEBUG}}
        config["ops"]["causal_evaluation"] = {"config": {"use_classifiers": False}}
        yield (
            root,
            job.execute_in_process(run_config=config, instance=instance, raise_on_error=False, asset_selection=asked),
        )


@pytest.fixture
def copy(made, tmp_path):
    """A copy of an artifact, to be broken."""
    return lambda key: shutil.copytree(made[0] / key, tmp_path / key)


def edit(folder, change):
    """Change the report of a folder and return the folder."""
    path = folder / "report.json"
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    return folder


def metadata_of(made, key):
    (event,) = [e for e in made[1].get_asset_materialization_events() if e.asset_key.to_user_string() == key]
    return event.materialization.metadata


def test_every_asset_is_made_and_its_page_shows_what_it_is(made):
    root, done = made
    keys = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    assert keys == {*KEYS, "causal_graphs"}
    shown = metadata_of(made, "causal_model")
    assert "data:image/png;base64" in shown["rounds"].value
    assert "edges that carry it" in shown["first_look"].value
    rows = shown["checkpoints"].value.splitlines()[2:]
    assert [row.split()[0] for row in rows][:2] == ["reasoner/best", "reasoner/last"]
    assert {"confusion", "confidence", "difficulty", "lengths", "table"} <= metadata_of(
        made, "causal_evaluation"
    ).keys()
    assert {"table", "graph_hyperparameters", "best/value"} <= metadata_of(made, "graph_hyperparameters").keys()
    assert {"reasoner.pdf", "reasoner.png"} <= {path.name for path in (root / "causal_training_curves").iterdir()}
    assert read_manifest(root / "causal_evaluation").inputs["causal_model"].role == "model"


def test_every_check_ran_and_those_of_the_machinery_pass(made):
    found = {(e.asset_key.to_user_string(), e.check_name): e for e in made[1].get_asset_check_evaluations()}
    expected = {(key, name) for key in KEYS for name in graph_checks.CHECKS.get(key, {})}
    assert expected <= found.keys()
    for name in ("losses_are_finite", "reproduces_its_score"):
        assert found["causal_model", name].passed, found["causal_model", name].description


def test_reports_that_are_broken_fail(copy):
    folder = copy("causal_evaluation")

    def spoil(report):
        report["rows"]["reasoner"][report["metric"]] = 0.0
        report["splits"]["test"]["collapse"] |= {"is_collapsed": True, "kinds": ["backdoor"]}
        report["stability"]["splits"]["test"]["difference"] = -0.02
        report["baselines"]["WL-2"] = {}
        report["kinds"]["backdoor"]["WL-2"] = {"accuracy": 0.7}

    edit(folder, spoil)
    assert not graph_checks.beats_baselines(folder).passed
    assert "test: backdoor" in graph_checks.no_class_collapse(folder).message
    assert "test -2.00 points" in graph_checks.more_rounds_are_safe(folder).message
    assert not graph_checks.more_rounds_are_safe(folder).passed
    assert "70.0% (backdoor/WL-2)" in graph_checks.no_shortcut(folder).message


def test_real_twins_have_presets_of_their_own_and_are_not_made_on_demand():
    assert list(CAUSAL_NETWORKS.presets) == ["networks"]
    assert "networks" not in CAUSAL_GRAPHS.presets
    assert store.is_made_on_demand("causal_graphs")
    assert not store.is_made_on_demand("causal_networks")


@pytest.mark.parametrize("name", ["causal_graphs", "planning_graphs", "knowledge_graphs", "long_chains", "impacts"])
def test_every_check_of_a_dataset_is_one_of_its_assets(name):
    assets = vars(importlib.import_module(f"pipeline.assets.datasets.{name}")).values()
    written = set(discover.checks(name))
    assert all(written == set(each.verdicts) for each in assets if isinstance(each, Generated))
