"""The study of modalities from the command line: every subset scored for each seed, what it prints and keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.systems.world.config import PHASES
from nsmodels.systems.world.evaluation.subsets import SUBSETS, title

pytestmark = pytest.mark.usefixtures("one_thread")
SHORT = [word for phase in PHASES for word in (f"--{phase}.training.epochs", "1")]


def test_a_study_scores_every_subset_for_each_seed_and_is_kept(shared, tmp_path: Path, capsys) -> None:
    folder, few = tmp_path / "study", ["--num-episodes", "4", "--num-twins", "4"]
    command = ["world", "study", "ablations", "--preset", "debug", "--data", str(shared.data("impacts")), *SHORT, *few]
    assert main([*command, "--out", str(folder), "--seeds", "3", "4"]) == 0
    printed = capsys.readouterr()
    assert "property_mae (test, lower is better)" in printed.out
    assert [line.split()[:2] for line in printed.err.splitlines() if line.startswith("seed")] == [
        ["seed", "3"],
        ["seed", "4"],
    ]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for each in report["metrics"].values():
        assert list(each["rows"]) == [title(subset) for subset in SUBSETS]
        assert len({tuple(row["scores"]) for row in each["rows"].values()}) > 1 or each["split"] == "novel"
        assert [len(step["by_seed"]) for step in each["steps"]] == [2, 2]
    assert main([*command, "--out", str(folder), "--seeds", "3", "4"]) == 0
    assert "seed 3" not in capsys.readouterr().err  # kept


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--vision.training.seed", "3"], "'vision.training.seed' has no effect: seeds decides it"),
        (["--seeds", "1", "1"], "expected each value once"),
        (["--full.training.num-processes", "2"], "the trials of a study run in one process"),
    ],
)
def test_a_study_that_makes_no_sense_is_one_line(words, line: str, shared, tmp_path: Path, capsys) -> None:
    given = ["--preset", "debug", "--data", str(shared.data("impacts")), "--out", str(tmp_path / "study")]
    assert main(["world", "study", "ablations", *given, *words]) == 2
    assert line in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
