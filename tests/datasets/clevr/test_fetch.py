import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.download import Unreachable
from nsmodels.datasets.clevr.files.fetch import cut_mini, fetch_full, fetch_mini, inspect_archive, unpack
from nsmodels.formats.scenes.records import cut_records, read_records
from tests.core.server import FileServer, Traps, free_port

SIZES = {"train": 30, "val": 8}
WANTED = {"train": 12, "val": 3}
PER_IMAGE = 4
IMAGE_BYTES = 40_000


def image_name(split: str, index: int) -> str:
    return f"CLEVR_{split}_{index:06d}.png"


def record(split: str, index: int, **more: object) -> dict:
    return {"image_index": index, "split": split, "image_filename": image_name(split, index), **more}


def annotations() -> dict[str, bytes]:
    files = {}
    for split, num in SIZES.items():
        info = {"split": split, "license": "none – a test", "version": "1.0", "date": "1/1/2000"}
        scenes = [record(split, i, objects=[{"3d_coords": [-0.0, i + 0.1, 1e-7]}]) for i in range(num)]
        questions = [
            record(split, i, question=f"How many? {q}", answer="3", program=[{"function": "scene", "inputs": []}])
            for i in range(num)
            for q in range(PER_IMAGE)
        ]
        files[f"scenes/CLEVR_{split}_scenes.json"] = {"info": info, "scenes": scenes}
        files[f"questions/CLEVR_{split}_questions.json"] = {"info": info, "questions": questions}
    return {name: json.dumps(value).encode() for name, value in files.items()}


def images() -> dict[str, bytes]:
    rng = np.random.default_rng(7)
    return {
        f"images/{s}/{image_name(s, i)}": rng.bytes(IMAGE_BYTES + i) for s, num in SIZES.items() for i in range(num)
    }


ANNOTATIONS, IMAGES = annotations(), images()
RELEASE = {**IMAGES, **ANNOTATIONS}


def zipped(files: dict[str, bytes], top: str = "CLEVR_v1.0/") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{top}README.txt", b"about")
        for name, data in files.items():
            kind = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(top + name, data, kind)
    return buffer.getvalue()


BIG, SMALL = zipped(RELEASE), zipped(ANNOTATIONS)


@pytest.fixture
def server():
    with FileServer({"/big.zip": BIG, "/small.zip": SMALL}) as server:
        yield server


def mini(server: FileServer, out: Path, **more: object):
    urls = {"url": server.url("/big.zip"), "annotations_url": server.url("/small.zip")}
    options = {**urls, "size": len(BIG), "progress": False, **more}
    return fetch_mini(out, WANTED, **options)  # pyright: ignore[reportArgumentType]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def expected_mini() -> dict[str, bytes]:
    """Expected cut of the release by json and slicing, independent of the streaming code."""
    files = {f"images/{s}/{image_name(s, i)}": b"" for s, num in WANTED.items() for i in range(num)}
    files = {name: IMAGES[name] for name in files}
    for name, data in ANNOTATIONS.items():
        value, split = json.loads(data), name.split("_")[1]
        key = name.partition("/")[0]
        value[key] = [item for item in value[key] if item["image_index"] < WANTED[split]]
        files[name] = json.dumps(value).encode()
    return files


def test_mini_is_the_first_images_with_scenes_and_all_questions(server: FileServer, tmp_path: Path) -> None:
    done = mini(server, tmp_path)
    assert tree(tmp_path) == expected_mini()
    assert (done.num_images, done.num_questions, done.fetched, done.skipped) == (15, 60, 15, 0)
    assert done.bytes < len(SMALL) + 15 * (IMAGE_BYTES + 200) + 2**18 + 100
    assert done.requests == len(server.requests)


def test_a_second_call_fetches_no_image_again_but_repairs_a_damaged_one(server: FileServer, tmp_path: Path) -> None:
    mini(server, tmp_path)
    victim = tmp_path / "images" / "val" / image_name("val", 1)
    victim.write_bytes(bytes(victim.stat().st_size))
    done = mini(server, tmp_path)
    assert (done.fetched, done.skipped) == (1, 14)
    assert tree(tmp_path) == expected_mini()


