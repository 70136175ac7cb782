"""Sealed folders: content of the manifest, and the state after a build that fails, is killed or fills the disk."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError

RECIPE = {"size": 3, "name": "x"}


def build(folder: Path, config: dict | None = None, **options):
    options = {"key": "things", "maker": "tests", "code_version": "1", "seed": 5} | options
    return artifact.build(folder, config=RECIPE if config is None else config, **options)


def make(folder: Path, text: str = "first", config: dict | None = None, **options) -> artifact.Manifest:
    with build(folder, config, **options) as part:
        (part.path / "deep").mkdir(exist_ok=True)
        (part.path / "deep" / "words.txt").write_text(text)
        (part.path / "numbers.bin").write_bytes(bytes(range(256)))
        part.metrics["accuracy"] = 0.5
    return artifact.read_manifest(folder)


def words(folder: Path) -> str:
    return (folder / "deep" / "words.txt").read_text()


def beside(folder: Path) -> set[str]:
    """Siblings of an artifact, without its lock file, which is never removed."""
    return {path.name for path in folder.parent.iterdir()} - {folder.name, f".{folder.name}.lock"}


# The same build in a separate process: prints a line when it has written a file, then waits for input or its end.
SLOW = """
import sys
from pathlib import Path
from nsmodels.core import artifact
folder, text = Path(sys.argv[1]), sys.argv[2]
recipe = {"size": 3, "name": "x"}
with artifact.build(folder, key="things", maker="tests", config=recipe, code_version="1", seed=5) as part:
    (part.path / "deep").mkdir(exist_ok=True)
    (part.path / "deep" / "words.txt").write_text(text)
    print("written", flush=True)
    sys.stdin.readline()
