"""Places to write, memory, and what the operating system refuses: one line, before the work begins."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.core import cli, disk, hardware
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import Estimate

NOBODY = 65534
# Root without the right to pass by permissions: it can read the interpreter, but not write what is a different user's.
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
GENERATE = ("mazes", "generate", "--preset", "debug", "--out")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a command that ends with status 2."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (status, out, len(lines), "Traceback" in err) == (2, "", 1, False), err
    return lines[0]


@pytest.mark.parametrize(
    ("out", "line"),
    [
        (".", "current folder, which cannot be replaced"),
        ("", "current folder, which cannot be replaced"),
        ("..", "current folder, which cannot be replaced"),
        ("/", "current folder, which cannot be replaced"),
        ("file/x", "file is not a folder"),
        ("file", "is a file"),
        ("loop/x", "links lead in a circle"),
        ("x" * 300, "File name too long"),
        ("x" * 250, "File name too long"),  # the folder beside it, in which it is built, has a longer name
        ("a\0b", "not text in UTF-8"),
        ("\udcff", "not text in UTF-8"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, out: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    assert line in refused(capsys, *GENERATE, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]
    assert (tmp_path / "file").read_text() == "mine"


def test_files_are_refused_where_they_would_replace_an_input_or_each_other(tmp_path: Path) -> None:
    given = tmp_path / "a.map"
    given.write_text("mine")
    (tmp_path / "link").symlink_to(given)
    for targets, line in (
        ({"--json": tmp_path / "link"}, "would replace"),
        ({"--json": tmp_path / "x", "--draw": tmp_path / "x"}, "would replace --json"),
        ({"--json": Path("/dev/null")}, "is a device or a pipe"),
        ({"--json": tmp_path}, "is a folder"),
        ({"--json": tmp_path / "none" / "x"}, "does not exist"),
    ):
        with pytest.raises(InputError, match=line):
            disk.require_files(targets, [given])
    disk.require_files({"--json": tmp_path / "x", "--draw": None}, [given, None])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.map", "link"]


def is_bound() -> bool:
    """Whether rights can be given up here."""
    if not shutil.which(BOUND[0]) or os.geteuid() != 0:
        return False
    return subprocess.run([*BOUND, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not is_bound(), reason="only root can give files to a different user")
@pytest.mark.parametrize(
    "words",
    [
        [*GENERATE, "{closed}/data"],
        ["clevr", "render", "--num-scenes", "1", "--out", "{closed}/data"],
        ["leaderboard", "--data", "{open}", "--out", "{closed}/board.csv"],
        ["mazes", "generate", "--config", "{secret}", "--out", "{open}/data"],
        ["nav", "evaluate", "--checkpoint", "{open}", "--data", "{open}", "--json", "{closed}/report.json"],
        ["nav", "export", "--checkpoint", "{open}", "--out", "{closed}/net.onnx"],
        ["visual", "answer", "--checkpoint", "{open}", "--image", "{open}/i.png", "--draw", "{closed}/p.png", "what"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_denied_places_are_one_line_for_a_user_without_rights(tmp_path: Path, words: list[str]) -> None:
    closed, secret = tmp_path / "closed", tmp_path / "secret.yaml"
    free = tmp_path / "open"
    free.mkdir()
    closed.mkdir(mode=0o755)
    secret.write_text("seed: 1\n")
    secret.chmod(0o600)
    for path in (closed, secret):
        os.chown(path, NOBODY, NOBODY)
    places = {"closed": closed, "open": free, "secret": secret}
    command = [*BOUND, sys.executable, "-m", "nsmodels", *(word.format_map(places) for word in words)]
    environment = os.environ | {"NSMODELS_DATA": str(free)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, len(lines), "Traceback" in done.stderr) == (2, 1, False), done.stderr
    assert "ermission denied" in lines[0]
    assert not list(closed.iterdir())


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "/data/x: Permission denied; check the perm"),
        (OSError(errno.EROFS, "Read-only file system", "/data/x"), "/data/x: Read-only file system; choose a folder"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files; raise the limit"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", b"/x"), "/x: No such file or directory; check"),
        (MemoryError("Allocation failed"), "not enough memory; free some memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory; free some"),
        (OSError(errno.EIO, "Input/output error", "/x"), "/x: Input/output error; check the disk"),
    ],
)
def test_what_the_system_refuses_is_one_line(capsys, error: Exception, line: str) -> None:
    def fail() -> int:
        raise error

    assert cli.run(fail) == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")


@pytest.mark.skipif(os.name != "posix", reason="a folder in use cannot be removed")
def test_a_current_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    code = "import os, sys; os.rmdir(os.getcwd()); from nsmodels.__main__ import main; "
    gone.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code + f"sys.exit(main({[*GENERATE, 'x']!r}))"],
        capture_output=True, text=True, cwd=gone, env=os.environ | {"PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "the current folder was removed" in done.stderr


# --- memory and sizes ------------------------------------------------------------------------------------------------


def test_more_memory_than_there_is_names_what_to_lower() -> None:
    assert hardware.available_memory() > 0
    hardware.require_memory(1, "one byte", "lower it")
    with pytest.raises(
        InputError, match=r"^images: about 1.0 PB|^images: about 1000.0 TB of memory are needed and .*; lower num"
    ):
        hardware.require_memory(1e15, "images", "lower num")


def test_a_control_group_limits_what_is_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 50\n")
    monkeypatch.setattr(hardware, "GROUPS", tmp_path)
    assert hardware.available_memory() == 150
    (tmp_path / "memory.max").write_text("max\n")
    assert hardware.available_memory() > 1000


@pytest.mark.parametrize(
    "words",
    [
        ["mazes", "generate", "--num-train", "10000000", "--sides", "512"],
        ["clevr", "prepare", "--preset", "quick", "--num-train", "1000000", "--image-width", "1920"],
        ["clevr", "render", "--num-scenes", "900000"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_large_data_need_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, words: list[str]) -> None:
    with monkeypatch.context() as large:
        large.setattr(Estimate, "require", lambda needed, folder: None)  # a machine that is large enough
        line = refused(capsys, *words, "--out", str(tmp_path / "out"))
    assert "on disk" in line
    assert "add --yes" in line
    assert ("lower --num-scenes" if "render" in words else "lower num_train") in line
    estimate = Estimate("much", 0, 1e12, 1, "lower it")
    monkeypatch.setattr(sys, "stdin", None)
    cli.agree(estimate, is_agreed=True)
    cli.agree(Estimate("little", 0, 1, 1, "lower it"), is_agreed=False)
    cli.agree(Estimate("long", 0, 1, 10_000, "lower it"), is_agreed=False)
    assert capsys.readouterr().err.startswith("long: about ")
    with pytest.raises(InputError, match="add --yes"):
        cli.agree(estimate, is_agreed=False)
    with pytest.raises(InputError, match=r"not enough disk space for much: .*, or lower it"):
        Estimate("much", 0, 1e18, 1, "lower it").require(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} <= {".out.lock"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["mazes", "generate", "--out", "x", "--local-path", "two"],
            "'local_path' has no effect with source=synthetic",
        ),
        (["clevr", "prepare", "--out", "x", "--local-path", "two"], "it needs source=local"),
        (["nav", "train", "--data", "d", "--out", "x", "--step-epochs", "3"], "it needs scheduler=step"),
        (["visual", "train", "--data", "d", "--out", "x", "--wandb-project", "p"], "it needs use_wandb=true"),
        (["mazes", "generate", "--out", "x", "--seed", "1" + "0" * 23], "field 'seed'"),
        (["clevr", "render", "--num-scenes", "0", "--out", "x"], "--num-scenes: "),
        (["clevr", "render", "--num-scenes", "1", "--out", "x", "--seed", "1" + "0" * 23], "--seed: "),
        (["clevr", "render", "--num-scenes", "1", "--out", "x", "--split", "nope"], "--split nope: expected train"),
        (["clevr", "inspect", "--num-train", "3"], "--num-train"),
        (["disk", "--yes"], "--yes goes with --free"),
        (["leaderboard", "--compare", "a", "b", "--limit", "3"], "--limit: no effect with --compare"),
        (["sweep", "nav_model", "--seeds", "0...999999999"], "at most 10,000 seeds"),
        (["sweep", "nav_model", "--seeds", "0,0"], "expected each value once"),
        (["upkeep", "--yes", "--dry-run"], "not allowed with"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_commands_that_mean_nothing_are_one_line(tmp_path, monkeypatch, capsys, words: list[str], line: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    assert line in refused(capsys, *words)
    assert not list(tmp_path.iterdir())
