"""The leaderboard: evaluations of tiny navigators ranked, filtered, written, compared; commands beside systems."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import nsmodels.__main__ as command
from nsmodels.core import artifact
from nsmodels.core.cli import run
from nsmodels.evaluation import leaderboard, ledger
from nsmodels.evaluation.entry import Entry
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import debug
from tests.shared import Shared
from tests.systems import orders

pytestmark = pytest.mark.usefixtures("one_thread")

MODELS = {
    "nav": {"training.seed": 1},
    "nav_trials/wide": {"training.seed": 2, "model.dim": 32, "training.lr": 0.01},
}


@pytest.fixture(scope="module")
def made(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two evaluations, without a ledger: of an asset and of a trial."""
    root = tmp_path_factory.mktemp("data")
    shutil.copytree(shared.data("mazes"), root / "mazes")
    for name, values in MODELS.items():
        model, evaluation = (
            root / (f"{name}/{kind}" if "/" in name else f"{name}_{kind}") for kind in ("model", "evaluation")
        )
        few = {"training.device": "cpu", "training.epochs": 1, "baselines.is_enabled": False}
        orders.train(SYSTEM, debug().with_values(few | values), root / "mazes", model, "nav_model", data_key="mazes")
        keys = "nav_evaluation", "nav_model", "mazes"
        orders.evaluate(SYSTEM, model, root / "mazes", evaluation, keys, split="val", device="cpu")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same root as somebody else's copy."""
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "copy"))
    return tmp_path / "copy"


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]):
    """What a command says on stdout; it must succeed in silence."""

    def say(*words: str) -> str:
        capsys.readouterr()
        assert run(lambda: leaderboard.main(words)) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return say


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]):
    """The one line of a command that fails."""

    def say(*words: str) -> str:
        capsys.readouterr()
        assert run(lambda: leaderboard.main(words)) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err

    return say


@pytest.fixture
def entry(root: Path) -> Entry:
    """An entry to make others from."""
    ledger.scan()
    return ledger.entries()[0]


def varied(entry: Entry, number: int, **values: object) -> Entry:
    return Entry.model_validate({**entry.model_dump(), "id": f"{number:016d}", "num_parameters": number, **values})


# --- the command -----------------------------------------------------------------------------------------------------


def test_a_copied_data_root_shows_up_ranked(root: Path, shown) -> None:
    ranked = json.loads(shown("--format", "json"))
    assert {row["name"] for row in ranked} == {"nav_model", "nav_trials/wide"}
    assert [row["score"] for row in ranked] == sorted((row["score"] for row in ranked), reverse=True)
    sealed = artifact.read_manifest(root / "nav_evaluation")
    (row,) = (row for row in ranked if row["name"] == "nav_model")
    assert (row["score"], row["created"]) == (sealed.metrics["accuracy"], sealed.created)
    assert (row["seed"], row["source"], row["split"], row["metric"]) == (1, "synthetic mazes", "val", "success")
    best = max(value for name, value in sealed.metrics.items() if name.startswith("baseline/"))
    assert (row["baseline"], row["baseline_score"]) == ("greedy", best)
    assert (row["num_parameters"], row["n"]) == (128, 24)


def test_only_what_differs_in_the_configuration_is_shown(root: Path, shown) -> None:
    rows = {row["name"]: row["differences"] for row in json.loads(shown("--format", "json"))}
    assert rows["nav_trials/wide"] == "model.dim=32, training.lr=0.01"
    assert rows["nav_model"] == "model.dim=16, training.lr=0.003"  # the seed has a column of its own


def test_the_table_is_aligned_and_says_what_was_scored(root: Path, shown) -> None:
    title, heading, rule, *lines = shown().splitlines()
    assert title.startswith("mazes ")
    assert "synthetic mazes, split val: success in %" in title
    assert set(rule) == {"-"}
    assert len(lines) == 2
    column = heading.index("differs in")
    assert all(line[column:].startswith("model.dim=") for line in lines)
    assert all(" greedy " in line for line in lines)