"""


def start_slow(folder: Path, text: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(folder), text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "written\n"
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def test_the_manifest_records_recipe_inputs_and_files(tmp_path: Path) -> None:
    make(tmp_path / "data", source="synthetic things")
    made = make(tmp_path / "model", "weights", inputs={"data": tmp_path / "data"})
    assert (made.key, made.maker, made.code_version, made.config, made.seed) == ("things", "tests", "1", RECIPE, 5)
    assert made.metrics == {"accuracy": 0.5}
    assert made.source == "synthetic things"  # flows down from the input
    content = {name: (tmp_path / "model" / name).read_bytes() for name in ("deep/words.txt", "numbers.bin")}
    assert {name: (record.bytes, record.sha256) for name, record in made.files.items()} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items()
    }
    assert made.num_bytes == len("weights") + 256
    seal = (tmp_path / "data" / "manifest.json").read_bytes()
    assert made.inputs["data"].manifest_sha256 == hashlib.sha256(seal).hexdigest()
    assert made.inputs["data"].fingerprint == artifact.read_manifest(tmp_path / "data").fingerprint
    assert made.inputs["data"].path == str(tmp_path / "data")
    assert re.fullmatch(r"unknown|[0-9a-f]{40}(\+changes)?", made.commit)
    assert made.versions["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    on_disk = {p.name for p in (tmp_path / "model").rglob("*") if p.is_file()}
    assert on_disk == {"words.txt", "numbers.bin", "manifest.json"}
    assert beside(tmp_path / "model") == {"data", ".data.lock"}


def test_the_fingerprint_follows_config_code_seed_and_inputs(tmp_path: Path) -> None:
    make(tmp_path / "a")
    make(tmp_path / "b", config={"size": 4})
    marks = [
        artifact.make_fingerprint(RECIPE, "1", {}, 5),
        artifact.make_fingerprint({"size": 4}, "1", {}, 5),
        artifact.make_fingerprint(RECIPE, "2", {}, 5),
        artifact.make_fingerprint(RECIPE, "1", {}, 6),
        artifact.make_fingerprint(RECIPE, "1", {"in": tmp_path / "a"}, 5),
        artifact.make_fingerprint(RECIPE, "1", {"in": tmp_path / "b"}, 5),
    ]
    assert len(set(marks)) == len(marks)
    assert marks[0] == artifact.read_manifest(tmp_path / "a").fingerprint
    assert artifact.current(tmp_path / "a", marks[0]) == artifact.read_manifest(tmp_path / "a")
    assert artifact.current(tmp_path / "a", marks[1]) is None


def test_a_folder_without_a_manifest_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    (tmp_path / "clevr_mini").mkdir()
    (tmp_path / "clevr_mini" / "words.txt").write_text("looks finished")
    line = (
        "artifact 'clevr_mini' does not exist or was never finished; make it with: dagster asset materialize --select"
    )
    for folder in (tmp_path / "clevr_mini", tmp_path / "clevr_mini" / "a_partition"):
        with pytest.raises(InputError, match=f"{line} clevr_mini$") as caught:
            artifact.read_manifest(folder)
        assert "\n" not in str(caught.value)
        assert artifact.current(folder, "0" * 16) is None
    with pytest.raises(InputError, match=r"--select other_key$"):
        artifact.read_manifest(tmp_path / "clevr_mini", "other_key")
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match=f"^{tmp_path}/clevr_mini: .* was never finished; make it again with the com"):
        artifact.read_manifest(tmp_path / "clevr_mini")  # no asset, so no asset's command


@pytest.mark.parametrize("broken", [lambda text: text[:40], lambda text: text.replace('"key"', '"kee"', 1)])
def test_a_broken_manifest_is_one_line(tmp_path: Path, broken) -> None:
    make(tmp_path / "a")
    path = tmp_path / "a" / "manifest.json"
    path.write_text(broken(path.read_text()))
    with pytest.raises(InputError, match=rf"^{path}: not a manifest"):
        artifact.read_manifest(tmp_path / "a")


def test_a_failed_build_keeps_the_previous_one_and_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    before = make(folder)

    def fail() -> None:
        with build(folder) as part:
            (part.path / "half.txt").write_text("half")
            raise ValueError("the code is wrong")

    with pytest.raises(ValueError, match="the code is wrong"):
        fail()
    assert artifact.verify(folder) == before
    with build(folder) as part:
        assert (part.path / "half.txt").read_text() == "half"
        assert words(folder) == "first"  # until the seal
    assert set(artifact.read_manifest(folder).files) == {"half.txt"}
    assert beside(folder) == set()


def test_a_build_that_fails_before_it_wrote_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with build(tmp_path / "a"):
            raise InputError("bad data")

    with pytest.raises(InputError, match="bad data"):
        fail()
    assert not (tmp_path / "a").exists()
    assert beside(tmp_path / "a") == set()


def test_kill_9_in_the_middle_keeps_the_previous_one_and_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    before = make(folder)
    kill(start_slow(folder, "second, half written"))
    assert artifact.verify(folder) == before
    with build(folder) as part:
        assert words(part.path) == "second, half written"
    assert words(folder) == "second, half written"
    assert beside(folder) == set()


def test_kill_9_on_the_first_build_leaves_no_artifact(tmp_path: Path) -> None:
    kill(start_slow(tmp_path / "a", "half"))
    with pytest.raises(InputError, match="was never finished"):
        artifact.read_manifest(tmp_path / "a")


@pytest.mark.parametrize("change", [{"config": {"size": 4}}, {"code_version": "2"}, {"seed": 6}])
def test_work_of_a_different_fingerprint_is_gone_when_the_next_is_sealed(tmp_path: Path, change: dict) -> None:
    kill(start_slow(tmp_path / "a", "of another recipe"))
    with build(tmp_path / "a", **change) as part:
        assert not (part.path / "deep").exists()
        (part.path / "mine.txt").write_text("mine")
    assert set(artifact.read_manifest(tmp_path / "a").files) == {"mine.txt"}


def test_a_build_that_cannot_resume_starts_again_and_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with build(tmp_path / "a", is_resumable=False) as part:
            (part.path / "half.txt").write_text("half")
            raise InputError("bad data")

    kill(start_slow(tmp_path / "a", "half"))
    with pytest.raises(InputError, match="bad data"):
        fail()
    assert beside(tmp_path / "a") == set()


def test_a_death_between_the_two_renames_of_the_swap_is_repaired(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    before = make(folder)
    folder.rename(tmp_path / ".a.previous")
    assert artifact.read_manifest(folder) == before
    assert artifact.verify(folder) == before
    assert beside(folder) == set()
    folder.rename(tmp_path / ".a.previous")
    assert make(folder, "second").fingerprint == before.fingerprint
    assert words(folder) == "second"
    assert beside(folder) == set()


def refuse_the_swap(folder: Path, monkeypatch: pytest.MonkeyPatch, **options) -> None:
    """A build that is sealed but cannot be given its name."""

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(PermissionError):
            make(folder, "second", **options)


@pytest.mark.parametrize("is_resumable", [True, False])
def test_sealed_work_that_was_not_swapped_in_is_swapped_in_by_the_next_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_resumable: bool
) -> None:
    folder = tmp_path / "a"
    before = make(folder)
    refuse_the_swap(folder, monkeypatch, is_resumable=is_resumable)
    assert words(folder) == "first"
    assert artifact.current(folder, before.fingerprint) == artifact.verify(folder)
    assert words(folder) == "second"
    assert beside(folder) == set()


def test_sealed_work_that_was_not_swapped_in_is_found_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    refuse_the_swap(folder, monkeypatch)
    with build(folder) as part:
        assert words(part.path) == "second"
        assert not (part.path / "manifest.json").exists()  # the seal of what is being changed
    assert words(folder) == "second"
    assert set(artifact.verify(folder).files) == {"deep/words.txt", "numbers.bin"}
    assert beside(folder) == set()


def test_sealed_work_of_another_recipe_is_not_lost_to_a_build_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        with build(tmp_path / "a", {"size": 4}):
            raise InputError("bad data")

    refuse_the_swap(tmp_path / "a", monkeypatch)
    with pytest.raises(InputError, match="bad data"):
        fail()
    assert words(tmp_path / "a") == "second"
    assert beside(tmp_path / "a") == set()


def test_leftovers_of_killed_writers_are_not_sealed(tmp_path: Path) -> None:
    with build(tmp_path / "a") as part:
        (part.path / "deep").mkdir()
        for name in (".a.json.99.partial", "deep/.last.pt.99.part", "deep/.best.pt.99.link"):
            (part.path / name).write_text("half")
        (part.path / "deep" / ".hidden").write_text("wanted")
    assert set(artifact.verify(tmp_path / "a").files) == {"deep/.hidden"}
    assert {p.name for p in (tmp_path / "a").rglob("*") if p.is_file()} == {".hidden", "manifest.json"}


def test_a_death_after_the_swap_leaves_the_old_one_to_be_swept_away(tmp_path: Path) -> None:
    make(tmp_path / "a", "old")
    shutil.copytree(tmp_path / "a", tmp_path / ".a.previous")
    made = make(tmp_path / "a", "young")
    assert artifact.verify(tmp_path / "a") == made
    assert beside(tmp_path / "a") == set()


def test_one_process_at_a_time_and_a_dead_one_releases_its_lock(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    child = start_slow(folder, "first")
    with pytest.raises(InputError, match=rf"^{folder}: another process is building this artifact") as caught:
        make(folder)
    assert "\n" not in str(caught.value)
    assert (tmp_path / ".a.partial" / "deep" / "words.txt").read_text() == "first"  # untouched by the refused one
    child.communicate("go on\n")
    assert child.returncode == 0
    assert words(folder) == "first"
    kill(start_slow(folder, "second"))
    assert make(folder, "third")
    assert words(folder) == "third"


FULL = """
import resource, sys
from pathlib import Path
from nsmodels.core import artifact
from nsmodels.core.cli import run
def main():
    folder, size, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    recipe = {"config": {"size": 3, "name": "x"}, "code_version": "1", "seed": 5}
    with artifact.build(folder, key="things", maker="tests", **recipe) as part:
        (part.path / "finished.txt").write_text("finished")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if size:
            (part.path / "large.bin").write_bytes(bytes(size))
