"""`nsmodels mazes`: its output, and its one-line errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact

MAP = "type octile\nheight 3\nwidth 4\nmap\n....\n.@@.\n....\n"
SCEN = "version 1\n0\tarena.map\t4\t3\t0\t0\t3\t2\t{}\n"
SMALL = ["--preset", "debug", "--sides", "8", "9"]


@pytest.fixture
def arena(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "arena.map").write_text(MAP)
    (tmp_path / "arena.map.scen").write_text(SCEN.format(5))
    return tmp_path / "arena.map", tmp_path / "arena.map.scen"


def test_generate_then_show(tmp_path: Path, capsys) -> None:
    out = tmp_path / "mazes"
    assert main(["mazes", "generate", "--out", str(out), *SMALL]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: synthetic mazes, 64 train, 24 val, 24 test, 4 transfer, ")
    assert main(["mazes", "show", "--data", str(out), "--split", "transfer", "--number", "2"]) == 0
    shown = capsys.readouterr().out.split("\n\n")
    assert len(shown) == 2
    assert shown[0].startswith("transfer-000000: ")
    assert [len(line) for line in shown[0].splitlines()[1:]] == [12] * 12


def test_generate_from_a_map_of_ones_own(tmp_path: Path, arena: tuple[Path, Path], capsys) -> None:
    place = ["--source", "local", "--local-path", str(arena[0])]
    assert main(["mazes", "generate", "--out", str(tmp_path / "mine"), *place]) == 0
    assert "MovingAI maps from a local folder, 1 test" in capsys.readouterr().out


def test_verify_ends_with_1_when_a_length_is_wrong(arena: tuple[Path, Path], capsys) -> None:
    words = ["mazes", "verify", "--map", str(arena[0]), "--scen", str(arena[1])]
    assert main(words) == 0
    assert "1 problems, 1 agree" in capsys.readouterr().out
    arena[1].write_text(SCEN.format(4.5))
    assert main(words) == 1
    assert "0 agree" in capsys.readouterr().out


def test_verify_notes_a_scenario_of_another_map(arena: tuple[Path, Path], capsys) -> None:
    arena[1].write_text(SCEN.format(5).replace("arena.map", "maps/other.map"))
    assert main(["mazes", "verify", "--map", str(arena[0]), "--scen", str(arena[1])]) == 0
    assert "\nnote: " in capsys.readouterr().out


def test_an_interrupted_generate_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A map that is a pipe nobody writes to keeps the command at its work."""
    maps, out = tmp_path / "maps", tmp_path / "out"
    maps.mkdir()
    os.mkfifo(maps / "a.map")
    words = ["generate", "--out", str(out), "--source", "local", "--local-path", str(maps)]
    with subprocess.Popen(
        [sys.executable, "-m", "nsmodels", "mazes", *words], stderr=subprocess.PIPE, text=True
    ) as run:
        pipe = opened_when_read(maps / "a.map", run)
        run.send_signal(signal.SIGINT)
        line = run.communicate()[1]
        os.close(pipe)
    assert run.returncode == 130
    assert line == "stopped; run the same command again, finished work is kept\n"
    assert not out.exists()


def test_the_line_about_data_has_their_size_and_says_that_they_are_kept(tmp_path: Path, capsys) -> None:
    words = ["mazes", "generate", "--preset", "debug", "--out", str(tmp_path / "mazes")]
    assert main(words) == 0
    (line,) = capsys.readouterr().out.splitlines()
    made = artifact.read_manifest(tmp_path / "mazes")
    size = f"{made.num_bytes / 1000:.1f} kB"
    assert line == f"{tmp_path / 'mazes'}: synthetic mazes, 64 train, 24 val, 24 test, 4 transfer, {size}"
    assert main(words) == 0
    assert capsys.readouterr().out == f"{line}; reused, built {made.created} from the same\n"


def opened_when_read(path: Path, run: subprocess.Popen) -> int:
    """The writing end of a pipe, as soon as somebody reads it."""
    while run.poll() is None:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"ended with {run.returncode} before it read {path}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "--out", "OUT", "--num-train", "0"], "field 'num_train'"),
        (["generate", "--out", "OUT", "--augment"], "unrecognized arguments: --augment"),
        (["generate", "--out", "OUT", "--source", "local"], "source=local needs local_path"),
        (["generate", "--out", "OUT", "--source", "local", "--local-path", "OUT"], "no such file or folder"),
        (["show", "--data", "OUT"], "index.parquet: missing"),
        (["show", "--data", "OUT", "--number", "0"], "--number"),
        (["verify", "--map", "OUT.map", "--scen", "OUT.scen"], "OUT.map"),
    ],
)
def test_mistakes_are_reported_in_one_line(
    words: list[str], expected: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["mazes", *words])
    except SystemExit as end:
        status = end.code
    (line,) = capsys.readouterr().err.splitlines()
    assert status == 2
    assert line.startswith("error: ")
    assert expected in line


def test_verify_and_show_name_what_is_left_out(arena: tuple[Path, Path], tmp_path: Path, capsys) -> None:
    arena[1].write_text(SCEN.format("5.00") + "0\tarena.map\t4\t3\t1\t1\t3\t2\t5\n")
    assert main(["mazes", "verify", "--map", str(arena[0]), "--scen", str(arena[1])]) == 1
    assert "2 problems, 1 agree with the length listed\n1 problems cannot be posed" in capsys.readouterr().out
    (tmp_path / "own").mkdir()
    for path in arena:
        path.rename(tmp_path / "own" / path.name)
    (tmp_path / "own" / "notes.txt").write_text("nothing")
    out = tmp_path / "mine"
    assert (
        main(["mazes", "generate", "--out", str(out), "--source", "local", "--local-path", str(tmp_path / "own")]) == 0
    )
    assert main(["mazes", "show", "--data", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "note: 1 problems left out: start or goal in a wall" in shown
    assert "note: file not used: notes.txt: is of no kind that is read" in shown
    assert main(["mazes", "verify", "--map", "a.map", "--scen", "a.scen", "--npz", "a.npz"]) == 2
    assert "give either both --map FILE.map and --scen FILE.scen, or --npz" in capsys.readouterr().err


def test_fields_that_cannot_act_on_the_files_are_errors(tmp_path: Path, capsys) -> None:
    lines = ["source,question,answer,rating", "own,S   ## #     #G ,Soo ##o#  o  #G ,1"]
    (tmp_path / "test.csv").write_text("\n".join([*lines, ""]))
    command = ["mazes", "generate", "--out", str(tmp_path / "out"), "--source", "local", "--local-path"]
    for flags in (["--problems-per-map", "3"], ["--placement", "far"], ["--val-share", "0.3"]):
        assert main([*command, str(tmp_path / "test.csv"), *flags]) == 2
        name = flags[0].removeprefix("--").replace("-", "_")
        assert f"'{name}' has no effect with {tmp_path / 'test.csv'}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
