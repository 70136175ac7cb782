"""Rules of diagonal moves, terrain and other people's maps, from the data through training to plans and reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.files.movingai import read_map
from nsmodels.datasets.mazes.prepare import prepare
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import debug
from nsmodels.systems.nav.evaluate import evaluate_map
from nsmodels.systems.nav.evaluation.report import table
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.planning.heuristics import greedy, legal_actions
from nsmodels.systems.nav.planning.plan import plan, plan_many, plans_from, problem
from nsmodels.systems.nav.planning.rollout import roll_out
from tests.datasets.mazes.oracle import RULES, costs, draw, moves
from tests.datasets.mazes.test_neural_astar import arrays
from tests.datasets.mazes.test_sources import maze_hard, random_map
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")

CASES = [(4, OCTILE), *((8, rule) for rule in RULES)]
every_rule = pytest.mark.parametrize(("connectivity", "rule"), CASES, ids=[f"{c} {r}" for c, r in CASES])


def trained_once(folder: Path) -> None:
    """The navigator alone, for one epoch on the data in `folder`."""
    once = {"training.device": "cpu", "training.epochs": 1, "baselines.is_enabled": False}
    orders.train(SYSTEM, debug().with_values(once), folder / "mazes", folder / "model")


@every_rule
def test_walks_and_rules_make_the_moves_of_the_map_and_no_others(connectivity: int, rule: DiagonalRule) -> None:
    maps = draw(20, 7, 8, connectivity, False, 0.35, rule)
    legal, labels = legal_actions(maps), label(maps)
    walked = roll_out(Policy.from_labels(labels, maps).actions, maps)
    chosen = greedy(maps)
    for i in range(len(maps)):
        exact = costs(maps, i)
        best = exact[tuple(maps.start[i])]
        assert walked.success[i] == np.isfinite(best)
        if np.isfinite(best):
            assert walked.cost[i] == pytest.approx(best)
        for row, column in np.argwhere(maps.free[i]).tolist():
            actions = {action for action, *_ in moves(maps, i, row, column)}
            assert set(np.flatnonzero(legal[i, :, row, column])) == actions
            assert not actions or chosen[i, row, column] in actions


@every_rule
def test_an_illegal_move_ends_a_walk(connectivity: int, rule: DiagonalRule) -> None:
    """Past a corner to the lower right, which one rule allows and the other does not."""
    free = np.array([[True, False], [True, True]])
    maps = problem(free, (0, 0), (1, 1), None, connectivity, rule)
    walk = roll_out(np.full((1, 2, 2), 5, np.int8), maps)
    assert bool(walk.success[0]) == (connectivity == 8 and rule.is_cut)
    assert bool(walk.collided[0]) != bool(walk.success[0])
    assert walk.cost[0] == pytest.approx(0 if walk.collided[0] else rule.lengths[5])


@pytest.mark.parametrize("rule", RULES[1:], ids=str)
def test_a_network_keeps_the_rule_of_its_data(rule: DiagonalRule, tmp_path: Path) -> None:
    fields = {"connectivity": 8, "diagonal_cost": rule.cost, "corner_rule": rule.corners}
    config = MazesConfig(num_train=16, num_val=4, num_test=4, num_transfer=0, sides=[6], **fields)
    prepare(config, "mazes", tmp_path / "mazes")
    trained_once(tmp_path)
    navigator = load_navigator(tmp_path / "model", "cpu")
    assert navigator.diagonals == rule
    maps = draw(12, 6, 6, 8, False, 0.4, rule)
    for i, made in enumerate(plan_many(navigator, maps, fallback=True, max_steps=8)):
        best = costs(maps, i)[tuple(maps.start[i])]
        assert made.is_reachable == np.isfinite(best)
        if made.is_reachable:
            assert made.optimal_cost == pytest.approx(best, rel=1e-6)
    with pytest.raises(InputError, match=r"maps: 8-connected, diagonals of cost √2 that do not cut corners, but the"):
        navigator.policy(draw(1, 6, 6, 8, False))
    map, scen = tmp_path / "a.map", tmp_path / "a.map.scen"
    map.write_text("type octile\nheight 3\nwidth 3\nmap\n.@.\n...\n..W\n")
    scen.write_text("version 1\n" + "0\ta.map\t3\t3\t0\t0\t2\t0\t3.41\n" * 2 + "0\ta.map\t3\t3\t0\t0\t1\t0\t1\n")
    found = evaluate_map(tmp_path / "model", map, scen, "cpu", max_steps=8)
    assert found["data"]["left_out"] == {"start or goal in a wall": 1}
    assert f"the optima are 8-connected, {rule} and computed here" in table(found)
    assert "left out with start or goal in a wall: 1" in table(found)


def test_unreachable_is_not_claimed_of_rooms_that_a_corridor_joins(shared: Shared, tmp_path: Path, capsys) -> None:
    """Far more moves than the network has been trained on, through a corridor of one cell's width."""
    rows = ["." * 12 + "@" * 28] * 8 + ["." * 12 + "@" * 24 + "." * 4] * 3 + ["." * 40]
    path = tmp_path / "room.map"
    path.write_text("type octile\nheight 12\nwidth 40\nmap\n" + "\n".join(rows) + "\n")
    ends = ["--start", "11,39", "--goal", "0,0", "--steps", "12", "--device", "cpu"]
    command = ["nav", "plan", "--checkpoint", str(shared.model("nav")), "--map", str(path), *ends]
    main(command)
    printed = capsys.readouterr().out
    assert "unreachable" not in printed
    main([*command, "--fallback"])
    assert "50 moves, cost 50, optimal 50" in capsys.readouterr().out
    free = read_map(path)
    navigator = load_navigator(shared.model("nav"), "cpu")
    assert plan(navigator, free, (11, 39), (0, 0), max_steps=4).is_reachable
    free[11, 20] = False
    made = plan(navigator, free, (11, 39), (0, 0), max_steps=4)
    assert (made.is_reachable, made.why) == (False, "unreachable (certain: exact search found no path)")


