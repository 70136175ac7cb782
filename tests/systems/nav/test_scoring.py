"""Scores of policies whose worth is known by hand: perfect ones, detours, loops; buckets, intervals, calibration."""

from __future__ import annotations

import numpy as np
import pytest

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.systems.nav.evaluation import summary
from nsmodels.systems.nav.evaluation.exact_path import exact_path, exact_path_report
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements
from nsmodels.systems.nav.evaluation.scoring import Table, calibration, means, metrics, ratio, score, share
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.planning.heuristics import greedy, uniform
from nsmodels.systems.nav.planning.rollout import roll_out

UP, RIGHT, DOWN, LEFT = range(4)


def problems(num: int = 60, side: int = 8, connectivity: int = 4, seed: int = 0) -> Maps:
    """Random obstacles; each goal can be reached from its start."""
    rng = np.random.default_rng(seed)
    free, goal = rng.random((num, side, side)) > 0.25, rng.integers(0, side, (num, 2)).astype(np.int16)
    free[np.arange(num), *goal.T] = True
    cost = label(Maps(free, goal, goal, None, connectivity)).cost_to_go.reshape(num, -1)
    farthest = np.where(np.isfinite(cost), cost, -1).argmax(1)
    start = np.stack(np.unravel_index(farthest, (side, side)), axis=1).astype(np.int16)
    return Maps(free, start, goal, None, connectivity)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_the_perfect_policy_has_full_marks(connectivity: int) -> None:
    maps = problems(connectivity=connectivity)
    labels = label(maps)
    found = metrics(score(Policy.from_labels(labels, maps).actions, maps, labels), np.arange(len(maps)))
    for name in ("success", "spl", "optimal", "any_optimal", "match_astar"):
        assert found[name]["value"] == 1.0
        assert 0.9 < found[name]["interval"][0] < found[name]["interval"][1] == 1.0
    assert found["collided"]["value"] == found["looped"]["value"] == 0.0
    assert found["any_optimal"]["n"] == (labels.optimal != 0).sum() > found["success"]["n"] == len(maps)


def test_rules_lie_between_chance_and_the_ceiling() -> None:
    maps = problems(200)
    labels = label(maps)
    chance, rule = (means(score(a, maps, labels)) for a in (uniform(maps, np.random.default_rng(0)), greedy(maps)))
    assert 0 <= chance["success"] < rule["success"] < 1  # type: ignore[operator]
    assert 0.3 < chance["any_optimal"] < rule["any_optimal"] < 1  # type: ignore[operator]


