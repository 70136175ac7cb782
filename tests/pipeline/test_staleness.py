"""Staleness after a change of a default, a code version or a dataset, until the assets are built again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from pydantic import Field

from nsmodels.core import artifact
from nsmodels.core.config import Config, runtime_field
from nsmodels.core.orders import Inputs, Order
from pipeline.definitions import defs
from pipeline.lib import staleness, step, store
from pipeline.lib.launchpad import Launchpad

ROOT = Path(__file__).parents[2]
# One process for all trees: each has the packages of its own.
VERSIONS = """
import json, sys
from importlib import import_module

def versions(tree):
    for name in [name for name in sys.modules if name.split(".")[0] in ("nsmodels", "pipeline")]:
        del sys.modules[name]
    sys.path[0] = tree
    graph = import_module("pipeline.definitions").defs().get_repository_def().asset_graph
    assert sys.modules["nsmodels.core.config"].__file__.startswith(tree)
    return {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}

print(json.dumps([versions(tree) for tree in sys.argv[1:]]))
"""


class Size(Config):
    """How much of it."""

    number: int = Field(3, description="how many")
    workers: int = runtime_field(os.cpu_count() or 1, description="processes")


def build(order: Order[Size]) -> artifact.Manifest:
    """Seals a folder with one text file."""
    recipe = {"config": order.config.relevant(), "code_version": "1", "inputs": order.inputs}
    with artifact.build(order.folder, key=order.key, maker="tests.pipeline", **recipe) as part:
        (part.path / "count.txt").write_text(str(order.config.number))
    return artifact.read_manifest(order.folder)


GRAPH = {
    "archive": (),
    "numbers": ("archive",),
    "numbers_model": ("numbers",),
    "numbers_evaluation": ("numbers_model", "numbers"),
    "numbers_figure": ("numbers_model",),
    "others": (),
    "others_model": ("others",),
}


def graph_of(changed: str = "", number: int = 3, code_version: str = "1") -> list[dg.AssetsDefinition]:
    """The graph; the asset `changed` has a different default or code version."""
    return staleness.spread(
        asset_of(key, number if key == changed else 3, code_version if key == changed else "1") for key in GRAPH
    )


def asset_of(key: str, number: int, code_version: str) -> dg.AssetsDefinition:
    pad = Launchpad({"debug": lambda: Size(number=1), "base": lambda: Size(number=number)}, "base")
    inputs = () if key == "numbers" else GRAPH[key]  # the archive is only inspected, as that of CLEVR

    def make(order):
        return build(order).model_copy(update={"code_version": code_version})

    @dg.asset(name=key, deps=GRAPH[key], config_schema=pad.schema, code_version=pad.version(code_version))
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, pad, code_version, inputs, make)

    return asset


def run(instance, assets, *keys, config=None):
    """One run of some assets; returns whether each was reused."""
    ops = {"ops": {key: {"config": config} for key in keys}} if config else {}
    done = dg.materialize(assets, selection=list(keys), instance=instance, run_config=ops)
    return {key: done.asset_materializations_for_node(key)[-1].metadata["is_reused"].value for key in keys}


def stale(instance, assets) -> set[str]:
    """The assets that the web UI would show as unsynced, according to its own resolver."""
    graph = dg.Definitions(assets).get_repository_def().asset_graph
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {key.to_user_string() for key in graph.get_all_asset_keys() if resolver.get_status(key) == StaleStatus.STALE}


@pytest.fixture
def made(data, instance):
    """The instance after the whole graph was built; nothing is stale."""
    run(instance, graph_of(), *GRAPH)
    assert stale(instance, graph_of()) == set()
    return instance


def behind(*keys: str) -> set[str]:
    """These assets and all downstream."""
    found = set(keys)
    for key, parents in GRAPH.items():  # in order: parents come first
        if not found.isdisjoint(parents):
            found.add(key)
    return found


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("archive", {"code_version": "2"}),
        ("numbers_model", {"number": 4}),
        ("numbers_model", {"code_version": "2"}),
        ("others", {"number": 4}),
    ],
)
def test_a_change_makes_exactly_what_is_downstream_stale_until_it_is_built_again(made, key, change):
    after = graph_of(key, **change)
    assert stale(made, after) == behind(key)
    run(made, after, *[name for name in GRAPH if name in behind(key)])
    assert stale(made, after) == set()


def test_assets_that_a_change_does_not_affect_are_fresh_again_after_a_run_that_builds_nothing(made):
    after = graph_of("numbers", number=4)
    run(made, after, "numbers", config={"number": 3})  # the data are kept as they were
    assert all(run(made, after, *(behind("numbers") - {"numbers"})).values())
    assert stale(made, after) == set()


def test_changed_data_make_everything_downstream_stale_step_by_step(made):
    assert run(made, graph_of(), "numbers", config={"number": 5}) == {"numbers": False}
    assert stale(made, graph_of()) == {"numbers_model", "numbers_evaluation"}
    run(made, graph_of(), "numbers_model")
    assert stale(made, graph_of()) == {"numbers_evaluation", "numbers_figure"}
    run(made, graph_of(), "numbers_evaluation", "numbers_figure")
    assert stale(made, graph_of()) == set()


def test_the_preset_of_one_run_and_the_machine_do_not_make_stale(data, instance, monkeypatch):
    run(instance, graph_of(), *GRAPH, config={"preset": "debug"})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert stale(instance, graph_of()) == set()


def test_the_manifest_keeps_the_plain_code_version(made):
    assert artifact.read_manifest(store.folder("numbers_model")).code_version == "1"


def test_an_input_built_or_found_by_a_later_step_is_recorded_as_fresh(data, instance, monkeypatch):
    monkeypatch.setattr(store, "_makers", {})
    made_here = store.on_demand("numbers", lambda manifest, preset: False)
    made_here(lambda preset: build(Order("numbers", Size(), Inputs({}), store.folder("numbers"))))
    run(instance, graph_of(), "numbers_model")
    assert stale(instance, graph_of()) == set()
    assert stale(instance, graph_of("numbers", number=4)) == {"numbers", "numbers_model"}


def test_an_artifact_built_by_older_code_outside_of_dagster_is_recorded_as_stale(data, instance):
    build(Order("numbers", Size(), Inputs({}), store.folder("numbers")))
    run(instance, graph_of("numbers", code_version="2"), "numbers_model")
    assert "numbers" in stale(instance, graph_of("numbers", code_version="2"))


# File, what is replaced in it by what, and the first assets that change by that.
CHANGES = {
    "a default of the navigator": (
        "systems/nav/config.py",
        "num_inner: int = Field(default=3",
        "num_inner: int = Field(default=4",
        (
            "nav_model",
            "nav_search",
            "nav_ablations",
            "nav_grid_search",
            "nav_data_scaling",
            "nav_replicates",
            "nav_trials",
        ),
    ),
    "a default of its evaluation": (
        "systems/nav/config.py",
        'max_steps: int = Field(default=0, ge=0, description="recursion steps at most',
        'max_steps: int = Field(default=8, ge=0, description="recursion steps at most',
        ("nav_evaluation", "nav_replicates", "nav_trials"),
    ),
    "the code version of its data": ("datasets/mazes/config.py", 'CODE_VERSION = "', 'CODE_VERSION = "1', ("mazes",)),
}


def changed_tree(folder: Path, file: str, before: str, after: str) -> Path:
    """A copy of the source, with its byte code, in which one text of a file is replaced."""
    for package in ("nsmodels", "pipeline"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.nb[ci]"))
    path = folder / "nsmodels" / file
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))
    return folder


@pytest.fixture(scope="module")
def versions(tmp_path_factory) -> dict[str, dict[str, str]]:
    """The code versions of all assets after each change, loaded in a separate process."""
    root = tmp_path_factory.mktemp("trees")
    trees = [changed_tree(root / str(n), *change[:3]) for n, change in enumerate(CHANGES.values())]
    given = {"PYTHONHASHSEED": "1", "CUDA_VISIBLE_DEVICES": "", "NSMODELS_DATA": str(root / "data")}
    words = [sys.executable, "-c", VERSIONS, *map(str, trees)]
    done = subprocess.run(words, cwd=root, env={**os.environ, **given}, capture_output=True, text=True, check=True)
    return dict(zip(CHANGES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", CHANGES)
def test_in_the_real_graph(versions, name):
    *_, roots = CHANGES[name]
    graph = defs().get_repository_def().asset_graph
    here = {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}
    assert {key for key in here if here[key] != versions[name][key]} == descendants(graph, roots)


def descendants(graph, roots) -> set[str]:
    """These assets and all downstream in the graph."""
    found = set(roots)
    for key in graph.toposorted_asset_keys:
        if not found.isdisjoint(parent.to_user_string() for parent in graph.get(key).parent_keys):
            found.add(key.to_user_string())
    return found
