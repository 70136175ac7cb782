"""Seals are checked: sizes always, checksums once per state of a file; what differs is named, with time and remedy."""

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nsmodels.commands.verification import main
from nsmodels.core import artifact
from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import remembered, verification


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "data"
    monkeypatch.setenv("NSMODELS_DATA", str(place))
    return place


def make(root: Path, key: str = "things", inputs: dict | None = None) -> Path:
    with artifact.build(root / key, key=key, maker="tests", config={}, code_version="1", inputs=inputs) as part:
        (part.path / "deep").mkdir()
        (part.path / "deep" / "words.txt").write_text("words")
        (part.path / "numbers.bin").write_bytes(bytes(range(256)))
        time.sleep(0.06)  # files of this very moment are not remembered
    return root / key


def flip(path: Path, keeps_times: bool = False) -> None:
    state, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    if keeps_times:
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def hashed(monkeypatch) -> list[str]:
    """Names of the files that are hashed from now on."""
    seen: list[str] = []
    whole = verification.sha256_of

    def counting(path: Path) -> str:
        seen.extend([path.name] if path.name != "manifest.json" else [])
        return whole(path)

    monkeypatch.setattr(verification, "sha256_of", counting)
    return seen


def test_what_was_sealed_is_not_hashed_again_and_a_change_is_found(root, monkeypatch) -> None:
    folder, seen = make(root), hashed(monkeypatch)
    assert artifact.require_intact(folder)
    assert seen == []
    (folder / "numbers.bin").touch()
    assert artifact.require_intact(folder)
    assert seen == ["numbers.bin"]
    time.sleep(0.06)
    assert artifact.require_intact(folder)
    assert artifact.require_intact(folder)
    assert seen == ["numbers.bin"] * 2
    flip(folder / "numbers.bin")
    with pytest.raises(InputError, match=r"numbers.bin: content differs from its checksum; .*seal.*; restore it from"):
        artifact.require_intact(folder)


def test_a_change_that_keeps_size_and_times_is_found(root) -> None:
    folder = make(root)
    flip(folder / "numbers.bin", keeps_times=True)
    with pytest.raises(InputError, match=r"numbers.bin: content differs .* a fault of the disk, or a copy that kept"):
        artifact.require_intact(folder)


def test_a_change_names_since_when(root) -> None:
    folder = make(root)
    later = time.time() + 3600
    flip(folder / "deep" / "words.txt")
    os.utime(folder / "deep" / "words.txt", (later, later))
    line = r"deep/words.txt: content differs .*; changed on \d{4}-\d\d-\d\d [0-9:]{8}, after it was sealed on \d{4}-"
    with pytest.raises(InputError, match=line):
        artifact.require_intact(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seal": 1}', '{"seal": "x", "files": {"a": [1]}}', "\xff\0"])
def test_a_damaged_memory_only_costs_time(root, monkeypatch, text: str) -> None:
    folder, seen = make(root), hashed(monkeypatch)
    (memory,) = (root / remembered.PLACE).glob("*.json")
    memory.write_text(text)
    assert artifact.require_intact(folder)
    assert sorted(seen) == ["numbers.bin", "words.txt"]
    assert json.loads(memory.read_text())["files"]
    shutil.rmtree(root / ".cache")
    assert artifact.require_intact(folder)


def test_several_processes_may_remember_at_once(root) -> None:
    folder = make(root)
    shutil.rmtree(root / ".cache")
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: artifact.require_intact(folder), range(16)))
    (memory,) = (root / remembered.PLACE).glob("*")
    assert set(json.loads(memory.read_text())["files"]) == {"deep/words.txt", "numbers.bin"}


def test_outside_of_the_data_root_the_cache_of_the_user_is_used(root, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make(tmp_path, "mine")
    assert len(list((tmp_path / "cache" / "nsmodels" / "verified").glob("*.json"))) == 1
    assert not root.exists()


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: flip(folder / "numbers.bin"),
        lambda folder: (folder / "numbers.bin").unlink(),
        lambda folder: (folder / "numbers.bin").write_bytes(b""),
        lambda folder: (folder / "extra.png").write_bytes(b"x"),
    ],
)
def test_nothing_is_built_from_data_that_differ(root, harm) -> None:
    data = make(root)
    harm(data)
    with pytest.raises(InputError, match=rf"^{data}"):
        make(root, "model", inputs={"things": data})
    assert not (root / "model").exists()
    assert not list(root.glob(".model.p*"))


