"""A failing check that matters stops what follows in the same run; a warning or a low score does not."""

import dagster as dg
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from pipeline.definitions import defs
from pipeline.lib import checks, store

BLOCKING = {
    "clevr": {"schema", "images", "disjoint", "answers"},
    "clevr_mini": {"schema", "images", "disjoint", "answers"},
    "mazes": {"disjoint", "solvable", "labels_agree"},
    "clevr_model": {"losses_are_finite"},
    "clevr_mini_model": {"losses_are_finite"},
    "nav_model": {"losses_are_finite"},
    "clevr_evaluation": {"oracle_is_perfect"},
    "clevr_mini_evaluation": {"oracle_is_perfect"},
    "nav_evaluation": {"search_is_perfect"},
}


@dg.asset
def numbers() -> None:
    """Data."""
    with artifact.build(store.folder("numbers"), key="numbers", maker="tests", config={}, code_version="1"):
        pass


@dg.asset(deps=["numbers"])
def numbers_evaluation() -> None:
    """Made from them."""


def run(judge, **options):
    """One run of both assets with one check on the first; the keys that were made."""
    sound = checks.check("numbers", "sound", "Whether they are sound.", judge, **options)
    done = dg.materialize([numbers, numbers_evaluation, sound], raise_on_error=False)
    (found,) = done.get_asset_check_evaluations()
    made = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    return done.success, found.passed, made


def fails(folder):
    return checks.Verdict(False, "not sound")


def cannot_read(folder):
    raise InputError("report.json: no such file")


@pytest.mark.parametrize("judge", [fails, cannot_read])
def test_a_failing_check_that_blocks_stops_the_evaluation_in_the_same_run(data, judge):
    assert run(judge, is_blocking=True) == (False, False, {"numbers"})


@pytest.mark.parametrize("options", [{}, {"is_warning": True}, {"is_warning": True, "is_blocking": True}])
def test_other_failing_checks_and_warnings_do_not(data, options):
    assert run(fails, **options) == (True, False, {"numbers", "numbers_evaluation"})


def test_what_blocks_is_what_makes_all_that_follows_meaningless():
    graph = defs().get_repository_def().asset_graph
    found = {}
    for key in graph.asset_check_keys:
        if graph.get(key).blocking:
            found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert {key: names for key, names in found.items() if key in BLOCKING} == BLOCKING
