"""CLEVR as a sealed folder: choice and record of the source, reuse, and checks that find planted faults."""

from __future__ import annotations

import io
import json
import logging
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr import checks
from nsmodels.datasets.clevr.config import RENDERER_VERSION, ClevrConfig, debug
from nsmodels.datasets.clevr.files.format import read_questions, read_scenes
from nsmodels.datasets.clevr.look import contact_sheet, distributions
from nsmodels.datasets.clevr.prepare import inspect_archives, prepare, recipe_of, resolve
from tests.core.server import FileServer, free_port

NUM_TRAIN, NUM_VAL = 6, 3
WHOLE = {"num_train": 70_000, "num_val": 15_000}  # what is asked for, not what our host has
STRANGER = {"image_index": 77, "image_filename": "CLEVR_train_000077.png"}
CLEVR = ("images", "scenes", "questions")


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch) -> Path:
    """No test sees the data of this machine."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    """Nine small synthetic images with questions, sealed."""
    folder = tmp_path_factory.mktemp("twin") / "clevr"
    prepare(debug().with_values({"num_train": NUM_TRAIN, "num_val": NUM_VAL}), "clevr", folder)
    return folder


def zipped(folder: Path, parts: tuple[str, ...]) -> bytes:
    """`parts` of a CLEVR tree in an archive that is wrapped as the release is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in parts:
            for path in sorted((folder / part).rglob("*")):
                if path.is_file():
                    archive.write(path, f"CLEVR_v1.0/{path.relative_to(folder)}")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def host(twin: Path):
    """A server that has the release: our nine images in its place."""
    with FileServer({"/big.zip": zipped(twin, CLEVR), "/small.zip": zipped(twin, CLEVR[1:])}) as server:
        yield server


def from_host(host: FileServer, **values) -> ClevrConfig:
    size = len(host.files["/big.zip"])  # pyright: ignore[reportArgumentType]
    urls = {"archive_url": host.url("/big.zip"), "annotations_url": host.url("/small.zip")}
    return debug().with_values(
        {**urls, "archive_bytes": size, "archive_sha256": "", "num_train": 4, "num_val": 2} | values
    )


def unreachable(**values) -> ClevrConfig:
    url = f"http://127.0.0.1:{free_port()}/clevr.zip"
    small = {"num_train": 2, "num_val": 1, "archive_url": url, "annotations_url": url}
    return debug().with_values({"source": "auto", **small, **values})


def seal(folder: Path) -> tuple[int, int]:
    state = (folder / artifact.MANIFEST).stat()
    return state.st_ino, state.st_mtime_ns


# --- which source ------------------------------------------------------------------------------------------------


def test_auto_without_the_host_is_synthetic_and_recorded_as_such(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        made = prepare(unreachable(), "clevr_mini", tmp_path / "clevr_mini")
    assert made.source == "synthetic CLEVR"
    assert made.config["source"] == "synthetic"
    assert made.metrics["source_reason"].startswith("auto: the archive is not available (http://127.0.0.1:")
    assert "making the SYNTHETIC twin instead" in caplog.text
    assert read_scenes(tmp_path / "clevr_mini", "train")[0]["image_filename"] == "CLEVR_train_000000.png"


def test_auto_takes_what_is_on_disk_without_asking_the_host(twin: Path, host: FileServer) -> None:
    before = seal(twin)
    host.forget()
    sizes = {"source": "auto", "num_train": NUM_TRAIN, "num_val": NUM_VAL}
    made = prepare(from_host(host, **sizes), "clevr", twin)
    assert (made.source, seal(twin), host.requests) == ("synthetic CLEVR", before, [])
    assert resolve(from_host(host, **sizes), "clevr", twin)[1] == "auto: already on disk"


def test_auto_takes_the_archive_where_the_host_answers(host: FileServer, tmp_path: Path) -> None:
    made = prepare(from_host(host, source="auto"), "clevr_mini", tmp_path / "clevr_mini")
    assert made.source == f"synthetic CLEVR (archive of {host.url('').removeprefix('http://')})"
    assert made.config["source"] == "archive"
    assert made.metrics["source_reason"] == f"auto: {host.url('/big.zip')} answers"


@pytest.mark.parametrize("key", ["clevr", "clevr_mini"])
def test_archive_never_falls_back(tmp_path: Path, key: str) -> None:
    config = unreachable(source="archive", archive_bytes=0)
    with pytest.raises(InputError, match=r"^http://127.0.0.1:\d+/clevr.zip: ") as caught:
        prepare(config, key, tmp_path / key)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / key).exists()


