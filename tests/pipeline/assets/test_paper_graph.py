"""The group `paper`: its parts are made from what is sealed."""

import pytest
from dagster import AssetKey

from nsmodels.core import artifact
from nsmodels.paper.contents import ABLATIONS, FIGURES, PAPER, TRAININGS
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from pipeline.publication.contents import SHOWN, STUDIES
from tests.pipeline.jobs import job_of


@pytest.fixture(scope="module")
def graph():
    return defs().get_repository_def().asset_graph


def test_without_anything_sealed_each_part_ends_with_one_line_and_its_command(data, instance):
    done = job_of(defs(), list(PAPER)).execute_in_process(instance=instance, raise_on_error=False)
    lines = [e.event_specific_data.user_failure_data.description for e in done.all_events if e.is_step_failure]
    assert len(lines) == len(PAPER)
    assert all("dagster asset materialize --select" in line and "\n" not in line for line in lines)
    assert not any((data / key).exists() for key in PAPER)


def test_cards_of_data_are_made_and_kept(data, instance):
    with artifact.build(
        data / "things", key="things", maker="nsmodels.datasets.mazes", config={}, code_version="1", source="synthetic"
    ) as part:
        (part.path / "words.txt").write_text("words")
    job = job_of(defs(), ["dataset_cards"])
    for is_reused in (False, True):
        done = job.execute_in_process(instance=instance)
        (event,) = done.get_asset_materialization_events()
        assert event.materialization.metadata["is_reused"].value is is_reused
    assert (data / "dataset_cards" / "things" / "croissant.json").is_file()


def test_the_contents_of_the_paper_are_assets(graph):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    names = {name for names in TRAININGS.values() for name in names}
    assert names <= {each.name for each in trainings()}
    assert {*ABLATIONS, *PAPER, *(key for keys in FIGURES.values() for key in keys)} <= keys
    studies = {key for keys in STUDIES.values() for key in keys}
    assert studies <= keys


@pytest.mark.parametrize("key", ABLATIONS)
def test_ablations_need_nothing_but_data(graph, key):
    parents = {graph.get(parent) for parent in graph.get(AssetKey(key)).parent_keys}
    assert parents
    assert {parent.group_name for parent in parents} == {"datasets"}
    for figure in SHOWN[key]:
        assert graph.get(AssetKey(figure)).parent_keys == {AssetKey(key)}


@pytest.mark.parametrize(
    ("group", "wanted"), [("paper", PAPER), ("figures", [k for keys in FIGURES.values() for k in keys])]
)
def test_every_asset_of_these_groups_is_in_the_paper(graph, group, wanted):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).group_name == group}
    assert keys == set(wanted)
