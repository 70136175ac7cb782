"""Jobs run with the configuration that they bring along."""

import dagster as dg
import pytest

from nsmodels.core.config import Config
from pipeline.assets.datasets.clevr import CLEVR
from pipeline.assets.systems.visual import TRAININGS
from pipeline.definitions import defs
from pipeline.lib.launchpad import Launchpad

PAD = Launchpad({"small": Config, "whole": Config}, "whole")


@dg.asset(config_schema=PAD.schema)
def thing(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Tells its preset."""
    return dg.MaterializeResult(metadata={"preset": PAD.choose(context).preset})


def job_with_config() -> dg.JobDefinition:
    config = {"ops": {"thing": {"config": {"preset": "small"}}}}
    job = dg.define_asset_job("brings_its_own", selection=[thing], config=config)
    return dg.Definitions([thing], jobs=[job], executor=dg.in_process_executor).resolve_job_def("brings_its_own")


def test_the_configuration_of_a_job_reaches_the_step_without_any_from_the_launcher(instance):
    with dg.execute_job(dg.reconstructable(job_with_config), instance) as done:
        made = done.asset_materializations_for_node("thing")
    assert instance.get_run_by_id(done.run_id).run_config == {}  # as `dagster job execute` leaves it
    assert made[0].metadata["preset"].value == "small"


@pytest.mark.parametrize(("name", "pad"), [("clevr_mini", CLEVR.mini), ("clevr_mini_model", TRAININGS[0].model)])
def test_the_demo_is_the_quick_preset(name, pad):
    config = defs().resolve_job_def("demo").run_config
    chosen = pad.resolve(config["ops"][name]["config"])
    assert chosen.preset == "quick"
    assert chosen.config == pad.presets["quick"]()


@pytest.mark.parametrize("name", ["demo", "retrain"])
def test_a_job_makes_nothing_that_waits_for_a_study(name):
    job, graph = defs().resolve_job_def(name), defs().get_repository_def().asset_graph
    made = job.asset_layer.executable_asset_keys
    studies = dg.AssetSelection.groups("studies") & dg.AssetSelection.kind("pytorch")
    assert not made & studies.downstream().resolve(graph)


def test_the_demo_makes_model_evaluation_figures_and_leaderboard():
    made = defs().resolve_job_def("demo").asset_layer.executable_asset_keys
    figures = {"training_curves", "reasoning_depth"}
    wanted = {"clevr_mini", "clevr_mini_model", "clevr_mini_evaluation", "leaderboard", *figures}
    assert {key.to_user_string() for key in made} == wanted