def test_the_source_decides_which_fields_make_another_dataset(tmp_path: Path, twin: Path, host: FileServer) -> None:
    base = debug().with_values({"num_train": NUM_TRAIN, "num_val": NUM_VAL})
    before = seal(twin)
    prepare(base.with_values({"archive_url": "http://elsewhere/", "num_workers": 1}), "clevr", twin)
    assert seal(twin) == before
    folder = tmp_path / "clevr_mini"
    first = prepare(from_host(host, source="archive"), "clevr_mini", folder)
    again = prepare(from_host(host, source="archive", seed=9, image_width=240), "clevr_mini", folder)
    assert again == first


# --- archive and local -------------------------------------------------------------------------------------------


def test_mini_comes_from_the_archive_by_range(host: FileServer, twin: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clevr_mini"
    made = prepare(from_host(host, source="archive"), "clevr_mini", folder)
    assert made.source.startswith("synthetic CLEVR (archive of 127.0.0.1:")
    assert (made.seed, made.metrics["num_images"]) == (None, 6)
    artifact.verify(folder)
    assert [len(read_scenes(folder, split)) for split in ("train", "val")] == [4, 2]
    assert read_scenes(folder, "train") == read_scenes(twin, "train")[:4]
    names = sorted(path.relative_to(folder) for path in folder.rglob("*.png"))
    assert len(names) == 6
    assert all((folder / name).read_bytes() == (twin / name).read_bytes() for name in names)
    assert checks.schema(folder) + checks.images(folder) + checks.disjoint(folder) + checks.answers(folder) == []
    host.forget()
    assert prepare(from_host(host, source="archive"), "clevr_mini", folder) == made
    assert host.requests == []


def test_the_whole_release_is_fetched_and_mini_is_then_cut_from_it(
    host: FileServer, twin: Path, data_root: Path, tmp_path: Path
) -> None:
    whole = prepare(from_host(host, source="archive", **WHOLE), "clevr", data_root / "clevr")
    wanted = {name: record for name, record in artifact.read_manifest(twin).files.items() if name.startswith(CLEVR)}
    assert whole.files == wanted
    host.forget()
    config = from_host(host, source="auto")
    assert resolve(config, "clevr_mini", tmp_path / "mini")[1] == "auto: the release is on disk"
    mini = prepare(config, "clevr_mini", tmp_path / "mini")
    assert (mini.source, host.requests) == (whole.source, [])
    assert whole.source.startswith("synthetic CLEVR (archive of 127.0.0.1:")
    assert len(read_scenes(tmp_path / "mini", "train")) == 4


def test_a_wrong_checksum_leaves_no_dataset(host: FileServer, tmp_path: Path) -> None:
    config = from_host(host, source="archive", archive_sha256="0" * 64, **WHOLE)
    with pytest.raises(InputError, match=r"(?i)sha-?256|checksum") as caught:
        prepare(config, "clevr", tmp_path / "clevr")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "clevr").exists()


def test_few_images_are_fetched_by_range_whatever_the_folder_is_called(host: FileServer, tmp_path: Path) -> None:
    made = prepare(from_host(host, source="archive"), "clevr", tmp_path / "clevr")
    assert made.metrics["num_images"] == 6
    assert len(list((tmp_path / "clevr").rglob("*.png"))) == 6


def test_a_release_on_disk_that_is_too_small_is_not_cut(host: FileServer, data_root: Path, tmp_path: Path) -> None:
    prepare(from_host(host, source="archive", num_train=2), "clevr", data_root / "clevr")
    mini = prepare(from_host(host, source="auto"), "clevr_mini", tmp_path / "clevr_mini")
    assert mini.metrics["source_reason"].endswith("/big.zip answers")
    assert len(read_scenes(tmp_path / "clevr_mini", "train")) == 4


