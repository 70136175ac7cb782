"""Unfinished work of a different configuration: kept until the next one is sealed, with a line that names its cost."""

import json
import logging
import os
import time
from pathlib import Path

import pytest

from nsmodels.commands.disk_usage import main as disk
from nsmodels.core import artifact
from nsmodels.core.sealed import inventory, unfinished


def build(folder: Path, epochs: int, **more):
    config = {"training": {"epochs": epochs, "lr": 0.1}}
    return artifact.build(folder, key=folder.name, maker="tests", config=config, code_version="1", **more)


def stop(folder: Path, epochs: int, num_epochs: int = 9, **more) -> None:
    """A training that is stopped after some epochs."""

    def train() -> None:
        with build(folder, epochs, **more) as part:
            (part.path / "net").mkdir(exist_ok=True)
            (part.path / "net" / "last.pt").write_text(f"of {epochs}")
            (part.path / "net" / "history.json").write_text(json.dumps([{"epoch": n} for n in range(num_epochs)]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir() if ".unfinished-" in path.name)


def test_it_is_kept_with_a_line_and_gone_when_the_next_is_sealed(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "model"
    stop(folder, 20)
    os.utime(folder.with_name(".model.partial") / "net" / "last.pt", (time.time() + 7200, time.time() + 7200))
    with build(folder, 10) as part:
        (kept,) = beside(folder)
        assert (tmp_path / kept / "net" / "last.pt").read_text() == "of 20"
        assert not (part.path / "net").exists()
        (record,) = caplog.records
        line = record.getMessage()
        assert record.levelno == logging.WARNING
        assert "\n" not in line
        assert line.startswith(f"{folder}: unfinished work of a different configuration (training.epochs 20 -> 10; ")
        assert "; 9 epochs; 0 s of work; last written " in line
        assert f"is kept in {tmp_path / kept} until this one is sealed" in line
    assert beside(folder) == []
    assert set(artifact.verify(folder).files) == set()


def test_a_killed_sitting_counts_until_its_last_write(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "model"
    stop(folder, 20)
    partial = folder.with_name(".model.partial")
    note = unfinished.note_of(partial)
    assert note is not None
    begun = time.time() - 10_000
    unfinished.Note(note.mark, note.maker, note.recipe, since=begun, wall_seconds=3600).write(partial)
    for path in partial.rglob("*.*"):
        os.utime(path, (begun + 1800, begun + 1800))
    with build(folder, 10):
        assert "9 epochs; 1.5 h of work" in caplog.text


def test_going_back_resumes_it_and_each_configuration_has_its_own(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "model"
    stop(folder, 20)
    stop(folder, 10, num_epochs=1)
    assert "of work; last" in caplog.text
    with build(folder, 20) as part:
        assert (part.path / "net" / "last.pt").read_text() == "of 20"
        assert len(beside(folder)) == 1
        assert "resumes the unfinished work of this configuration (9 epochs" in caplog.text
    assert beside(folder) == []


def test_a_build_that_fails_leaves_it_and_few_are_kept(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "model"
    for epochs in range(20, 20 + unfinished.MOST + 2):
        stop(folder, epochs)
        os.utime(folder.with_name(".model.partial") / ".building", (epochs, epochs))
    assert len(beside(folder)) == unfinished.MOST
    assert f"the oldest of more than {unfinished.MOST}, is removed" in caplog.text
    kept = {(tmp_path / name / "net" / "last.pt").read_text() for name in beside(folder)}
    assert kept == {f"of {epochs}" for epochs in range(21, 21 + unfinished.MOST)}


def test_work_that_cannot_be_resumed_is_not_kept(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "model"
    stop(folder, 20, is_resumable=False)
    (tmp_path / ".model.partial").mkdir()  # of a process that was killed
    unfinished.Note("0" * 16, "tests", {}, is_resumable=False).write(tmp_path / ".model.partial")
    (tmp_path / ".model.partial" / "half").write_text("half")
    with build(folder, 10):
        assert beside(folder) == []
    assert not caplog.records


def test_that_of_a_different_maker_stays(tmp_path: Path) -> None:
    stop(tmp_path / "model", 20)
    with artifact.build(tmp_path / "model", key="model", maker="others", config={}, code_version="1"):
        pass
    assert len(beside(tmp_path / "model")) == 1


def test_a_note_of_an_earlier_version_still_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    stop(folder, 20)
    note = folder.with_name(".model.partial") / ".building"
    note.write_text("\n".join(note.read_text().splitlines()[:2]))
    assert artifact.maker_of(note.parent) == "tests"
    with build(folder, 20) as part:
        assert (part.path / "net" / "last.pt").read_text() == "of 20"


def test_disk_lists_it_and_removes_it_on_request(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    stop(tmp_path / "model", 20)
    stop(tmp_path / "model", 10)
    assert [item.kind for item in inventory.items(tmp_path)] == ["unfinished", "unfinished"]
    assert disk([]) == 0
    assert "model; of a different configuration, kept until the artifact is sealed" in capsys.readouterr().out
    assert disk(["--free", "unfinished", "--yes"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {".model.lock"}