def test_the_same_as_csv_and_markdown_on_disk(root: Path, shown, tmp_path: Path) -> None:
    for name in ("board.csv", "board.md", "board.json"):
        assert shown("--out", str(tmp_path / name)) == ""
    with (tmp_path / "board.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [row["id"] for row in json.loads((tmp_path / "board.json").read_text())]
    lines = [line for line in (tmp_path / "board.md").read_text().splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in lines} == {len(leaderboard.CELLS) - 1}
    assert len(lines) == 2 + 2


def test_what_cannot_be_written_is_one_line(root: Path, refused, tmp_path: Path) -> None:
    assert f"--out {tmp_path}: is a folder" in refused("--out", str(tmp_path))
    assert "is a folder; give the name of a file" in refused("--out", "")
    assert "none does not exist; make it first" in refused("--out", str(tmp_path / "none" / "board.csv"))
    assert "File name too long; give a shorter name" in refused("--out", str(tmp_path / ("a" * 300)))
    assert "is a folder" in refused("--compare", "nav_model", "nav_trials/wide", "--out", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_filters_order_and_limit(root: Path, shown, refused) -> None:
    ranked = json.loads(shown("--format", "json", "--sort", "num_parameters", "--limit", "1", "--system", "nav"))
    assert [row["num_parameters"] for row in ranked] == [128]
    assert all(row["differences"] == "" for row in ranked)  # of the rows shown
    mark = artifact.read_manifest(root / "mazes").fingerprint
    assert shown("--dataset", mark[:8]) == shown("--dataset", "mazes") == shown()
    assert "no evaluation of this dataset and system (there are: nav on mazes)" in refused("--dataset", "clevr")


def test_two_are_compared_by_key_and_by_the_beginning_of_an_id(root: Path, shown, refused) -> None:
    first, second = (row["id"] for row in json.loads(shown("--format", "json", "--sort", "created"))[:2])
    found = json.loads(shown("--compare", first[:8], second, "--format", "json"))
    assert (found["first"], found["second"], found["n"]) == (first, second, 24)
    scores = {row["id"]: row["score"] for row in json.loads(shown("--format", "json"))}
    assert found["difference"] == pytest.approx(scores[first] - scores[second])
    text = shown("--compare", "nav_model", "nav_trials/wide")
    assert "nav_model, seed 1" in text
    assert "success, first minus second: " in text
    assert "nav_model, nav_trials/wide)" in refused("--compare", "nav_model", "nothing")


def test_nothing_yet_says_what_to_run(tmp_path: Path, refused) -> None:
    for more in ((), ("--compare", "a", "b"), ("--format", "json")):
        line = refused("--data", str(tmp_path), *more)
        assert "no evaluation yet in " in line
        assert "make one: dagster asset materialize --select " in line
    assert "no such folder" in refused("--data", str(tmp_path / "nowhere"))


# --- rows and figure -------------------------------------------------------------------------------------------------


def test_ranks_are_within_the_same_data_and_equals_share_one(entry: Entry) -> None:
    mixed = [varied(entry, number, score=score) for number, score in enumerate((0.5, 0.75, 0.75, 0.25))]
    mixed += [varied(entry, 7, score=0.1, split="test"), varied(entry, 8, score=0.9, data_fingerprint="f" * 16)]
    rows = leaderboard.rows(mixed)
    assert {row["num_parameters"]: row["rank"] for row in rows} == {0: 3, 1: 1, 2: 1, 3: 4, 7: 1, 8: 1}
    (first, second) = leaderboard.rows([mixed[0], varied(entry, 1, dataset="mazes_elsewhere", score=0.9)])
    assert (first["rank"], second["rank"]) == (1, 2)  # the same data under two keys
    assert "mazes, mazes_elsewhere " in leaderboard._as_table([first, second])
    assert json.loads(json.dumps(rows)) == rows
    by_size = leaderboard.rows([*mixed[:3], varied(entry, 9, num_parameters=None)], "num_parameters")
    assert [row["num_parameters"] for row in by_size] == [0, 1, 2, None]


def test_a_field_that_one_configuration_lacks_is_a_difference(entry: Entry) -> None:
    more = {**entry.configuration, "extra": {"width": [8, 8], "seed": 5}}
    one, other = leaderboard.rows([entry, varied(entry, 2, configuration=more, code_version="2")])
    assert {one["differences"], other["differences"]} == {"code=1", "code=2, extra.width=[8,8]"} or (
        {one["differences"], other["differences"]} == {"code=1", "extra.width=[8,8], code=2"}
    )


def test_a_model_that_learnt_from_other_data_says_so(entry: Entry) -> None:
    (row,) = leaderboard.rows([varied(entry, 1, trained_on="synthetic CLEVR", source="CLEVR v1.0")])
    assert "(trained on synthetic CLEVR)" in leaderboard._as_table([row])


def test_the_frame_holds_the_rows_and_the_figure_every_score(entry: Entry) -> None:
    listed = [*ledger.entries(), varied(entry, 1, split="test", low=None, high=None)]
    assert leaderboard.frame(listed).to_dict("records")[0]["rank"] == 1
    (axis,) = leaderboard.draw(listed).axes
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert sorted(line.get_xdata()[0] for line in points) == pytest.approx(sorted(100 * e.score for e in listed))
    assert sum(line.get_marker() == "x" for line in axis.lines) == len(listed)
    assert sum(len(line.get_xdata()) == 2 for line in axis.lines) == len(listed) - 1  # intervals


def test_metrics_of_other_units_have_panels_below_each_other(entry: Entry) -> None:
    about = {"metric": "nmse", "unit": "of persistence", "bounds": (0.0, None), "direction": "lower", "baselines": {}}
    several = [varied(entry, number, **{**about, "metric": f"nmse_{number}"}) for number in range(5)]
    figure = leaderboard.draw([entry, *several])
    places = [axis.get_position() for axis in figure.axes]
    assert len(places) == 6
    assert len({round(place.x0, 6) for place in places}) == 1
    assert figure.axes[1].get_xlabel().startswith("nmse_0 of persistence (lower is better)")


# --- commands beside systems -----------------------------------------------------------------------------------------


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """One command that is there and one that cannot be imported."""
    places = {
        "leaderboard": "nsmodels.evaluation.leaderboard:main",
        "missing": "nsmodels.nothing:main",
        "torn": "nsmodels.torn.x:main",
    }
    points = [EntryPoint(name, place, command.COMMANDS) for name, place in places.items()]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if group == command.COMMANDS else [])


@pytest.mark.usefixtures("commands")
def test_a_command_that_cannot_be_imported_breaks_no_other(tmp_path: Path, capsys) -> None:
    assert command.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:3] == ["leaderboard", "Every", "evaluation"] for line in lines)
    assert sum("(cannot be loaded" in line for line in lines) == 2
    assert command.main(["leaderboard", "--data", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "no evaluation yet" in err
    assert f"nsmodels nav evaluate --out {tmp_path}/my_evaluation" in err  # only sealed ones are ranked
    capsys.readouterr()
    assert command.main(["missing"]) == 2
    assert capsys.readouterr().err.startswith("error: nsmodels missing: cannot be loaded (No module named")
    assert command.main(["nothing"]) == 2
    assert "leaderboard, missing, torn)" in capsys.readouterr().err


def test_help_imports_no_command() -> None:
    code = (
        "import sys, nsmodels.__main__ as m; m.main([]); print(sorted({'torch', 'dagster', 'pandas'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
