"""The definitions load fast and whole, and the graph is the one that lineage.txt shows."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from nsmodels.core import discover
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from pipeline.lib import policy

LINEAGE = Path(__file__).with_name("lineage.txt")
# What the leaderboard and the report are built from follows from the registry.
ALL = {
    "<evaluations>": [each.evaluation_key for each in trainings() if each.is_scored],
    "<models>": [each.model_key for each in trainings()],
    "<replicates>": [f"{each.name}_replicates" for each in trainings()],
    "<scored replicates>": [f"{each.name}_replicates" for each in trainings() if each.is_scored],
    "<trials>": [f"{each.name}_trials" for each in trainings()],
}
STUDIES = {
    *("nav_ablations", "nav_grid_search", "nav_data_scaling"),
    *("graph_ablations", "graph_hyperparameters", "cross_domain_comparison", "world_ablations"),
    *("clevr_ablations", "visual_ablations"),
    *("gqa_mini_baselines", "vqa_mini_baselines", "clevr_mini_baselines"),
    *(f"{each.name}_search" for each in trainings()),
}
DOWNLOADED = {f"{name}{end}" for name in ("clevr", "gqa", "vqa") for end in ("_archive", "", "_mini")}
DOWNLOADED |= {"causal_networks", "planning_problems"}
HEAVY = ("torch", "timm", "torchvision", "pandas", "matplotlib", "scipy", "numba", "ray", "dagster_ray")
LOADING = """
import json, os, sys
from importlib import import_module

def executor(address):
    os.environ["RAY_ADDRESS"] = address
    for name in [name for name in sys.modules if name.split(".")[0] == "pipeline"]:
        del sys.modules[name]
    return import_module("pipeline.definitions").defs().executor.name

executors = {address: executor(address) for address in ("", "http://127.0.0.1:1")}
print(json.dumps({"executors": executors, "imported": [name for name in sys.argv[1:] if name in sys.modules]}))
"""


@pytest.fixture(scope="module")
def graph():
    return defs().get_repository_def().asset_graph


@pytest.fixture(scope="module")
def loaded():
    """The executor by `RAY_ADDRESS`, and the heavy modules that were imported, in a process that loads definitions."""
    done = subprocess.run([sys.executable, "-c", LOADING, *HEAVY], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_loading_imports_nothing_heavy(loaded):
    assert loaded["imported"] == []


@pytest.mark.parametrize(("address", "name"), [("", "in_process"), ("http://127.0.0.1:1", "ray")])
def test_steps_run_where_ray_address_says(loaded, address, name):
    assert loaded["executors"][address] == name


def test_the_graph_is_the_one_in_lineage_txt(graph):
    lines = [line_of(graph, key) for key in sorted(graph.get_all_asset_keys())]
    files = [LINEAGE, *(Path(root) / "tests" / "lineage.txt" for root in discover.extensions())]
    assert lines == sorted(expanded(line) for file in files for line in file.read_text().splitlines())


def expanded(line):
    """A line of the file, with the names of all trainings in place of the words in angle brackets."""
    key, _, parents = line.partition(" ← ")
    names = [name for word in parents.split(", ") for name in ALL.get(word, [word]) if name]
    return f"{key} ← {', '.join(sorted(names))}" if names else key


def line_of(graph, key):
    parents = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
    return f"{key.to_user_string()} ← {', '.join(parents)}" if parents else key.to_user_string()


def test_every_asset_is_described_grouped_and_owned(graph):
    groups = {"archives", "datasets", "models", "evaluations", "replicates", "trials", "studies", "figures", "paper"}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name in groups, key
        assert node.owners, key
        assert node.kinds, key
        assert node.code_version, key


def test_all_trainings_take_turns_and_only_downloads_are_tried_again(graph):
    trainings = {"models", "replicates", "trials"}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        op, group = node.assets_def.op, node.group_name
        assert (op.pool == policy.TRAINING) == (group in trainings or key.path[-1] in STUDIES), key
        assert (op.retry_policy is not None) == (key.path[-1] in DOWNLOADED), key


def test_every_model_and_dataset_has_checks(graph):
    checked = {check.asset_key for check in graph.asset_check_keys}
    for key in graph.get_all_asset_keys():
        if graph.get(key).group_name in ("models", "datasets"):
            assert key in checked, key


def test_nothing_runs_by_itself_until_switched_on():
    repository = defs().get_repository_def()
    assert repository.schedule_defs
    for schedule in repository.schedule_defs:
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    for sensor in repository.sensor_defs:
        assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
