"""A search from the command line: its data are those of its preset, as in a step."""

import subprocess
import sys
from pathlib import Path

from nsmodels.__main__ import main as nsmodels
from nsmodels.core.artifact import read_manifest
from pipeline import search, sweep

WORDS = ["nav", "--preset", "quick", "--model.training.device", "cpu"]


def generated(data: Path) -> Path:
    assert nsmodels(["mazes", "generate", "--preset", "debug", "--out", str(data / "mazes")]) == 0
    return data / "mazes"


def test_it_makes_the_data_that_its_preset_is_for(data):
    mazes = generated(data)
    (data / "nav_search").mkdir()
    (data / "nav_search" / "mine.txt").touch()  # the search is refused where it would begin
    # In a process of its own: nothing that was loaded before has registered how mazes are made.
    code = f"import sys; from pipeline import search; sys.exit(search.main({WORDS}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert lines[0] == f"mazes: too small for preset quick; building it again in {mazes}"
    assert lines[-1].startswith(f"error: {data / 'nav_search'}: ")
    assert read_manifest(mazes).metrics["num_problems"]["train"] == 5_000


def test_a_dry_run_names_the_data(data, capsys):
    def printed(*words):
        capsys.readouterr()
        assert search.main([*words, "--dry-run"]) == 0
        return capsys.readouterr().out.splitlines()

    wait = "time not measured: mazes must be there first"
    lines = printed(*WORDS)
    assert f"mazes: missing; would be built first, 5,000 + 500 samples (synthetic) in {data}/mazes" in lines
    assert wait in lines
    mazes = generated(data)
    before = read_manifest(mazes)
    lines = printed(*WORDS)
    assert "mazes: too small for preset quick; would be built again, 5,000 + 500 samples (synthetic)" in lines
    assert wait in lines
    lines = printed("nav", "--preset", "debug", "--model.training.device", "cpu")
    assert any(line.startswith("mazes: synthetic mazes, ") and line.endswith(f" in {mazes}") for line in lines)
    assert wait not in lines
    assert read_manifest(mazes) == before
    assert sweep.main(["nav_model", "--preset", "quick", "--seeds", "0", "--dry-run"]) == 0
    assert "mazes: too small for preset quick; would be built again" in capsys.readouterr().out
