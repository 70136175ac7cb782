"""`nsmodels disk`: the table lists every artifact, and only those that are named are removed, whole or not at all."""

import contextlib
import fcntl
import io
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nsmodels.commands.disk_usage import main
from nsmodels.core import artifact
from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import remembered


def make(root: Path, key: str, num_bytes: int = 1000, inputs: dict[str, Path] | None = None) -> Path:
    """A sealed artifact like a trained model: best and last are one file, two interval checkpoints beside."""
    recipe = {"config": {"of": key}, "code_version": "1", "inputs": inputs or {}}
    with artifact.build(root / key, key=key, maker="tests", **recipe) as part:
        (part.path / "net").mkdir()
        (part.path / "net" / "last.pt").write_bytes(b"l" * num_bytes)
        (part.path / "net" / "best.pt").hardlink_to(part.path / "net" / "last.pt")
        (part.path / "net" / "epoch_0001.pt").write_bytes(b"1" * 500)
        (part.path / "net" / "epoch_0002.pt").hardlink_to(part.path / "net" / "last.pt")
    return root / key


def stop_while_making(root: Path, key: str) -> Path:
    """Unfinished work, with a download that has only begun."""
    recipe = {"config": {"of": key}, "code_version": "1"}
    with contextlib.suppress(KeyboardInterrupt), artifact.build(root / key, key=key, maker="tests", **recipe) as part:
        (part.path / "archive.zip.partial").write_bytes(b"d" * 700)
        raise KeyboardInterrupt
    return root / f".{key}.partial"


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "data"
    monkeypatch.setenv("NSMODELS_DATA", str(place))
    return place


def shown(capsys) -> dict[str, str]:
    """The rows of the table by name."""
    assert main([]) == 0
    rows = capsys.readouterr().out.splitlines()[3:]
    return {row.split(maxsplit=7)[-1].split(";")[0].strip(): row for row in rows[: rows.index("")]}


def test_the_table_lists_sizes_kinds_and_dependents_and_counts_a_file_of_two_names_once(root, capsys, monkeypatch):
    # What is old enough when it is read is remembered in a cache, which would be a further row on a slow machine.
    monkeypatch.setattr(remembered, "SETTLED", 3_600_000_000_000)
    model = make(root, "model", num_bytes=50_000)
    make(root, "model_evaluation", inputs={"model": model})
    stop_while_making(root, "other")
    (root / "notes.txt").write_text("mine")
    entry = root / "ledger" / "0123456789abcdef" / "entry.json"
    entry.parent.mkdir(parents=True)
    entry.write_text("{}")
    rows = shown(capsys)
    assert list(rows) == ["model", "model_evaluation", "other", "ledger"], "by size"
    assert "stays" in rows["ledger"]
    manifest = (model / artifact.MANIFEST).stat().st_size
    assert rows["model"].split()[:2] == [f"{(50_500 + manifest) / 1000:.1f}", "kB"]
    assert "1/1/2" in rows["model"]
    assert "input of model_evaluation" in rows["model"]
    assert "unfinished" in rows["other"]
    assert "700 B of it partially downloaded" in rows["other"]
    assert main([]) == 0
    assert " and 4 B of files that are no artifacts" in capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(InputError, match=r"ledger: stays.* by hand"):
        main(["--free", "ledger", "--yes"])


def test_of_an_empty_data_root_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [str(tmp_path), "", "holds no artifact", ""]
    assert lines[4].startswith("total 0 B; ")


def test_only_what_is_named_is_removed(root, capsys):
    make(root, "runs/3/model")
    make(root, "runs/4/model")
    unfinished = stop_while_making(root, "runs_of_others")
    own = root / "runs" / "mine"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    assert main(["--free", "runs/3", "--yes"]) == 0
    assert not (root / "runs" / "3" / "model").exists()
    assert artifact.verify(root / "runs" / "4" / "model")
    assert main(["--free", "runs", "--yes"]) == 0
    assert not (root / "runs" / "4" / "model").exists()
    assert (own / "thesis.txt").exists()
    assert unfinished.exists()
    assert main(["--free", "unfinished", "--yes"]) == 0
    assert not unfinished.exists()
    assert main(["--free", "unfinished", "--yes"]) == 0
    assert "nothing to free" in capsys.readouterr().out


def test_a_folder_that_is_no_artifact_and_an_unknown_name_are_refused(root):
    make(root, "model")
    (root / "photos").mkdir()
    (root / "photos" / "manifest.json").write_text('{"name": "a web page"}')
    for name in ("photos", "modle", ".", "/"):
        with pytest.raises(InputError, match=r"no artifact of that name.*model"):
            main(["--free", name, "--yes"])
    with pytest.raises(InputError, match="optimizer"):
        main(["--free", "training-state", "--yes"])
    assert (root / "photos" / "manifest.json").exists()


