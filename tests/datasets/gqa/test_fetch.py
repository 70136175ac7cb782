"""GQA out of archives on a server that is not the real one, and out of local copies."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.windows import densest
from nsmodels.datasets.gqa.files.archives import describe
from nsmodels.datasets.gqa.files.fetch import Fetched, cut, fetch
from nsmodels.datasets.gqa.files.release import EVAL, FILES, GRAPHS, IMAGES, QUESTIONS, Wanted
from tests.core.server import FileServer
from tests.datasets.gqa.released import GOLDEN
from tests.datasets.gqa.released import GRAPHS as REAL

IMAGE_BYTES = 60_000
NAMES = {"train": [str(i) for i in range(1000, 1040)], "val": [str(i) for i in range(2000, 2012)], "test": ["n1", "n2"]}
WANTED = {"num_train": 10, "num_val": 4}


def graph() -> dict[str, Any]:
    return REAL["2354786"]


def question(image: str) -> dict[str, Any]:
    return {**GOLDEN["grounding"]["cases"][0]["question"], "imageId": image, "entailed": [], "equivalent": []}


def asked(split: str, per_image: int) -> dict[str, Any]:
    balanced = 1 if split == "test" else 2
    keys = ((image, k) for image in NAMES[split] for k in range(per_image))
    return {f"{image}{k}": {**question(image), "isBalanced": k < balanced} for image, k in keys}


def contents() -> dict[str, dict[str, Any]]:
    choices = {key: {"valid": ["yes"], "plausible": ["no"]} for key in asked("val", 3)}
    chunks = {
        f"train_all_questions/train_all_questions_{k}.json": asked("train", 1) if k == 3 else {} for k in range(10)
    }
    return {
        GRAPHS: {f"{split}_sceneGraphs.json": {i: graph() for i in NAMES[split]} for split in ("train", "val")},
        QUESTIONS: {
            "train_balanced_questions.json": asked("train", 2),
            "val_balanced_questions.json": asked("val", 2),
            "val_all_questions.json": asked("val", 3),
            "testdev_balanced_questions.json": asked("test", 1),
            "testdev_all_questions.json": asked("test", 2),
            **chunks,
        },
        EVAL: {"val_choices.json": choices, "train_choices/train_choices_0.json": {"10000": choices["20000"]}},
    }


ANNOTATIONS = contents()


def jpeg() -> bytes:
    """A picture of the size that the graph states."""
    stream = io.BytesIO()
    Image.new("RGB", (graph()["width"], graph()["height"]), "gray").save(stream, "JPEG")
    return stream.getvalue()


def pictures() -> dict[str, bytes]:
    """As in the release, images of all splits lie mixed in the archive; what follows a picture tells it from others."""
    names = sorted((name for some in NAMES.values() for name in some), key=lambda name: Random(name).random())
    head = jpeg()
    return {f"{name}.jpg": head + Random(name).randbytes(IMAGE_BYTES + int(name[1:])) for name in names}


PICTURES = pictures()


def zipped(files: Mapping[str, bytes], top: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{top}readme.txt", b"about")
        archive.writestr(f"__MACOSX/{top}._picture.jpg", b"of a desktop")
        for name, data in files.items():
            archive.writestr(top + name, data, zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def archives() -> dict[str, bytes]:
    found = {n: {f: json.dumps(v).encode() for f, v in files.items()} for n, files in ANNOTATIONS.items()}
    tops = {GRAPHS: "", QUESTIONS: "questions1.2/", EVAL: "eval/", IMAGES: "images/"}
    return {FILES[name]: zipped({**found, IMAGES: PICTURES}[name], top) for name, top in tops.items()}


ARCHIVES = archives()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({f"/{name}": content for name, content in ARCHIVES.items()}) as server:
        yield server


def wanted(server: FileServer, **more: Any) -> Wanted:
    urls = {name: server.url(f"/{file}") for name, file in FILES.items()}
    return Wanted(**{**WANTED, "urls": urls, **more})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def check(out: Path, done: Fetched) -> None:
    """The chosen images are those of the graphs, and all questions and choices are of them."""
    found = tree(out)
    graphs = {split: json.loads(found[f"sceneGraphs/{split}_sceneGraphs.json"]) for split in ("train", "val")}
    assert {split: len(images) for split, images in graphs.items()} == {"train": 10, "val": 4}
    chosen = set(graphs["train"]) | set(graphs["val"])
    assert {name: data for name, data in found.items() if name.startswith("images/")} == {
        f"images/{image}.jpg": PICTURES[f"{image}.jpg"] for image in chosen
    }
    for name, files in ANNOTATIONS.items():
        for file, records in files.items():
            if (path := f"{name}/{file}") in found and name == QUESTIONS:
                expected = {key: record for key, record in records.items() if record["imageId"] in chosen}
                assert json.loads(found[path]) == expected
    kept = json.loads(found["questions/val_all_questions.json"])
    assert json.loads(found["eval/val_choices.json"]) == {
        key: ANNOTATIONS[EVAL]["val_choices.json"][key] for key in kept
    }
    assert done.num_images == 14
    assert not any(".download" in name for name in found)


def test_a_part_is_a_window_with_its_graphs_questions_and_choices(server: FileServer, tmp_path: Path) -> None:
    done = fetch(tmp_path, wanted(server), progress=False)
    check(tmp_path, done)
    assert "questions/train_all_questions/train_all_questions_0.json" not in tree(tmp_path)
    assert (done.fetched, done.skipped, done.graphs) == (14, 0, {"train": 40, "val": 12})
    assert done.requests == len(server.requests)


def test_unbalanced_questions_of_training_are_all_ten_chunks(server: FileServer, tmp_path: Path) -> None:
    fetch(tmp_path, wanted(server, unbalanced="all"), progress=False)
    chunks = [
        json.loads(p.read_text()) for p in sorted((tmp_path / "questions" / "train_all_questions").glob("*.json"))
    ]
    assert [bool(chunk) for chunk in chunks] == [k == 3 for k in range(10)]


def test_the_whole_release_has_all_images_with_graphs_and_those_of_testdev(server: FileServer, tmp_path: Path) -> None:
    done = fetch(tmp_path, wanted(server, num_train=74_942, num_val=10_696, unbalanced="all"), progress=False)
    found = tree(tmp_path)
    assert {name for name in found if name.startswith("images/")} == {f"images/{name}" for name in PICTURES}
    for name in (GRAPHS, QUESTIONS, EVAL):
        for file, records in ANNOTATIONS[name].items():
            assert json.loads(found[f"{name}/{file}"]) == records
    assert done.num_images == 54


def test_hardly_more_bytes_travel_than_the_members_have(tmp_path: Path) -> None:
    names = [str(i) for i in range(3000, 3400)]
    files = {f"{name}.jpg": Random(name).randbytes(40_000) for name in sorted(names, key=lambda n: Random(n).random())}
    contents = {**ARCHIVES, FILES[IMAGES]: zipped(files, "images/")}
    graphs = {"train_sceneGraphs.json": names[::2], "val_sceneGraphs.json": names[1::4]}
    texts = {name: json.dumps({image: graph() for image in images}).encode() for name, images in graphs.items()}
    contents[FILES[GRAPHS]] = zipped(texts, "")
    with FileServer({f"/{name}": content for name, content in contents.items()}) as server:
        done = fetch(tmp_path, wanted(server, num_train=150, num_val=40), progress=False)
    members = sum(p.stat().st_size for p in (tmp_path / "images").iterdir())
    assert done.num_images == 190
    assert members < done.bytes < 1.05 * members + 4 * 2**18 + 2**18  # the end of each archive; gaps


def test_a_second_call_fetches_no_image_again_but_repairs_a_damaged_one(server: FileServer, tmp_path: Path) -> None:
    fetch(tmp_path, wanted(server), progress=False)
    victim = next((tmp_path / "images").iterdir())
    victim.write_bytes(bytes(victim.stat().st_size))
    done = fetch(tmp_path, wanted(server), progress=False)
    assert (done.fetched, done.skipped) == (1, 13)
    check(tmp_path, done)


def test_what_a_killed_run_has_left_is_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    fetch(tmp_path / "whole", wanted(server), progress=False)
    part = tmp_path / "part"
    for path in sorted((tmp_path / "whole" / "images").iterdir())[:9]:
        (part / "images").mkdir(parents=True, exist_ok=True)
        (part / "images" / path.name).write_bytes(path.read_bytes())
    (part / ".download" / "sceneGraphs").mkdir(parents=True)
    whole = json.dumps(ANNOTATIONS[GRAPHS]["train_sceneGraphs.json"])
    (part / ".download" / "sceneGraphs" / "train_sceneGraphs.json").write_text(whole)
    done = fetch(part, wanted(server), progress=False)
    assert (done.fetched, done.skipped) == (5, 9)
    assert tree(part) == tree(tmp_path / "whole")


def test_local_archives_give_the_same_part(server: FileServer, tmp_path: Path) -> None:
    fetch(tmp_path / "remote", wanted(server), progress=False)
    place = tmp_path / "zips"
    place.mkdir()
    for name, content in ARCHIVES.items():
        (place / name).write_bytes(content)
    cut(place, tmp_path / "local", Wanted(**WANTED), progress=False)  # pyright: ignore[reportArgumentType]
    assert tree(tmp_path / "local") == tree(tmp_path / "remote")
    (place / FILES[IMAGES]).unlink()
    with pytest.raises(InputError, match=r"images\.zip: missing beside the other archives"):
        cut(place, tmp_path / "again", Wanted(**WANTED), progress=False)  # pyright: ignore[reportArgumentType]


def test_a_local_tree_gives_its_first_images(server: FileServer, tmp_path: Path) -> None:
    fetch(tmp_path / "tree", wanted(server, num_train=20, num_val=6), progress=False)
    done = cut(tmp_path / "tree", tmp_path / "cut", Wanted(**WANTED), progress=False)  # pyright: ignore[reportArgumentType]
    check(tmp_path / "cut", done)
    first = list(json.loads((tmp_path / "tree" / "sceneGraphs" / "train_sceneGraphs.json").read_text()))[:10]
    assert list(json.loads((tmp_path / "cut" / "sceneGraphs" / "train_sceneGraphs.json").read_text())) == first
    with pytest.raises(InputError, match=r"pictures of 20 images with graphs, requested are 30"):
        cut(tmp_path / "tree", tmp_path / "more", Wanted(30, 4), progress=False)
    with pytest.raises(InputError, match=r"no sceneGraphs/ and no sceneGraphs\.zip"):
        cut(tmp_path / "cut" / "images", tmp_path / "none", Wanted(1, 1), progress=False)


def test_too_few_images_are_an_error_before_anything_is_fetched(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"40 images with graphs in .*, requested are 41; request fewer"):
        fetch(tmp_path, wanted(server, num_train=41), progress=False)
    assert not (tmp_path / "images").exists()


def test_a_malformed_graph_is_named(server: FileServer, tmp_path: Path) -> None:
    broken = {image: {**graph(), "width": "wide"} for image in NAMES["val"]}
    files = {"train_sceneGraphs.json": ANNOTATIONS[GRAPHS]["train_sceneGraphs.json"], "val_sceneGraphs.json": broken}
    server.files[f"/{FILES[GRAPHS]}"] = zipped({name: json.dumps(v).encode() for name, v in files.items()}, "")
    with pytest.raises(
        InputError, match=r"val_sceneGraphs\.json: image '20\d\d', field 'width': expected a whole number"
    ):
        fetch(tmp_path, wanted(server), progress=False)


def test_inspection_reads_directories_only(server: FileServer) -> None:
    found = describe({**wanted(server).urls, EVAL: ""})
    assert found["reachable"]
    assert EVAL not in found
    assert found[IMAGES]["bytes"] == len(ARCHIVES[FILES[IMAGES]])
    assert found[IMAGES]["num_files"] == len(PICTURES) + 1
    nowhere = describe({IMAGES: "http://127.0.0.1:9/images.zip"}, attempts=1)
    assert not nowhere["reachable"]
    assert "not reachable" in nowhere[IMAGES]["reason"]


def test_the_densest_window_skips_what_lies_apart() -> None:
    infos = []
    for number, offset in enumerate((0, 1000, 1100, 1200, 5000)):
        info = zipfile.ZipInfo(str(number))
        info.header_offset, info.compress_size = offset, 90
        infos.append(info)
    assert [info.filename for info in densest(infos, 3)] == ["1", "2", "3"]
    assert [info.filename for info in densest(infos, 5)] == ["0", "1", "2", "3", "4"]
    with pytest.raises(InputError, match="5 members are there, requested are 6"):
        densest(infos, 6)