def test_another_renderer_makes_other_synthetic_data(twin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe_of(debug())
    assert artifact.read_manifest(twin).config["renderer_version"] == RENDERER_VERSION
    monkeypatch.setattr("nsmodels.datasets.clevr.prepare.RENDERER_VERSION", RENDERER_VERSION + 1)
    assert recipe_of(debug()) != before
    assert "renderer_version" not in recipe_of(debug().with_values({"source": "archive"}))


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("sealed", "synthetic CLEVR"),
        ("folder", "synthetic CLEVR (local folder)"),
        ("zip", "synthetic CLEVR (local folder)"),
        ("other", "synthetic CLEVR (local folder)"),
        ("bare", "local data, not verified as CLEVR v1.0"),
    ],
)
def test_local_data_are_cut_and_keep_their_word(twin: Path, tmp_path: Path, form: str, source: str) -> None:
    place = twin
    if form == "zip":
        place = tmp_path / "mine.zip"
        place.write_bytes(zipped(twin, CLEVR))
    elif form != "sealed":
        place = tmp_path / "mine"
        shutil.copytree(twin, place)
        (place / artifact.MANIFEST).unlink()
    if form == "bare":  # nothing in it names its origin
        for path in place.rglob("*.png"):
            Image.open(path).save(path)
    for split in {"other": ("train",), "bare": ("train", "val")}.get(form, ()):
        edit(place / "scenes" / f"CLEVR_{split}_scenes.json", lambda c: c["info"].update(license="CC BY 4.0"))
    values = {"source": "local", "local_path": str(place), "num_train": 2, "num_val": 1}
    made = prepare(debug().with_values(values), "clevr_mini", tmp_path / "mini")
    assert made.source == source
    assert [record.source for record in made.inputs.values()] == (["synthetic CLEVR"] if form == "sealed" else [])
    assert len(read_scenes(tmp_path / "mini", "train")) == 2
    assert {q["image_index"] for q in read_questions(tmp_path / "mini", "train")} == {0, 1}
    assert checks.schema(tmp_path / "mini") == []


def test_local_data_that_change_are_another_dataset(twin: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(twin, mine)
    (mine / artifact.MANIFEST).unlink()
    values = {"source": "local", "local_path": str(mine), "num_train": 2, "num_val": 1}
    first = prepare(debug().with_values(values), "mini", tmp_path / "mini")
    assert prepare(debug().with_values(values), "mini", tmp_path / "mini") == first
    path = mine / "questions" / "CLEVR_train_questions.json"
    path.write_text(path.read_text() + " ")
    assert prepare(debug().with_values(values), "mini", tmp_path / "mini").fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"local_path": ""}, "source=local needs local_path"),
        ({"local_path": "/nowhere/at/all"}, "/nowhere/at/all: no such folder"),
        ({"num_train": 99}, "has 6 scenes, requested are 99"),
    ],
)
def test_local_data_that_will_not_do_are_one_line(twin: Path, tmp_path: Path, values: dict, line: str) -> None:
    def ask() -> None:
        config = debug().with_values({"source": "local", "local_path": str(twin), **values})
        prepare(config, "mini", tmp_path / "mini")

    with pytest.raises(InputError, match=line) as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mini").exists()


def test_inspecting_the_archive_records_its_properties(host: FileServer, tmp_path: Path) -> None:
    made = inspect_archives(from_host(host), tmp_path / "clevr_archive")
    record = json.loads((tmp_path / "clevr_archive" / "archives.json").read_text())
    assert (record["reachable"], record["bytes"]) == (True, len(host.files["/big.zip"]))  # pyright: ignore[reportArgumentType]
    assert record["files"]["images/train"] == NUM_TRAIN
    assert made.metrics["etag"] == record["etag"]
    gone = inspect_archives(unreachable(), tmp_path / "clevr_archive")
    assert gone.metrics["reachable"] is False
    assert gone.metrics["reason"]


# --- checks and looks --------------------------------------------------------------------------------------------