@pytest.mark.parametrize("top", ["CLEVR_v1.0/", "", "mirror/CLEVR_v1.0/"])
def test_the_wrapping_folder_may_have_any_name(top: str, tmp_path: Path) -> None:
    with FileServer({"/big.zip": zipped(RELEASE, top), "/small.zip": zipped(ANNOTATIONS, "x/")}) as server:
        mini(server, tmp_path, size=0)
    assert tree(tmp_path) == expected_mini()


def test_a_killed_mini_is_continued_and_fetches_everything_about_once(tmp_path: Path) -> None:
    image = 1_000_000  # large enough that the bytes asked for to find the directory do not matter
    files = {name: np.random.default_rng(i).bytes(image) for i, name in enumerate(IMAGES)}
    with FileServer({"/big.zip": zipped({**files, **ANNOTATIONS}), "/small.zip": SMALL}) as server:
        server.traps = Traps(seconds_per_piece=0.004)
        code = "import sys; from pathlib import Path; from nsmodels.datasets.clevr.files.fetch import fetch_mini\n"
        code += "fetch_mini(Path(sys.argv[1]), {'train': 12, 'val': 3}, sys.argv[2], sys.argv[3], 0, False)"
        command = [sys.executable, "-c", code, str(tmp_path), server.url("/big.zip"), server.url("/small.zip")]
        child = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(tmp_path.glob("images/*/*.png"))) < 5:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        before = {path for path in tree(tmp_path) if path.endswith(".png")}
        assert 5 <= len(before) < 15
        assert all((tmp_path / name).read_bytes() == files[name] for name in before)
        server.traps = Traps()
        done = mini(server, tmp_path, size=0)
        assert done.skipped == len(before)
        # one run for train and one for val were under way: the member in work and the socket buffers are lost
        assert server.bytes < 15 * image + 2 * (image + 4_000_000) + 3 * (len(SMALL) + 2**18)
    got = tree(tmp_path)
    assert got.keys() == expected_mini().keys()
    assert all(got[name] == files[name] for name in got if name.endswith(".png"))


@pytest.mark.parametrize(
    ("traps", "message"),
    [
        (Traps(ranges=False), "no range support, so single members cannot be fetched; download the whole archive"),
        (Traps(page=404), "answered 404 Not Found instead of the file"),
        (Traps(page=200), "sent a web page"),
        (Traps(refuse_ranges=True), "416"),
    ],
)
def test_servers_that_cannot_serve_the_mini(server: FileServer, tmp_path: Path, traps: Traps, message: str) -> None:
    server.traps = traps
    with pytest.raises(InputError, match=message) as caught:
        mini(server, tmp_path)
    assert not isinstance(caught.value, Unreachable)
    assert server.url("/big.zip") in str(caught.value)
    assert tree(tmp_path) == {}


def test_another_archive_than_the_released_one_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"has {len(BIG)} bytes, expected 5; correct the URL, or the expected size"):
        mini(server, tmp_path, size=5)
    server.files["/big.zip"] = zipped({"other.txt": b"x"})
    with pytest.raises(InputError, match=r"no member scenes/CLEVR_\*; expected an archive of CLEVR"):
        mini(server, tmp_path, size=0)


def test_an_absent_host_is_unreachable_and_a_mirror_helps(server: FileServer, tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}/big.zip"
    with pytest.raises(Unreachable, match="connection refused"):
        mini(server, tmp_path, url=dead, attempts=1)
    mini(server, tmp_path, url=[dead, server.url("/big.zip")], attempts=1)
    assert tree(tmp_path) == expected_mini()


def test_more_images_than_there_are_is_an_error(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"CLEVR_train_scenes.json has 30 scenes, requested are 31; request fewer"):
        fetch_mini(tmp_path, {"train": 31, "val": 3}, server.url("/big.zip"), server.url("/small.zip"), 0, False)


def test_a_damaged_image_is_named(server: FileServer, tmp_path: Path) -> None:
    place = BIG.index(IMAGES["images/train/CLEVR_train_000003.png"]) + 9
    server.files["/big.zip"] = BIG[:place] + bytes([BIG[place] ^ 1]) + BIG[place + 1 :]
    with pytest.raises(InputError, match=r"'CLEVR_v1.0/images/train/CLEVR_train_000003.png' is damaged .bad CRC"):
        mini(server, tmp_path)