def test_links_are_not_followed(root, tmp_path, capsys):
    elsewhere = make(tmp_path / "disk2", "big")
    model = make(root, "model")
    (root / "big").symlink_to(elsewhere)
    (model / "pictures").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"is a link, which is not followed; free it at .*disk2"):
        main(["--free", "big", "--yes"])
    assert "big is a link to" in (main([]), capsys.readouterr().out)[1]
    assert main(["--free", "model", "--yes"]) == 0
    assert artifact.verify(elsewhere)


def test_without_a_terminal_nothing_is_removed(root, monkeypatch, capsys):
    make(root, "model")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert run(lambda: main(["--free", "model"])) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "--yes" in line
    assert artifact.verify(root / "model")


@pytest.mark.parametrize(("typed", "is_removed"), [(b"\n", False), (b"no\n", False), (b"\x04", False), (b"y\n", True)])
def test_on_a_terminal_a_confirmation_is_needed(root, typed, is_removed):
    make(root, "model")
    ours, theirs = pty.openpty()
    program = "import sys; from nsmodels.commands.disk_usage import main; sys.exit(main(['--free', 'model']))"
    pipes = {"stdin": theirs, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as command:
        os.write(ours, typed)
        printed, errors = command.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert "model (sealed)" in printed
    assert "free 1.5 kB?" not in printed, "the manifest has bytes too"
    assert (root / "model").exists() != is_removed
    assert command.returncode == (0 if is_removed else 1)
    assert errors == ""


def test_what_cannot_be_removed_is_reported_and_the_rest_is_removed(root, monkeypatch, capsys):
    make(root, "locked/model")
    make(root, "model")
    rename = Path.rename

    def refused(path, target):  # as in a folder of another user; root may do anything
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    assert main(["--free", "locked", "model", "--yes"]) == 2
    assert capsys.readouterr().err == "error: locked/model: cannot be removed (Permission denied)\n"
    assert artifact.verify(root / "locked" / "model")
    assert not (root / "model").exists()


def test_an_artifact_being_built_is_skipped(root, capsys):
    make(root, "model")
    recipe = {"config": {"of": "another"}, "code_version": "1"}
    with artifact.build(root / "model", key="model", maker="tests", **recipe) as part:
        (part.path / "work").write_text("so far")
        assert main([]) == 0
        assert "being built now" in capsys.readouterr().out
        assert main(["--free", "unfinished", "--yes"]) == 0
        assert (part.path / "work").exists()
        assert main(["--free", "model", "--yes"]) == 2
        assert "another process is building" in capsys.readouterr().err
        assert artifact.verify(root / "model")
    assert (root / "model" / "work").exists()


def test_without_its_interval_checkpoints_a_model_still_matches_its_manifest(root, capsys):
    model = make(root, "model")
    before = artifact.read_manifest(model)
    assert main(["--free", "interval-checkpoints", "--yes"]) == 0
    assert "500 B" in capsys.readouterr().out, "the second is best and last under another name"
    sealed = artifact.verify(model)
    assert sorted(sealed.files) == ["net/best.pt", "net/last.pt"]
    assert sealed.fingerprint == before.fingerprint
    assert not list(model.rglob("epoch_*"))


def test_ctrl_c_leaves_an_artifact_whole_or_gone(root, monkeypatch, capsys):
    model = make(root, "model")
    erase = shutil.rmtree

    def stopped(path, *more, **options):
        erase(path, *more, **options)
        if path.parent.name == ".model.removed":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stopped)
        assert run(lambda: main(["--free", "model", "--yes"])) == 130
    with pytest.raises(InputError, match="does not exist"):
        artifact.read_manifest(model)
    assert "leftover" in shown(capsys)["model"]
    assert main(["--free", "leftovers", "--yes"]) == 0
    assert [path.name for path in root.iterdir()] == [".model.lock"]


def test_a_previous_artifact_does_not_come_back_for_one_that_was_removed(root):
    model = make(root, "model")
    shutil.copytree(model, root / ".model.previous")  # of a run killed at the end of its swap
    assert main(["--free", "model", "--yes"]) == 0
    with pytest.raises(InputError, match="does not exist"):
        artifact.read_manifest(model)


@pytest.mark.parametrize("place", ["model", ".model.removed"])
def test_files_of_a_person_are_not_removed_with_an_artifact(root, capsys, place):
    make(root, "model")
    thesis = root / place / "thesis.tex"
    thesis.parent.mkdir(exist_ok=True)
    thesis.write_text("mine")
    assert main(["--free", "model", "--yes"]) == 2
    assert thesis.read_text() == "mine"
    assert (root / "model" / "manifest.json").exists()
    assert "thesis.tex; move them away first" in capsys.readouterr().err


def test_decoded_images_are_removed_unless_a_process_writes_them(root):
    cache = root / ".cache"
    cache.mkdir(parents=True)
    for name in ("images_a.npy", "images_a.lock", "images_b.partial.npy", "images_b.lock"):
        (cache / name).write_bytes(b"12345678")
    with (cache / "images_b.lock").open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert main(["--free", "cache", "--yes"]) == 0
    assert sorted(path.name for path in cache.glob("*.npy")) == ["images_b.partial.npy"]