@pytest.fixture
def harmed(twin: Path, tmp_path: Path) -> Path:
    """A copy of the twin without its seal, to be harmed."""
    shutil.copytree(twin, tmp_path / "harmed")
    (tmp_path / "harmed" / artifact.MANIFEST).unlink()
    return tmp_path / "harmed"


def edit(path: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_whole_data_have_no_problems(twin: Path) -> None:
    assert checks.schema(twin) + checks.images(twin) + checks.disjoint(twin) + checks.answers(twin) == []


def test_a_missing_image_is_found(harmed: Path) -> None:
    victim = harmed / "images" / "val" / "CLEVR_val_000001.png"
    victim.unlink()
    assert len(checks.schema(harmed)) == 1
    assert checks.schema(harmed)[0].startswith(f"{victim}: no such image")
    assert checks.images(harmed)[0].startswith(f"{victim}: no such image")


def test_a_corrupt_image_is_found(harmed: Path) -> None:
    victims = [harmed / "images" / "train" / f"CLEVR_train_{index:06d}.png" for index in (1, 4)]
    victims[0].write_bytes(victims[0].read_bytes()[:-400])
    victims[1].write_bytes(b"not a picture")
    assert [line.partition(": ")[0] for line in checks.images(harmed)] == [str(victim) for victim in victims]


def test_a_missing_split_and_a_stranger_question_are_found(harmed: Path) -> None:
    edit(harmed / "questions" / "CLEVR_train_questions.json", lambda c: c["questions"][0].update(STRANGER))
    assert "questions[0]: image_index 77 has no scene" in checks.schema(harmed)[0]
    shutil.rmtree(harmed / "images" / "val")
    assert checks.schema(harmed) == [f"{harmed}: no split 'val' (there are: train); expected images in images/val"]


def test_a_scene_in_both_splits_is_found_whatever_its_name(harmed: Path) -> None:
    train = json.loads((harmed / "scenes" / "CLEVR_train_scenes.json").read_text())["scenes"]
    edit(harmed / "scenes" / "CLEVR_val_scenes.json", lambda c: c["scenes"][2].update(objects=train[3]["objects"]))
    found = checks.disjoint(harmed)
    assert found == ["CLEVR_train_000003.png (train) shows the scene of CLEVR_val_000002.png"]


def test_a_wrong_answer_is_found(harmed: Path) -> None:
    path = harmed / "questions" / "CLEVR_train_questions.json"
    question = json.loads(path.read_text())["questions"][7]
    other = "yes" if question["answer"] != "yes" else "no"
    edit(path, lambda c: c["questions"][7].update(answer=other))
    (found,) = checks.answers(harmed)
    assert found.endswith(f"recorded {other}, executed {question['answer']}")
    assert question["question"] in found


def test_an_unbalanced_answer_is_found(harmed: Path) -> None:
    def all_yes(content: dict) -> None:
        content["questions"] = [q for q in content["questions"] if q["answer"] in ("yes", "no")] or content["questions"]
        for question in content["questions"]:
            question["answer"] = "yes"

    edit(harmed / "questions" / "CLEVR_train_questions.json", all_yes)
    assert "all: 'yes' is the answer to 100% of the questions" in checks.balance(harmed)


def test_a_split_without_questions_is_a_problem_not_a_crash(harmed: Path) -> None:
    edit(harmed / "questions" / "CLEVR_train_questions.json", lambda c: c["questions"].clear())
    assert checks.balance(harmed) == [f"{harmed}: no questions in split 'train'"]


def test_shares_add_up_and_the_sheet_is_a_picture(twin: Path) -> None:
    counted = distributions(twin)
    assert (counted["num_images_train"], counted["num_questions_val"]) == (NUM_TRAIN, 4 * NUM_VAL)
    assert sum(counted["objects_per_image"].values()) == NUM_TRAIN
    assert sum(counted["questions_per_family"].values()) == 4 * NUM_TRAIN
    for shares in counted["answer_shares"].values():
        assert sum(shares.values()) == pytest.approx(1)
    assert contact_sheet(twin, columns=3, rows=2, width=60)[:8] == b"\x89PNG\r\n\x1a\n"