def test_ties_bound_what_a_perfect_policy_matches() -> None:
    free = np.ones((1, 2, 2), bool)
    corner, opposite = np.array([[0, 0]], np.int16), np.array([[1, 1]], np.int16)
    maps = Maps(free, corner, opposite)
    labels = label(maps)
    actions = np.array([[[DOWN, DOWN], [RIGHT, UP]]], np.int8)  # optimal, but in the corner A* goes right first
    found = metrics(score(actions, maps, labels), np.arange(1))
    assert found["any_optimal"]["value"] == 1.0
    assert found["match_astar"]["value"] == pytest.approx(2 / 3)
    assert found["match_astar"]["ceiling"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["match_astar"]["interval"] is None  # no interval from a single map


def test_a_detour_succeeds_at_a_lower_spl() -> None:
    maps = Maps(np.ones((1, 2, 3), bool), np.array([[0, 0]], np.int16), np.array([[0, 2]], np.int16))
    table = score(np.array([[[DOWN, RIGHT, UP], [RIGHT, RIGHT, UP]]], np.int8), maps, label(maps))
    assert (table["success"][0], table["optimal"][0], table["spl"][0]) == (1.0, 0.0, 0.5)
    listed = score(np.array([[[RIGHT, RIGHT, UP], [UP, UP, UP]]], np.int8), maps, label(maps), np.array([1.0]))
    assert (listed["optimal"][0], listed["spl"][0]) == (0.0, 0.5)


def test_a_start_on_the_goal_counts_as_optimal() -> None:
    here = np.array([[0, 0]], np.int16)
    maps = Maps(np.ones((1, 2, 2), bool), here, here)
    table = score(np.zeros((1, 2, 2), np.int8), maps, label(maps))
    assert (table["success"][0], table["spl"][0], table["optimal"][0]) == (1.0, 1.0, 1.0)


def test_intervals_resample_maps_and_never_claim_certainty() -> None:
    hits = np.tile([1.0, 1.0, 1.0, 0.0], 25)
    alone, together = share(hits, np.arange(100)), share(np.sort(hits), np.arange(100) // 10)
    assert alone["value"] == together["value"] == 0.75
    assert together["interval"][1] - together["interval"][0] > alone["interval"][1] - alone["interval"][0]
    assert share(np.ones(50), np.arange(50) // 5)["interval"] == pytest.approx(
        share(np.ones(10), np.arange(10))["interval"]
    )
    weighted = ratio(np.array([0.0, 9.0, 5.0]), np.array([0.0, 10.0, 10.0]), np.arange(3))
    assert (weighted["value"], weighted["n"]) == (0.7, 20)
    assert weighted["interval"] == [0.5, 0.9]
    assert ratio(np.zeros(2), np.zeros(2), np.arange(2)) == {"value": None, "interval": None, "n": 0}


def judged(maps: Maps, detour: np.ndarray, **facts: np.ndarray) -> Measurements:
    labels, num = label(maps), len(maps)
    actions = {MODEL: Policy.from_labels(labels, maps).actions, "greedy": greedy(maps)}
    actions["random"] = uniform(maps, np.random.default_rng(0))
    tables: dict[str, Table] = {name: score(table, maps, labels) for name, table in actions.items()}
    words = {name: np.full(num, "x") for name in ("kind", "name", "size")} | {"mark": np.arange(num)}
    columns = words | {"density": np.zeros(num), "detour": detour} | facts
    return Measurements(columns, tables, np.ones(1, np.float32), np.ones(1, bool), {})


def test_buckets_hold_every_problem_once() -> None:
    maps = problems(8)
    detour = np.array([1, 1, 1.2, 1.25, 1.5, 2, 2.01, 9], np.float32)
    density = np.array([0, 0.05, 0.1, 0.3, 0.3, 0.7, 0.7, 1], np.float32)
    found = judged(maps, detour, density=density, kind=np.array(list("aabbbbbc")))
    by_detour = summary.by_detour(found)
    assert {name: entry["n"] for name, entry in by_detour.items()} == {
        "1": 2, "1-1.25": 2, "1.25-1.5": 1, "1.5-2": 1, ">2": 2,
    }  # fmt: skip
    assert {name: entry["n"] for name, entry in summary.by_density(found).items()} == {
        "0.0-0.1": 2, "0.1-0.2": 1, "0.3-0.4": 2, "0.7-0.8": 2, "0.9-1.0": 1,
    }  # fmt: skip
    assert [entry["n"] for entry in summary.by_kind(found).values()] == [2, 5, 1]
    assert set(by_detour["1"]) == {
        "n", "success", "spl", "optimal", "any_optimal", "interval", "greedy_success", "random_success",
    }  # fmt: skip


def test_problems_of_few_maps_are_resampled_one_by_one() -> None:
    for num_maps, num_clusters in ((10, 10), (9, 20), (1, 20)):
        found = judged(problems(20), np.ones(20), mark=np.array([f"{k % num_maps}" for k in range(20)]))
        assert (found.num_maps, len(np.unique(found.clusters))) == (num_maps, num_clusters)


def test_larger_maps_stand_beside_the_others_by_size() -> None:
    one, other = (judged(problems(n), np.ones(n), size=np.full(n, s)) for n, s in ((3, "x"), (4, "x (transfer)")))
    found = summary.by_size(one, other, "test")
    assert {name: (entry["n"], entry["split"]) for name, entry in found.items()} == {
        "x": (3, "test"), "x (transfer)": (4, "transfer"),
    }  # fmt: skip
    assert found["x"]["by_detour"]["1"]["n"] == 3


def corridors() -> Maps:
    """Twice 30x30: one winding corridor, and the same with two equal ways at its beginning."""
    free = np.ones((2, 30, 30), bool)
    free[:, 1:29:2] = False
    free[:, 1:29:4, 29] = free[:, 3:29:4, 0] = True
    free[:, 29] = False
    free[1, 1], free[1, 3] = np.isin(np.arange(30), (5, 10)), np.arange(30) == 15
    return Maps(free, np.zeros((2, 2), np.int16), np.array([[28, 29], [28, 29]], np.int16))


def highest(labels: Labels) -> np.ndarray:
    """Of the optimal actions the one with the highest number."""
    return np.log2(np.maximum(labels.optimal, 1)).astype(np.int8)


def test_exact_and_optimal_are_the_same_where_one_path_is_shortest() -> None:
    maps = corridors()
    labels, facts = label(maps), {"kind": np.full(2, "obstacles")}
    actions = highest(labels)
    table = score(actions, maps, labels) | exact_path(actions, maps, labels, facts)
    assert table["optimal"].tolist() == [1, 1]
    assert table["unique"].tolist() == table["exact"].tolist() == [1, 0]
    found = exact_path_report(table, np.arange(2))
    assert found is not None
    assert {name: found[name]["n"] for name in ("all", "unique", "long")} == {"all": 2, "unique": 1, "long": 2}
    assert found["unique"]["exact_path"]["value"] == found["unique"]["valid_and_optimal"]["value"] == 1.0


def test_exact_paths_are_those_of_the_data_and_else_of_the_demonstration() -> None:
    maps = problems(40, 30)
    labels, facts = label(maps), {"kind": np.full(40, "obstacles")}
    perfect, other = Policy.from_labels(labels, maps).actions, highest(labels)
    table = score(other, maps, labels) | exact_path(other, maps, labels, facts)
    assert exact_path(perfect, maps, labels, facts)["exact"].all()
    found = exact_path_report(table, np.arange(40))
    assert found is not None
    assert found["all"]["valid_and_optimal"]["value"] == 1.0 > found["all"]["exact_path"]["value"]
    assert "only 'a single shortest path' does not depend on tie-breaking" in found["target"]
    paths = ["".join(str(other[k, *cell]) for cell in path[:-1]) for k, path in enumerate(roll_out(other, maps).paths)]
    answers = facts | {"path": np.array(paths, object)}
    assert exact_path(other, maps, labels, answers)["exact"].all()
    assert not exact_path(perfect, maps, labels, answers)["exact"].all()
    assert [row["accuracy"] for row in found["published"]] == [0.853, 0.745]
    small = problems(3)
    nothing = exact_path(greedy(small), small, label(small), {"kind": np.full(3, "maze")})
    assert exact_path_report(nothing, np.arange(3)) is None


def test_calibration_tells_belief_from_truth() -> None:
    found = calibration(np.full(100, 0.9, np.float32), np.arange(100) < 60)
    assert found is not None
    assert (found["ece"], found["accuracy"], found["n"]) == (pytest.approx(0.3, abs=1e-6), 0.6, 100)
    assert [entry["n"] for entry in found["bins"]] == [100]
    assert calibration(np.zeros(0), np.zeros(0, bool)) is None