sys.exit(run(main))
"""


@pytest.mark.parametrize(("size", "limit"), [(200_000, 100_000), (0, 100)])  # full while building; while sealing
def test_a_full_disk_is_one_line_and_costs_nothing(tmp_path: Path, size: int, limit: int) -> None:
    pytest.importorskip("resource")
    folder = tmp_path / "a"
    before = make(folder)
    command = [sys.executable, "-c", FULL, str(folder), str(size), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(rf"error: {tmp_path}.*: no space left on the disk; .*finished work is kept\)\n", done.stderr)
    assert artifact.verify(folder) == before
    with build(folder) as part:
        assert (part.path / "finished.txt").read_text() == "finished"


@pytest.mark.parametrize(
    ("harm", "words_of_it"),
    [
        (lambda path: path.unlink(), "missing, though .*manifest.json lists it"),
        (lambda path: path.write_bytes(bytes(range(255))), "255 bytes, expected 256"),
        (lambda path: path.write_bytes(bytes(256)), "content differs from its checksum"),
    ],
)
def test_verify_names_the_file_that_differs(tmp_path: Path, harm, words_of_it: str) -> None:
    make(tmp_path / "a")
    harm(tmp_path / "a" / "numbers.bin")
    with pytest.raises(InputError, match=rf"^{tmp_path / 'a' / 'numbers.bin'}: {words_of_it}"):
        artifact.verify(tmp_path / "a")


def test_verify_without_checksums_still_compares_sizes(tmp_path: Path) -> None:
    made = make(tmp_path / "a")
    (tmp_path / "a" / "numbers.bin").write_bytes(bytes(256))
    assert artifact.verify(tmp_path / "a", with_checksums=False) == made
    (tmp_path / "a" / "numbers.bin").write_bytes(b"")
    with pytest.raises(InputError, match="0 bytes, expected 256"):
        artifact.verify(tmp_path / "a", with_checksums=False)


def test_a_plain_folder_of_links_is_known_by_what_is_behind_them(tmp_path: Path) -> None:
    marks = []
    for name in ("first", "second"):
        (tmp_path / name / "scenes").mkdir(parents=True)
        (tmp_path / name / "scenes" / "list.json").write_text(json.dumps(name))
        (tmp_path / name / "scenes" / "around").symlink_to("..")  # followed once
        (linked := tmp_path / f"links to {name}").mkdir()
        (linked / "scenes").symlink_to(tmp_path / name / "scenes")
        marks.append(artifact.describe_input(linked).fingerprint)
    assert marks[0] != marks[1]


def test_a_plain_folder_is_an_input_known_by_names_sizes_and_json(tmp_path: Path) -> None:
    plain = tmp_path / "mine"
    (plain / "images").mkdir(parents=True)
    (plain / "images" / "a.png").write_bytes(b"1234")
    (plain / "list.json").write_text(json.dumps({"answer": "yes"}))
    first = artifact.describe_input(plain)
    assert (first.source, first.manifest_sha256) == ("local", "")
    assert artifact.describe_input(plain) == first
    (plain / "list.json").write_text(json.dumps({"answer": "noo"}))  # as long as before
    second = artifact.describe_input(plain)
    (plain / "images" / "a.png").write_bytes(b"12345")
    third = artifact.describe_input(plain)
    (plain / "images" / "a.png").rename(plain / "images" / "b.png")
    assert len({d.fingerprint for d in (first, second, third, artifact.describe_input(plain))}) == 4
    assert make(tmp_path / "model", inputs={"data": plain}).source == "local"
    with pytest.raises(InputError, match="absent: no such folder"):
        make(tmp_path / "other", inputs={"data": tmp_path / "absent"})
    assert not (tmp_path / "other").exists()


def test_a_folder_that_is_no_artifact_is_never_replaced(tmp_path: Path) -> None:
    own = tmp_path / "thesis"
    own.mkdir()
    (own / "chapter.tex").write_text("years of work")
    recipe = {"key": "x", "maker": "tests", "config": {}, "code_version": "1"}
    lost = "thesis: holds files that are no artifact and would be lost"
    with pytest.raises(InputError, match=lost), artifact.build(own, **recipe):
        pass
    assert (own / "chapter.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="is a file"), artifact.build(own / "chapter.tex", **recipe):
        pass
    with pytest.raises(InputError, match="is not a folder"), artifact.build(own / "chapter.tex" / "x", **recipe):
        pass
    (tmp_path / "empty").mkdir()
    with artifact.build(tmp_path / "empty", **recipe) as part:
        (part.path / "file").write_text("content")
    assert artifact.read_manifest(tmp_path / "empty").files


def test_an_input_is_found_in_a_data_root_that_moved(tmp_path, monkeypatch):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "before"))
    place = tmp_path / "before" / "data_set"
    with artifact.build(place, key="data_set", maker="tests", config={}, code_version="1"):
        pass
    record = artifact.describe_input(place)
    (tmp_path / "before").rename(tmp_path / "after")
    assert artifact.input_folder("data_set", record) == place
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "after"))
    assert artifact.input_folder("data_set", record) == tmp_path / "after" / "data_set"