def test_a_reader_refuses_single_files_that_differ_or_are_not_listed(root, tmp_path) -> None:
    folder = make(root)
    names = [folder / "numbers.bin", folder / "deep" / "words.txt"]
    artifact.require_listed(names)
    artifact.require_listed([folder / "absent.bin"])
    (folder / "extra.bin").write_bytes(b"x")
    with pytest.raises(InputError, match=r"extra.bin: is not of the artifact .*; move it away"):
        artifact.require_listed([*names, folder / "deep" / ".." / "extra.bin"])
    flip(names[0])
    (folder / ".building").write_text("a note breaks no seal")
    with pytest.raises(InputError, match=r"numbers.bin: content differs"):
        artifact.require_listed(names)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "numbers.bin").write_bytes(b"x")
    artifact.require_listed([plain / "numbers.bin"])
    (plain / "linked.bin").symlink_to(names[0])
    (plain / "deep").symlink_to(folder / "deep")
    artifact.require_listed([plain / "deep" / "words.txt"])
    with pytest.raises(InputError, match=r"numbers.bin: content differs"):
        artifact.require_listed([plain / "linked.bin"])


def test_an_equal_artifact_that_is_damaged_is_not_kept(root) -> None:
    folder = make(root)
    (folder / "numbers.bin").unlink()
    recipe = {"config": {}, "code_version": "1"}
    with pytest.raises(InputError, match=r"numbers.bin: missing, .*--force"):
        artifact.kept(folder, False, **recipe)
    assert artifact.kept(folder, True, **recipe) is None


def test_the_remedy_for_a_file_of_a_person_destroys_nothing(root, tmp_path) -> None:
    assert "make the artifact again" in artifact.remedy(make(root) / "numbers.bin")
    own = artifact.remedy(tmp_path / "photo.png")
    assert own == "correct it, replace it by a copy that can be read, or leave it out"


# --- the command -----------------------------------------------------------------------------------------------------


def test_verify_prints_a_table_and_its_status_is_1_when_a_file_differs(root, capsys) -> None:
    for key in ("a", "runs/1/model", "runs/2/model"):
        make(root, key)
    assert main(["--all"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:-1]] == ["ok"] * 3
    assert rows[-1].startswith("3 artifacts, 783 B in ")
    flip(root / "runs" / "2" / "model" / "numbers.bin", keeps_times=True)
    (root / "a" / "mine.txt").write_text("x")
    (root / "runs" / "1" / "model" / "numbers.bin").unlink()
    assert main(["--all"]) == 1
    found = {row.split()[-1]: row.split()[0] for row in capsys.readouterr().out.splitlines() if row[0] not in " 3"}
    assert {name: found[name] for name in ("a", "runs/1/model", "runs/2/model")} == {
        "a": "foreign", "runs/1/model": "missing", "runs/2/model": "changed",
    }  # fmt: skip
    assert main(["runs/1"]) == 1
    assert "numbers.bin: missing" in capsys.readouterr().out
    (root / "a" / "mine.txt").unlink()
    assert main(["a"]) == 0
    assert main([str(root / "a")]) == 0


def test_verify_proposes_the_nearest_name_and_lists_what_there_is_where_none_is_near(root, capsys) -> None:
    make(root, "nav_model")
    with pytest.raises(InputError, match=r"no artifact 'nav_modle' under .*; did you mean nav_model\?$"):
        main(["nav_modle"])
    make(root, "mazes")
    with pytest.raises(InputError, match=r"no artifact 'zzz' under .*; there are: mazes, nav_model$"):
        main(["zzz"])
    assert main(["mazes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 artifact, ")


def test_verify_finds_a_damaged_manifest_and_leaves_folders_of_others_alone(root, capsys) -> None:
    make(root)
    (root / "photos").mkdir()
    (root / "photos" / "manifest.json").write_text('{"name": "a web page"}')
    assert main(["--all"]) == 0
    manifest = root / "things" / "manifest.json"
    manifest.write_text(manifest.read_text()[:200])
    assert main(["--all"]) == 1
    assert "not a manifest of this project" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["absent"], ["--all", "things"], ["things/x"], [""], ["/"]])
def test_verify_refuses_unknown_names_in_one_line(root, capsys, argv) -> None:
    make(root)
    assert run(lambda: main(argv)) == 2
    assert capsys.readouterr().err.count("\n") == 1