@pytest.mark.parametrize(("connectivity", "rule"), [(8, RULES[0]), (8, RULES[1])], ids=str)
def test_a_gap_between_corners_connects_only_where_they_are_cut(connectivity: int, rule: DiagonalRule) -> None:
    free = np.array([[True, False], [False, True]])
    maps = problem(free, (0, 0), (1, 1), None, connectivity, rule)
    blind = Policy.from_labels(label(maps), maps)
    (made,) = plans_from(Policy(**{**blind.__dict__, "actions": np.zeros((1, 2, 2), np.int8)}), maps)
    assert made.is_reachable == rule.is_cut
    assert not made.is_found


def test_a_plan_in_water_stays_in_water(shared: Shared, tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.map"
    path.write_text("type octile\nheight 2\nwidth 4\nmap\n..WW\nWWW.\n")
    command = ["nav", "plan", "--checkpoint", str(shared.model("nav")), "--map", str(path), "--device", "cpu"]
    main([*command, "--start", "1,0", "--goal", "0,3", "--steps", "4", "--fallback"])
    assert "4 moves, cost 4, optimal 4" in capsys.readouterr().out
    assert main([*command, "--start", "1,0", "--goal", "0,0"]) == 2
    assert capsys.readouterr().err == (
        "error: goal (0, 0): is in ground, the start (1, 0) in water: no move leads from one to the other; choose two "
        "cells on the same terrain\n"
    )


@pytest.mark.parametrize("kind", ["neural_astar", "maze_hard", "movingai"])
def test_other_peoples_data_are_trained_on_and_planned_with(kind: str, tmp_path: Path) -> None:
    own, fields = tmp_path / "own", {}
    own.mkdir()
    if kind == "neural_astar":
        np.savez(own / "set.npz", *arrays(8, (12, 4, 4)))
        fields = {"connectivity": 8, "diagonal_cost": "unit", "corner_rule": "cut"}
    elif kind == "maze_hard":
        maze_hard(own, "train.csv", range(10))
        maze_hard(own, "test.csv", range(10, 14))
    else:
        for number, name in enumerate(("train/a", "train/b", "train/c", "test/d")):
            random_map(own, f"{name}.map", number)
    prepare(MazesConfig(source="local", local_path=str(own), **fields), "mazes", tmp_path / "mazes")
    trained_once(tmp_path)
    navigator = load_navigator(tmp_path / "model", "cpu")
    (group, *_) = read_split(tmp_path / "mazes", "test").groups
    maps = group.maps[:]
    found = plan_many(navigator, maps, fallback=True, max_steps=4)
    assert [made.optimal_cost for made in found] == pytest.approx(
        [costs(maps, i)[tuple(maps.start[i])] for i in range(len(maps))], rel=1e-6
    )
