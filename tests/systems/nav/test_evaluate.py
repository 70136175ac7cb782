"""Whole evaluations: the report with everything that belongs beside a number, MovingAI scenarios, bad input."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import debug as debug_data
from nsmodels.datasets.mazes.files.movingai import write_map
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.prepare import prepare
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import ModelConfig, debug
from nsmodels.systems.nav.evaluate import evaluate_folder, evaluate_map
from nsmodels.systems.nav.evaluation.recursion import FACTORS, steps_curve
from nsmodels.systems.nav.evaluation.report import headline, table
from nsmodels.systems.nav.evaluation.scorer import Evaluator, Measurements, read_problems
from nsmodels.systems.nav.evaluation.scoring import score
from nsmodels.systems.nav.evaluation.speed import search_rates, solvers
from nsmodels.systems.nav.evaluation.summary import length_names
from nsmodels.systems.nav.network.construction import load_navigator, make_navigator
from nsmodels.systems.nav.network.encoding import encode
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.pictures.cases import worst_first
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")

SCENARIO = Path(__file__).parents[2] / "data" / "movingai"
MAP, SCEN = SCENARIO / "random-32-32-10.map", SCENARIO / "random-32-32-10-random-1.scen"
SHARES = ("success", "spl", "optimal", "any_optimal", "match_astar", "collided", "looped")


def maps_of(folder: Path, **values: object) -> Path:
    prepare(debug_data().with_values(values), "mazes", folder)
    return folder


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("mazes")


@pytest.fixture(scope="module")
def octile(tmp_path_factory) -> Path:
    return maps_of(tmp_path_factory.mktemp("data") / "octile", connectivity=8)


def trained(data: Path, folder: Path, **values: object) -> Path:
    orders.train(SYSTEM, debug().with_values({"training.device": "cpu", "training.epochs": 1, **values}), data, folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(shared: Shared) -> Path:
    return shared.model("nav")


@pytest.fixture(scope="module")
def report(checkpoint: Path, data: Path) -> dict:
    return orders.score(SYSTEM, checkpoint, data, device="cpu")


def test_every_share_stands_with_interval_and_number(report: dict) -> None:
    for name in SHARES:
        entry = report[name]
        assert 0 <= entry["interval"][0] <= entry["value"] <= entry["interval"][1] <= 1
        assert entry["n"] >= 24
    assert report["match_astar"]["ceiling"] > 0.5
    assert report["data"]["num_maps"] == report["data"]["num_problems"] == 24
    assert (report["data"]["split"], report["data"]["source"]) == ("test", "synthetic mazes")
    json.dumps(report)


def test_rivals_stand_beside_the_navigator(report: dict) -> None:
    rivals = report["baselines"]
    assert rivals.keys() == {"greedy", "random", "mlp", "cnn", "astar", "bfs"}
    assert rivals["astar"]["accuracy"] == rivals["bfs"]["accuracy"] == 1.0
    assert rivals["greedy"]["accuracy"] > rivals["random"]["accuracy"]
    assert report["rows"]["navigator"]["accuracy"] == report["success"]["value"]
    assert report["rows"]["navigator"]["num_parameters"] == report["parameters"]["navigator"]
    assert all(entry["n"] > 0 for entry in [*report["rows"].values(), *rivals.values()])


def test_buckets_cover_the_split_and_sizes_the_larger_maps_too(report: dict) -> None:
    for key in ("by_detour", "by_kind", "by_density"):
        assert sum(entry["n"] for entry in report[key].values()) == 24
    assert {name: (e["split"], e["n"]) for name, e in report["by_size"].items()} == {
        "8x8": ("test", 24), "12x12": ("transfer", 4),
    }  # fmt: skip
    assert report["speed"]["by_size"].keys() == {"8x8", "12x12"}
    assert {"navigator", "greedy", "astar", "bfs", "labels"} <= report["speed"]["by_size"]["12x12"].keys()
    assert "mlp" not in report["speed"]["by_size"]["12x12"]  # it knows 8x8 only


def test_thinking_and_halting_are_reported(report: dict) -> None:
    steps, halting = report["steps"], report["halting"]
    assert [point["steps"] for point in steps["points"]] == sorted({point["steps"] for point in steps["points"]})
    assert steps["points"][-1]["factor"] == FACTORS[-1]
    longer = steps["thinking_longer"]
    assert longer["factor"] == 2
    assert longer["is_safe"] == (min(longer["any_optimal"], longer["success"]) >= -0.2)
    at = {point["factor"]: point for point in steps["points"]}
    for name in ("any_optimal", "success"):
        assert longer[f"raw_{name}"] == 100 * (at[2][f"raw_{name}"] - at[1][f"raw_{name}"])
    assert sum(entry["n"] for entry in halting["bins"]) == 24
    assert halting["steps_by_size"].keys() == {"8x8", "12x12"}


def test_cells_without_a_way_are_counted_from_the_labels(report: dict, data: Path) -> None:
    blocked = asked = 0
    for part in read_problems(data, "test"):
        labels = label(part.maps[:])
        blocked += int((part.maps[:].free & ~np.isfinite(labels.cost_to_go)).sum())
        asked += int((labels.optimal != 0).sum())
    assert (report["unreachable"]["n"], report["unreachable"]["false_alarms"]["n"]) == (blocked, asked)
    assert report["any_optimal"]["n"] == asked


def test_the_table_is_complete(report: dict) -> None:
    text = table(report)
    for word in (
        "greedy",
        "astar",
        "95 %",
        "12x12, transfer",
        "a perfect policy that draws among equal actions",
        "trained",
    ):
        assert word in text
    found = headline(report)
    assert found["success"] == report["success"]["value"]
    assert all(isinstance(value, float) and math.isfinite(value) for value in found.values())


def test_the_steps_curve_is_the_policy_after_so_many_steps(checkpoint: Path, data: Path) -> None:
    navigator, problems = load_navigator(checkpoint, "cpu"), read_problems(data, "test")
    point = next(p for p in steps_curve(navigator, problems)["points"] if p["factor"] == 1)
    ((_, policy),) = navigator.policies_by_step(problems[0].maps[:], [navigator.trained_steps])
    found = score(policy.actions, problems[0].maps[:], label(problems[0].maps[:]))
    assert point["any_optimal"] == found["right"].sum() / found["cells"].sum()
    assert point["n"] == 24


def test_without_holding_the_last_segment_speaks(checkpoint: Path, data: Path) -> None:
    navigator, (part, *_) = load_navigator(checkpoint, "cpu"), read_problems(data, "test")
    segments = 3
    ((_, policy),) = navigator.policies_by_step(part.maps[:], [segments * navigator.steps_per_segment], is_held=False)
    with torch.inference_mode():
        output = navigator(encode(part.maps[:]), segments)
    assert (policy.actions == output.actions.argmax(1).numpy()).all()
    points = steps_curve(navigator, [part])["points"]
    assert points[0]["raw_any_optimal"] == points[0]["any_optimal"]  # no readout is held before the first segment
    last = policies(navigator, part.maps[:], points[-1]["steps"], is_held=False)
    found = score(last, part.maps[:], label(part.maps[:]))
    assert points[-1]["raw_success"] == found["success"].mean()


def policies(navigator: Navigator, maps: Maps, steps: int, is_held: bool) -> np.ndarray:
    ((_, policy),) = navigator.policies_by_step(maps, [steps], is_held)
    return policy.actions


def test_the_comparison_names_the_cost_of_training(report: dict, checkpoint: Path) -> None:
    measured = artifact.read_manifest(checkpoint).metrics
    rows = report["rows"] | report["baselines"]
    for name in ("navigator", "mlp", "cnn"):
        assert rows[name]["train_cpu_seconds"] == measured[f"{name}/cpu_seconds"]
    assert "train_cpu_seconds" not in rows["greedy"]
    head, line = (next(x for x in table(report).splitlines() if x.startswith(w)) for w in ("in %", "navigator"))
    assert head.split()[-2:] == ["CPU-s", "maps/CPU-s"]
    assert line.split()[-1] == f"{rows['navigator']['maps_per_cpu_second']:,.0f}"


def test_a_size_of_both_splits_is_counted_apart(checkpoint: Path, tmp_path: Path) -> None:
    both = maps_of(tmp_path / "both", transfer_sides=[8])
    found = orders.score(SYSTEM, checkpoint, both, device="cpu")
    sizes = {"8x8", "8x8 (transfer)"}
    assert found["by_size"].keys() == found["speed"]["by_size"].keys() == sizes
    assert found["halting"]["steps_by_size"].keys() == sizes
    timed = found["speed"]["by_size"]
    assert timed["8x8"]["navigator"]["n"] == found["by_size"]["8x8"]["n"] == found["data"]["num_problems"]
    assert timed["8x8 (transfer)"]["navigator"]["n"] == found["by_size"]["8x8 (transfer)"]["n"]
    assert found["baselines"]["astar"]["n"] == timed["8x8"]["astar"]["n"] <= found["data"]["num_problems"]


def test_maps_trained_on_are_counted_where_the_training_data_are_there(
    checkpoint: Path, data: Path, report: dict, tmp_path: Path
) -> None:
    assert report["data"]["num_trained_on"] == 0
    assert "trained on (" not in table(report)
    seen = orders.score(SYSTEM, checkpoint, data, "train", device="cpu")
    num = seen["data"]["num_problems"]
    assert seen["data"]["num_trained_on"] == num
    assert f"{num} of {num} problems are on training maps (rotated or mirrored ones included)" in table(seen)
    moved = tmp_path / "moved"
    shutil.copytree(checkpoint, moved)
    sealed = (moved / artifact.MANIFEST).read_text()
    (moved / artifact.MANIFEST).write_text(sealed.replace(str(data.resolve()), str(tmp_path / "gone")))
    unknown = orders.score(SYSTEM, moved, data, "val", device="cpu")
    assert unknown["data"]["num_trained_on"] is None
    assert "unknown, the training data are missing" in table(unknown)


def test_costs_that_were_not_in_training_are_noted(checkpoint: Path, report: dict, tmp_path: Path) -> None:
    assert "cells differ in cost" not in table(report)
    weighted = maps_of(tmp_path / "weighted", max_cell_cost=9)
    scored = orders.score(SYSTEM, checkpoint, weighted, "val", device="cpu")
    assert "the training data had unit costs only" in table(scored)


def test_exact_search_is_measured_where_it_is_exact(octile: Path, data: Path) -> None:
    (part, *_), (other, *_) = read_problems(data, "test"), read_problems(octile, "test")
    assert solvers(part.maps[:]).keys() == {"astar", "bfs"}
    found = search_rates(other.maps[:], seconds=5)
    assert {name: entry["optimal"] for name, entry in found.items()} == {"astar": 1.0, "dijkstra": 1.0}
    assert all(entry["n"] == len(other.maps[:]) for entry in found.values())


def test_an_evaluation_is_sealed_and_reused(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    made = orders.evaluate(SYSTEM, checkpoint, data, folder, split="val", device="cpu")
    assert artifact.verify(folder) == made
    report = json.loads((folder / "report.json").read_text())
    assert made.metrics == headline(report)
    assert (folder / "table.txt").read_text() == table(report) + "\n"
    assert list((folder / "figures").glob("*.png"))
    assert (made.source, report["data"]["split"]) == ("synthetic mazes", "val")
    assert report["by_size"].keys() == {"8x8"}  # the larger maps go with the test split
    assert orders.evaluate(SYSTEM, checkpoint, data, folder, split="val", device="cpu").created == made.created


def test_listed_optima_are_recomputed_for_four_moves(checkpoint: Path) -> None:
    found = evaluate_map(checkpoint, MAP, SCEN, "cpu", max_problems=5, max_steps=12)
    assert found["data"]["num_listed"] == 461
    assert (found["data"]["num_problems"], found["data"]["num_maps"]) == (5, 1)
    assert "one map" in found["data"]["intervals"]
    assert "4-connected and computed here" in table(found)
    assert found["by_size"].keys() == {"32x32"}
    assert sum(entry["n"] for entry in found["by_detour"].values()) == 5


def test_a_folder_of_scenarios_is_one_report_by_map_and_length(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "maps" / "below").mkdir(parents=True)
    shutil.copy(MAP, tmp_path / "maps" / MAP.name)
    shutil.copy(SCEN, tmp_path / "maps" / "below" / SCEN.name)
    write_map(tmp_path / "maps" / "hall.map", np.ones((5, 5), bool))
    rows = [f"0\thall.map\t5\t5\t0\t0\t4\t{row}\t4" for row in range(5)]
    (tmp_path / "maps" / "hall.map.scen").write_text("\n".join(["version 1", *rows, ""]))
    write_map(tmp_path / "maps" / "alone.map", np.ones((4, 4), bool))
    found = evaluate_folder(checkpoint, tmp_path / "maps", "cpu", 4, 12, draw=tmp_path / "worst")
    assert found["by_map"].keys() == {MAP.name, "hall.map"}
    assert sum(entry["n"] for entry in found["by_map"].values()) == found["data"]["num_problems"]
    assert sum(entry["n"] for entry in found["by_length"].values()) == found["data"]["num_problems"]
    assert {"1-8", "9-16", "17-32", "33-64"} == found["by_length"].keys()
    assert (found["data"]["num_listed"], found["data"]["num_maps"]) == (461 + 5, 2)
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {
        f"length_{name}.png" for name in found["by_length"]
    }
    shown = table(found)
    assert "not used: alone.map: has no scenario" in shown
    assert "at most 4 of each range of lengths" in shown
    assert "hall.map   " in shown
    (tmp_path / "maps" / "alone.map").rename(tmp_path / "worst" / "alone.map")
    with pytest.raises(InputError, match=r"no problem of a scenario can be scored; alone\.map: has no scenario"):
        evaluate_folder(checkpoint, tmp_path / "worst", "cpu")


def test_the_worst_problem_is_the_shortest_failure_then_the_longest_way_round() -> None:
    columns = {"success": [1, 0, 1, 0, 1], "cost": [10, 3, 30, 9, 0], "optimum": [10, 30, 20, 9, 0]}
    table = {name: np.array(values, float) for name, values in columns.items()}
    none = np.zeros(0)
    assert worst_first(Measurements({}, {"navigator": table}, none, none, {})).tolist() == [3, 1, 2, 4, 0]
    assert length_names(np.array([0, 8.0000001, 8.4, 16, 64.5, 129])).tolist() == [
        "1-8", "1-8", "9-16", "9-16", "65-128", "129 and more"
    ]  # fmt: skip


def test_listed_optima_hold_for_eight_moves(octile: Path, tmp_path: Path) -> None:
    model = trained(octile, tmp_path / "model", **{"baselines.is_enabled": False})
    found = evaluate_map(model, MAP, SCEN, "cpu", max_problems=7, max_steps=12)
    assert (found["data"]["num_disagreeing"], found["data"]["num_problems"]) == (0, 7)
    assert found["baselines"]["astar"]["accuracy"] == 1.0
    lines = SCEN.read_text().splitlines()[:4]
    lines[2] = "\t".join([*lines[2].split("\t")[:-1], "99.5"])
    (tmp_path / "wrong.scen").write_text("\n".join([*lines, ""]))
    found = evaluate_map(model, MAP, tmp_path / "wrong.scen", "cpu", max_steps=12)
    assert (found["data"]["num_disagreeing"], found["data"]["num_problems"]) == (1, 2)
    assert "left out with a wrong listed optimum: 1" in table(found)
    with pytest.raises(InputError, match=r"4-connected maps, but .* has learnt 8 actions"):
        orders.score(SYSTEM, model, maps_of(tmp_path / "mazes"), device="cpu")


def test_a_mixer_skips_sizes_that_it_does_not_support(data: Path, tmp_path: Path) -> None:
    model = trained(data, tmp_path / "model", **{"model.core": "mixer", "baselines.is_enabled": False})
    found = orders.score(SYSTEM, model, data, device="cpu")
    assert found["data"]["skipped"] == {"12x12": "core=mixer supports maps of 8x8 only"}
    assert found["by_size"].keys() == {"8x8"}
    assert "12x12: not scored" in table(found)
    with pytest.raises(InputError, match="supports maps of 8x8 only"):
        orders.score(SYSTEM, model, data, "transfer", device="cpu")
    with pytest.raises(InputError, match="32x32, but core=mixer"):
        evaluate_map(model, MAP, SCEN, "cpu")


def test_bad_input_is_one_line(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="'split': Input should be 'test', 'val', 'train' or 'transfer', got 'nonsense'"
    ):
        orders.score(SYSTEM, checkpoint, data, "nonsense", device="cpu")
    with pytest.raises(InputError, match="navigator"):
        orders.score(SYSTEM, tmp_path, data, device="cpu")
    free = np.ones((3, 3), bool)
    free[:, 1] = False
    write_map(tmp_path / "split.map", free)
    lines = ["version 1", "0\tsplit.map\t3\t3\t0\t0\t2\t2\t4", ""]
    (tmp_path / "split.map.scen").write_text("\n".join(lines))
    with pytest.raises(InputError, match="no problem has a path"):
        evaluate_map(checkpoint, tmp_path / "split.map", tmp_path / "split.map.scen", "cpu")


def test_a_checkpoint_is_known_by_its_seal(checkpoint: Path, data: Path, report: dict, tmp_path: Path) -> None:
    assert report["data"]["checkpoint"] == artifact.read_manifest(checkpoint).fingerprint
    plain = tmp_path / "plain"
    shutil.copytree(checkpoint, plain)
    (plain / artifact.MANIFEST).unlink()
    with pytest.raises(InputError, match="never finished"):
        orders.score(SYSTEM, plain, data, device="cpu")


def test_networks_of_any_size_object_to_no_map(data: Path) -> None:
    torch.manual_seed(0)
    contest = Evaluator(make_navigator(ModelConfig(dim=16, group_width=16)).eval())
    judged = contest.evaluate(read_problems(data, "transfer"))
    assert not any(contest.unsupported_reason(part.maps) for part in read_problems(data, "transfer"))
    assert len(judged.tables["navigator"]["steps"]) == 4
