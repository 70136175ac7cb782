"""The command line: plans, reports, graphs and figures of one small checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.datasets.mazes.files.movingai import write_map
from nsmodels.systems.nav import figures
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")


class Made(NamedTuple):
    data: Path
    model: Path
    map: Path


@pytest.fixture(scope="module")
def made(shared: Shared, tmp_path_factory) -> Made:
    root = tmp_path_factory.mktemp("nav")
    free = np.ones((4, 5), bool)
    free[:, 3] = False
    write_map(root / "walled.map", free)
    return Made(shared.data("mazes"), shared.model("nav"), root / "walled.map")


def plan(made: Made, *flags: str, start: str = "0,0", goal: str = "3,2") -> int:
    command = ["nav", "plan", "--checkpoint", str(made.model), "--map", str(made.map), "--device", "cpu"]
    return main([*command, "--start", start, "--goal", goal, *flags])


def test_a_plan_is_printed_drawn_and_written(made: Made, tmp_path: Path, capsys) -> None:
    files = ["--draw", str(tmp_path / "plan.svg"), "--json", str(tmp_path / "plan.json")]
    assert plan(made, "--fallback", "--steps", "4", *files) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("S")
    assert lines[3][2:] == "G#."
    assert "5 moves, cost 5, optimal 5; checked by walking it on the map" in lines
    assert lines[-1].startswith("recursion steps: 4;")
    written = json.loads((tmp_path / "plan.json").read_text())
    assert written["path"][0] == [0, 0]
    assert written["path"][-1] == [3, 2]
    assert written["is_optimal"]
    assert (tmp_path / "plan.svg").stat().st_size > 1000


def test_unreachable_is_an_answer_with_a_status_of_its_own(made: Made, capsys) -> None:
    assert plan(made, "--fallback", goal="0,4") == 1
    assert "unreachable (certain: exact search found no path)" in capsys.readouterr().out


def test_the_asset_is_the_default_checkpoint_of_an_export(made: Made, capsys, monkeypatch, tmp_path: Path) -> None:
    command = ["nav", "export", "--out", str(tmp_path / "nav.onnx")]
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "make it with: dagster asset materialize --select nav_model" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"start": "0"}, "--start 0: expected a row and a column counted from 0, as 3,17"),
        ({"goal": "0,x"}, "--goal 0,x: expected a row and a column"),
        ({"goal": "0,3"}, "goal (0, 3): is a wall"),
        ({"goal": "9,9"}, "goal (9, 9): is outside the map of 4 rows and 5 columns"),
    ],
)
def test_bad_places_are_reported(flags: dict[str, str], message: str, made: Made, capsys) -> None:
    assert plan(made, **flags) == 2
    assert message in capsys.readouterr().err


def test_a_picture_of_no_known_kind_is_refused_before_anything_is_loaded(made: Made, capsys) -> None:
    assert plan(made._replace(model=Path("nowhere")), "--draw", "plan.jpg") == 2
    assert "plan.jpg: cannot draw to this kind of file" in capsys.readouterr().err


def test_a_missing_checkpoint_is_reported(made: Made, capsys) -> None:
    assert plan(made._replace(model=Path("nowhere"))) == 2
    assert "nowhere: artifact 'nowhere' does not exist or was never finished" in capsys.readouterr().err


def test_evaluate_wants_one_kind_of_data(made: Made, capsys) -> None:
    command = ["nav", "evaluate", "--checkpoint", str(made.model)]
    for flags in (
        [],
        ["--map", str(made.map)],
        ["--data", str(made.data), "--map", str(made.map), "--scen", "x.scen"],
        ["--map", str(made.data), "--scen", "x"],
    ):
        assert main([*command, *flags]) == 2
        assert (
            "give either --data FOLDER, or --map FILE.map and --scen FILE.scen, or --map FOLDER alone"
            in capsys.readouterr().err
        )
    assert main([*command, "--map", str(made.map), "--scen", "x.scen", "--split", "test"]) == 2
    assert "--split goes with --data" in capsys.readouterr().err


def test_evaluate_prints_and_writes_the_report_and_its_figures_can_be_drawn(made: Made, tmp_path: Path, capsys) -> None:
    command = ["nav", "evaluate", "--checkpoint", str(made.model), "--data", str(made.data), "--device", "cpu"]
    assert main([*command, "--json", str(tmp_path / "report.json")]) == 0
    assert "greedy" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    figures.draw_all(report, made.model, made.data, tmp_path / "figures", "test", "cpu")
    names = {*figures.CHARTS, "gallery", "recursion"}
    wanted = {f"{name}{suffix}" for name in names for suffix in (".pdf", ".png")} | {"recursion.gif"}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == wanted
    evaluation = tmp_path / "evaluation"
    evaluation.mkdir()
    for name, place in (("figures", "drawn"), ("report.json", "report.json")):
        (tmp_path / name).rename(evaluation / place)
    figures.nav_success(evaluation, tmp_path / "nav_success", "nav_evaluation")
    assert artifact.verify(tmp_path / "nav_success").files.keys() >= {"success.pdf", "thinking.png", "numbers.json"}


@pytest.mark.parametrize(("target", "why"), [("nowhere/x.png", "does not exist"), ("folder.png", "is a folder")])
def test_a_target_that_cannot_be_written_is_reported_before_any_work(
    target: str, why: str, made: Made, tmp_path: Path, capsys
) -> None:
    (tmp_path / "folder.png").mkdir()
    absent, place = made._replace(model=Path("absent")), str(tmp_path / target)
    evaluate = ["nav", "evaluate", "--checkpoint", "absent", "--data", str(made.data), "--json", place]
    for run in (lambda: plan(absent, "--draw", place), lambda: plan(absent, "--json", place), lambda: main(evaluate)):
        assert run() == 2
        error = capsys.readouterr().err
        assert place in error
        assert why in error
        assert error.count("\n") == 1


def test_as_many_problems_of_a_scenario_as_wanted_are_scored(made: Made, tmp_path: Path, capsys) -> None:
    row = "0\twalled.map\t5\t4\t0\t0\t2\t{}\t3"
    (tmp_path / "x.scen").write_text("\n".join(["version 1", *(row.format(k) for k in range(4)), ""]))
    command = ["nav", "evaluate", "--checkpoint", str(made.model), "--device", "cpu", "--steps", "4"]
    for flags, num in ((["--max-problems", "2"], 2), (["--max-problems", "0"], 4)):
        files = ["--map", str(made.map), "--scen", str(tmp_path / "x.scen"), "--json", str(tmp_path / "x.json")]
        assert main([*command, *files, *flags]) == 0
        assert json.loads((tmp_path / "x.json").read_text())["data"]["num_problems"] == num
    assert main([*command, "--data", str(made.data), "--max-problems", "2"]) == 2
    assert "--max-problems goes with --map" in capsys.readouterr().err


def test_training_curves_are_sealed(made: Made, tmp_path: Path) -> None:
    manifest = figures.nav_training_curves(made.model, tmp_path / "nav_training_curves", "nav_model")
    assert {"navigator.pdf", "mlp.pdf", "cnn.png", "numbers.json"} <= manifest.files.keys()
    assert manifest.source == artifact.read_manifest(made.model).source


def test_export_writes_a_graph(made: Made, tmp_path: Path, capsys) -> None:
    command = ["nav", "export", "--checkpoint", str(made.model), "--out"]
    assert main([*command, str(tmp_path / "nav.onnx"), "--steps", "1"]) == 0
    assert "4 recursion steps, maps of any size" in capsys.readouterr().out
    assert main([*command, "nav.pt"]) == 2
    assert main([*command, "nav.onnx", "--height", "8"]) == 2
    assert "give --height and --width together" in capsys.readouterr().err


def test_numbers_are_checked_by_the_parser(made: Made, capsys) -> None:
    with pytest.raises(SystemExit):
        plan(made, "--steps", "0")
    assert "expected a whole number from 1 on, got '0'" in capsys.readouterr().err