def test_damaged_annotations_are_named(server: FileServer, tmp_path: Path) -> None:
    place = SMALL.index(b"CLEVR_train_scenes.json") + 300
    server.files["/small.zip"] = SMALL[:place] + bytes(50) + SMALL[place + 50 :]
    with pytest.raises(InputError, match=r"annotations.zip.*CLEVR_train_scenes.json"):
        mini(server, tmp_path)


def test_full_is_the_release_and_the_archive_does_not_stay(server: FileServer, tmp_path: Path) -> None:
    done = fetch_full(tmp_path, server.url("/big.zip"), len(BIG), "", progress=False)
    assert tree(tmp_path) == RELEASE
    assert (done.bytes, done.num_images, len(done.sha256)) == (len(BIG), 38, 64)


def test_full_continues_after_a_broken_line(server: FileServer, tmp_path: Path) -> None:
    server.traps = Traps(cut_after=len(BIG) // 2, cuts=1)
    with pytest.raises(InputError, match="run again to resume"):
        fetch_full(tmp_path, server.url("/big.zip"), len(BIG), "", progress=False, attempts=1)
    done = fetch_full(tmp_path, server.url("/big.zip"), len(BIG), "", progress=False)
    assert done.bytes < 0.6 * len(BIG)
    assert tree(tmp_path) == RELEASE


def test_full_wants_room_for_archive_and_content(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not enough disk space for the archive and its content: 2000.0 TB"):
        fetch_full(tmp_path, server.url("/big.zip"), 10**15, "", progress=False)
    assert server.requests == []


@pytest.mark.parametrize("form", ["zip", "tree", "wrapped"])
def test_the_same_mini_is_cut_from_what_is_on_disk(form: str, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    if form == "zip":
        source.write_bytes(BIG)
    else:
        (tmp_path / "big.zip").write_bytes(BIG)
        unpack(tmp_path / "big.zip", source / ("CLEVR_v1.0" if form == "wrapped" else ""), progress=False)
    done = cut_mini(source, out, WANTED, progress=False)
    assert tree(out) == expected_mini()
    assert (done.fetched, done.requests, done.bytes) == (15, 0, 0)
    assert cut_mini(source, out, WANTED, progress=False).skipped == 15


def test_the_first_images_are_the_lowest_numbers_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "big.zip").write_bytes(BIG)
    source = tmp_path / "source"
    unpack(tmp_path / "big.zip", source, progress=False)
    for name in ANNOTATIONS:
        value = json.loads((source / name).read_bytes())
        value[name.partition("/")[0]].reverse()
        (source / name).write_text(json.dumps(value))
    cut_mini(source, tmp_path / "out", WANTED, progress=False)
    assert {n for n in tree(tmp_path / "out") if n.endswith(".png")} == {
        n for n in expected_mini() if n.endswith(".png")
    }


def test_a_fault_of_a_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a zip nor a folder with images/ scenes/ questions/"):
        cut_mini(tmp_path, tmp_path / "out", WANTED, progress=False)
    (tmp_path / "scenes").mkdir()
    with pytest.raises(InputError, match=r"CLEVR_train_scenes.json: missing"):
        cut_mini(tmp_path, tmp_path / "out", WANTED, progress=False)
    for name, data in ANNOTATIONS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=r"CLEVR_train_000000.png: missing, though the scenes name it"):
        cut_mini(tmp_path, tmp_path / "out", {"train": 2, "val": 1}, progress=False)
    scenes = [{"image_index": 0, "image_filename": "../../escape.png"}]
    (tmp_path / "scenes/CLEVR_train_scenes.json").write_text(json.dumps({"scenes": scenes}))
    with pytest.raises(InputError, match=r"scenes\[0\]: field 'image_filename': expected the plain name of a file"):
        cut_mini(tmp_path, tmp_path / "out", {"train": 1, "val": 1}, progress=False)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_annotations_in_another_encoding_are_one_line(tmp_path: Path, form: str) -> None:
    name, content = "scenes/CLEVR_train_scenes.json", RELEASE["scenes/CLEVR_train_scenes.json"]
    files = {**RELEASE, name: content.replace(b"\\u2013", "–".encode("cp1252"))}
    source = tmp_path / "clevr"
    if form == "zip":
        source.write_bytes(zipped(files))
    else:
        (source / "scenes").mkdir(parents=True)
        (source / name).write_bytes(files[name])
    shown = f"{source}: {name}" if form == "zip" else f"{source / name}:"
    with pytest.raises(InputError, match=rf"^{shown} is not UTF-8 text \(.*\); [a-zA-Z0-9 -]+$"):
        cut_mini(source, tmp_path / "out", WANTED, progress=False)


def test_the_archive_is_described_without_fetching_it(server: FileServer) -> None:
    found = inspect_archive(server.url("/big.zip"), len(BIG))
    assert found["reachable"] is True
    assert (found["bytes"], found["num_members"]) == (len(BIG), 38 + 4 + 1)
    assert found["files"] == {"images/train": 30, "images/val": 8, "questions": 2, "scenes": 2}
    assert found["etag"]
    assert server.bytes < 2**18 + 100
    assert json.loads(json.dumps(found)) == found


def test_the_description_has_the_reason_for_an_unreachable_host(server: FileServer) -> None:
    found = inspect_archive(f"http://127.0.0.1:{free_port()}/big.zip")
    assert found["reachable"] is False
    assert main(["clevr", "inspect", "--archive-url", f"http://127.0.0.1:{free_port()}/big.zip"]) == 1
    assert "connection refused" in found["reason"]
    with pytest.raises(InputError, match="expected 19021600724"):
        inspect_archive(server.url("/big.zip"))
    server.traps = Traps(ranges=False)
    assert inspect_archive(server.url("/big.zip"), 0)["accepts_ranges"] is False


def test_records_stream_in_pieces_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ' {"date" : 12, "scenes":[ {"a": "]}\\"é", "b": [1, {"c": -0.0}]} ,{"a": 2}, {}],"info":{"n":[1, 2]} } '
    for size in (1, 2, 7, 1000):
        monkeypatch.setattr("nsmodels.formats.scenes.records.PIECE", size)
        assert list(read_records(io.StringIO(text), "scenes", "x")) == json.loads(text)["scenes"]
        copy = io.StringIO()
        assert cut_records(io.StringIO(text), copy, "scenes", lambda item: item.get("a") != 2, "x") == (2, 3)
        cut = {"date": 12, "scenes": [{"a": ']}"é', "b": [1, {"c": -0.0}]}, {}], "info": {"n": [1, 2]}}
        assert json.loads(copy.getvalue()) == cut
        assert '"c": -0.0' in copy.getvalue()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"scenes": [{"a": 1}, {"a"', "the file ends inside a value"),
        ('{"info": 1}', "expected an object with a list 'scenes'"),
        ("[1]", "expected '{', found '\\[1\\]'"),
        ('{"scenes": [1, 2]}', r"scenes\[0\]: expected an object, got int"),
        ('{"scenes": [{"a": 1} {"a": 2}]}', "expected ',', found '{\"a\": 2}"),
        ('{"info": {} "scenes": []}', "expected ',', found '\"scenes\""),
        ('{"scenes": [{"a": 1}', "the file ends inside a value"),
        ("", "the file ends inside a value"),
    ],
)
def test_other_files_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_records(io.StringIO(text), "scenes", "x.json"))


def test_records_of_a_large_file_do_not_stay_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    item = json.dumps({"image_index": 1, "question": "x" * 900})
    with path.open("w") as file:
        file.write('{"info": {}, "questions": [' + ", ".join([item] * 60_000) + "]}")
    code = "import resource, sys; from nsmodels.formats.scenes.records import cut_records\n"
    code += "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    code += "counts = cut_records(open(sys.argv[1]), open(sys.argv[2], 'w'), 'questions', lambda q: True, 'x')\n"
    code += "print(counts[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "copy.json")]
    num, grown = map(
        int, subprocess.run(command, capture_output=True, text=True, check=True, timeout=15).stdout.split()
    )
    assert num == 60_000
    assert grown < 20_000  # kB, of a file of 56 MB
    assert (tmp_path / "copy.json").read_bytes() == path.read_bytes()
