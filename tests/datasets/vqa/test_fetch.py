"""VQA v2 out of its archives on a server, or out of a local copy: content, bytes, resumption, broken hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.download import Unreachable
from nsmodels.datasets.vqa.files.fetch import cut_local, fetch_full, fetch_mini, inspect_archives
from nsmodels.datasets.vqa.files.release import Release
from tests.core.server import FileServer, Traps, free_port
from tests.datasets.vqa.releases import SIZES, annotations, archives, image_ids, pairs, questions, tree

WANTED = {"train": 12, "val": 4}
Files = dict[str, bytes]


@pytest.fixture
def server():
    with FileServer(archives()) as server:
        yield server


def release(server: FileServer) -> Release:
    return Release(server.url(""), server.url("/vqa"), verify=False)


def content(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def chosen(wanted: dict[str, int]) -> dict[str, list[int]]:
    """The first images of the archives: the gaps between members are equal."""
    return {split: image_ids(split)[:num] for split, num in wanted.items()}


def require_cut(folder: Path, images: dict[str, list[int]]) -> None:
    """Assert that a folder has the images and all about them, and nothing else; by json and slicing."""
    found = content(folder)
    names = {f"{s}2014/COCO_{s}2014_{image:012d}.jpg" for s, ids in images.items() for image in ids}
    assert {name for name in found if name.endswith(".jpg")} == names
    assert all(found[name] == tree()[name] for name in names)
    for split, ids in images.items():
        for name, key, records in (
            (f"v2_OpenEnded_mscoco_{split}2014_questions.json", "questions", questions(split)),
            (f"v2_mscoco_{split}2014_annotations.json", "annotations", annotations(split)),
        ):
            value = json.loads(tree()[name]) | {key: [one for one in records if one["image_id"] in ids]}
            assert found[name].decode() == json.dumps(value, ensure_ascii=False)
        kept = [pair for pair in pairs(split) if all(each // 1000 in ids for each in pair)]
        assert json.loads(found[f"v2_mscoco_{split}2014_complementary_pairs.json"]) == kept
        boxes = json.loads(found[f"annotations/instances_{split}2014.json"])
        assert list(boxes) == ["info", "images", "licenses", "annotations", "categories"]
        assert {each["image_id"] for each in boxes["annotations"]} == {each["id"] for each in boxes["images"]} == {*ids}
    assert len(found) == len(names) + 4 * len(images)


def test_the_mini_is_a_window_of_each_archive_with_all_about_it(server: FileServer, tmp_path: Path) -> None:
    done = fetch_mini(tmp_path, WANTED, release(server), progress=False)
    require_cut(tmp_path, chosen(WANTED))
    assert (done.images, done.fetched, done.skipped) == (WANTED, 16, 0)
    assert {split: len(cut.questions.by_id) for split, cut in done.cuts.items()} == {"train": 36, "val": 12}
    assert done.bytes == server.bytes
    assert done.requests == len(server.requests)


def test_bytes_and_requests_of_a_window_among_large_images(tmp_path: Path) -> None:
    size = 200_000
    large = {name: np.random.default_rng(i).bytes(size) for i, name in enumerate(tree()) if name.endswith(".jpg")}
    files = archives(large)
    with FileServer(files) as server:
        done = fetch_mini(tmp_path, {"train": 20, "val": 5}, release(server), progress=False)
        annotated = sum(len(data) for path, data in files.items() if path.startswith("/vqa/"))
        ends = 3 * 2**18  # the last bytes of the archives, which have their directories
        assert server.bytes < 1.05 * 25 * size + annotated + ends
        images = [path for path, _ in server.requests if path.startswith("/zips/")]
        assert len(images) == 2 + 2  # the end of each archive, and one run of images
    assert done.fetched == 25


def test_complementary_pairs_stay_together(server: FileServer, tmp_path: Path) -> None:
    done = fetch_mini(tmp_path, {"train": 13, "val": 4}, release(server), pairs=True, progress=False)
    partner = {
        one // 1000: other // 1000 for a, b in (p for s in SIZES for p in pairs(s)) for one, other in ((a, b), (b, a))
    }
    taken = {split: sorted({each.image for each in cut.questions.by_id.values()}) for split, cut in done.cuts.items()}
    assert all(partner[image] in ids for ids in taken.values() for image in ids)
    assert done.images == {"train": 12, "val": 4}  # the thirteenth would be without its partner
    assert {split: cut.num_pairs for split, cut in done.cuts.items()} == {"train": 6, "val": 2}
    require_cut(tmp_path, taken)
    with pytest.raises(InputError, match="no image whose complementary pairs find room in 1 images; request more"):
        fetch_mini(tmp_path / "one", {"train": 1}, release(server), pairs=True, progress=False)


def test_a_second_call_fetches_no_image_again_and_repairs_a_damaged_one(server: FileServer, tmp_path: Path) -> None:
    fetch_mini(tmp_path, WANTED, release(server), progress=False)
    victim = next((tmp_path / "val2014").glob("*.jpg"))
    victim.write_bytes(bytes(victim.stat().st_size))
    done = fetch_mini(tmp_path, WANTED, release(server), progress=False)
    assert (done.fetched, done.skipped) == (1, 15)
    require_cut(tmp_path, chosen(WANTED))


def test_a_broken_line_is_continued(server: FileServer, tmp_path: Path) -> None:
    server.traps = Traps(cut_after=3_000, cuts=2)
    fetch_mini(tmp_path, WANTED, release(server), progress=False)
    require_cut(tmp_path, chosen(WANTED))


@pytest.mark.parametrize(
    ("traps", "message"),
    [
        (Traps(ranges=False), "no range support, so single members cannot be fetched"),
        (Traps(page=404), "answered 404 Not Found instead of the file"),
        (Traps(page=200), "sent a web page"),
        (Traps(refuse_ranges=True), "416"),
    ],
)
def test_hosts_that_cannot_serve_the_mini(server: FileServer, tmp_path: Path, traps: Traps, message: str) -> None:
    server.traps = traps
    with pytest.raises(InputError, match=message) as caught:
        fetch_mini(tmp_path, WANTED, release(server), progress=False, attempts=1)
    assert server.url("/") in str(caught.value)
    assert not isinstance(caught.value, Unreachable)
    assert list(content(tmp_path)) == []


def test_files_that_are_not_those_of_the_release_are_refused(server: FileServer, tmp_path: Path) -> None:
    strict = Release(server.url(""), server.url("/vqa"))
    with pytest.raises(InputError, match=r"train2014.zip: the server's file has \d+ bytes, expected 13510573713"):
        fetch_mini(tmp_path, WANTED, strict, progress=False)
    with pytest.raises(InputError, match="expected 13510573713"):
        inspect_archives(strict)
    with pytest.raises(Unreachable, match="connection refused"):
        fetch_mini(tmp_path, WANTED, Release(f"http://127.0.0.1:{free_port()}"), progress=False, attempts=1)


def test_other_archives_and_too_few_images_are_named(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"30 images with questions in .*train2014.zip are there, requested are 31"):
        fetch_mini(tmp_path, {"train": 31}, release(server), progress=False)
    server.files["/annotations/annotations_trainval2014.zip"] = server.files["/zips/val2014.zip"]
    with pytest.raises(InputError, match=r"no member 'annotations/instances_train2014.json' in the archive"):
        fetch_mini(tmp_path, WANTED, release(server), progress=False)


def test_the_description_reads_directories_only(server: FileServer) -> None:
    found = inspect_archives(release(server))
    assert found["reachable"]
    assert len(found["archives"]) == 9
    assert found["archives"]["train2014.zip"]["num_members"] == SIZES["train"]
    assert {name: each["bytes"] for name, each in found["archives"].items()} == {
        path.rpartition("/")[2]: len(data) for path, data in archives().items()
    }
    gone = inspect_archives(Release(f"http://127.0.0.1:{free_port()}", server.url("/vqa"), False))
    assert (gone["reachable"], "connection refused" in gone["reason"]) == (False, True)


def test_full_is_the_release_and_the_archives_do_not_stay(server: FileServer, tmp_path: Path) -> None:
    done = fetch_full(tmp_path, release(server), progress=False)
    require_cut(tmp_path, {split: image_ids(split) for split in SIZES})
    assert done.bytes == sum(map(len, archives().values()))
    assert len(done.sha256["train2014.zip"]) == 64
    with pytest.raises(InputError, match="not enough disk space for the archives and their content"):
        fetch_full(tmp_path / "huge", _huge(), progress=False)


def _huge() -> Release:
    class Huge(Release):
        def images(self, split: str) -> Any:
            from nsmodels.datasets.vqa.files.release import Archive

            return Archive("huge.zip", "http://127.0.0.1:1/huge.zip", 10**15)

    return Huge()


@pytest.mark.parametrize("form", ["unpacked", "zips"])
@pytest.mark.parametrize("has_pairs", [False, True])
def test_the_same_is_cut_from_a_local_copy(form: str, has_pairs: bool, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    files = tree() if form == "unpacked" else {path.rpartition("/")[2]: data for path, data in archives().items()}
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    done = cut_local(source, out, WANTED, has_pairs, progress=False)
    taken = {split: sorted({each.image for each in cut.questions.by_id.values()}) for split, cut in done.cuts.items()}
    require_cut(out, taken)
    if not has_pairs:
        assert taken == {
            s: sorted(image_ids(s)[: WANTED[s]] if form == "zips" else sorted(image_ids(s))[: WANTED[s]]) for s in SIZES
        }
    assert (done.requests, done.fetched) == (0, 16)
    assert cut_local(source, out, WANTED, has_pairs, progress=False).skipped == 16


def planted(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """A local copy with a fault."""
    for path, data in tree().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data.replace(old.encode(), new.encode(), 1) if path == name else data)
    return tmp_path


QUESTIONS, ANNOTATIONS = "v2_OpenEnded_mscoco_train2014_questions.json", "v2_mscoco_train2014_annotations.json"
PAIRS, BOXES = "v2_mscoco_train2014_complementary_pairs.json", "annotations/instances_train2014.json"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            QUESTIONS,
            '"question_id": 3001',
            '"question_id": 6001',
            r"\[1\]: question_id 6001 belongs to image 6",
        ),
        (QUESTIONS, '"question_id": 3001', '"question_id": 3000', r"questions\[1\]: question_id 3000 is there twice"),
        (QUESTIONS, '"question": "What is 1?"', '"question": 5', r"questions\[1\]: field 'question': expected a text"),
        (QUESTIONS, '"questions"', '"asked"', "expected an object with a list 'questions'"),
        (ANNOTATIONS, '"image_id": 3,', '"image_id": 6,', r"field 'image_id': 6, but question 3000 is about image 3"),
        (
            ANNOTATIONS,
            '"answer_confidence": "maybe"',
            '"answer_confidence": "often"',
            "expected yes, maybe, no, got",
        ),
        (ANNOTATIONS, '"answer_type": "number"', '"answer_type": "digits"', "expected yes/no, number, other, got"),
        (ANNOTATIONS, '"answer_id": 2', '"answer_id": 1', "field 'answer_id': expected 1 to 10, each once"),
        (ANNOTATIONS, '"question_type": "what is", ', "", "field 'question_type': is missing"),
        (
            ANNOTATIONS,
            '"data_subtype": "train2014"',
            '"data_subtype": "val2014"',
            "annotations of val2014, but ",
        ),
        (PAIRS, "[3000, 6000]", "[3000]", r"\[0\]: expected \[question_id, question_id\], got \[3000\]"),
        (PAIRS, "[3000, 6000]", "[3000, 3000]", "question 3000 is paired with itself"),
    ],
)
def test_planted_faults_are_named(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    source = planted(tmp_path / "source", name, old, new)
    with pytest.raises(InputError, match=message) as caught:
        cut_local(source, tmp_path / "out", WANTED, progress=False)
    assert name in str(caught.value)


def test_what_a_local_copy_lacks_is_named(tmp_path: Path) -> None:
    source = planted(tmp_path / "source", "", "", "")
    (source / "train2014/COCO_train2014_000000000003.jpg").unlink()
    with pytest.raises(InputError, match=r"COCO_train2014_000000000003.jpg: missing, though questions are about it"):
        cut_local(source, tmp_path / "out", WANTED, progress=False)
    with pytest.raises(InputError, match="has questions about 30 images, requested are 31; request fewer"):
        cut_local(source, tmp_path / "out", {"train": 31}, progress=False)
    (source / ANNOTATIONS).unlink()
    (source / "questions").mkdir()
    with pytest.raises(InputError, match=r"annotations.json: missing: it has sceneGraphs/ and questions/, as GQA"):
        cut_local(source, tmp_path / "out", WANTED, progress=False)
    with pytest.raises(InputError, match="no such folder"):
        cut_local(tmp_path / "none", tmp_path / "out", WANTED, progress=False)
