"""Every asset has a freshness policy: a week for scheduled assets, half a year for those built by hand."""

import dagster as dg
import pytest

from pipeline.definitions import defs
from pipeline.lib.automation import freshness


@pytest.fixture(scope="module")
def graph():
    return defs().get_repository_def().asset_graph


def days(policy):
    return policy.warn_window.to_timedelta().days, policy.fail_window.to_timedelta().days


def test_every_asset_has_a_policy(graph):
    assert [key for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy is None] == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        *((key, (8, 9)) for key in ("nav_model", "clevr_evaluation", "training_curves")),
        *((key, (90, 180)) for key in ("clevr_archive", "mazes", "nav_grid_search")),
    ],
)
def test_the_windows_of_a_group(graph, key, expected):
    assert days(graph.get(dg.AssetKey(key)).freshness_policy) == expected


def test_an_asset_may_have_its_own_policy():
    own = dg.AssetSpec("thing", freshness_policy=freshness.within(1, 2))
    assert days(freshness.apply(own).freshness_policy) == (1, 2)
    assert days(freshness.apply(dg.AssetSpec("thing", group_name="anything")).freshness_policy) == (8, 9)
