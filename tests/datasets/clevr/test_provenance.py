"""The source of data is what was verified of them: host, size, checksum, counts, and the mark of our own renderer."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.config import ANNOTATIONS_URL, ARCHIVE_BYTES, ARCHIVE_SHA256, ARCHIVE_URL, debug, full
from nsmodels.datasets.clevr.files.provenance import (
    RELEASED_IMAGES,
    RELEASED_QUESTIONS,
    Evidence,
    caption,
    caption_of_archive,
)
from nsmodels.datasets.clevr.prepare import prepare, recipe_of
from tests.core.server import FileServer

OFFICIAL = Evidence(
    urls=(ARCHIVE_URL, ANNOTATIONS_URL),
    size=ARCHIVE_BYTES,
    archived=RELEASED_IMAGES,
    scenes=RELEASED_IMAGES,
    questions=RELEASED_QUESTIONS,
    num_images=11_000,
)
SIZES = {"num_train": 4, "num_val": 2}
MIRROR = "https://mirror.example.org/CLEVR_v1.0.zip"


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch) -> Path:
    """No test sees the data of this machine."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    """Six small synthetic images with questions, sealed."""
    folder = tmp_path_factory.mktemp("twin") / "clevr"
    prepare(debug().with_values(SIZES), "clevr", folder)
    return folder


def changed(**values: object) -> str:
    return caption(dataclasses.replace(OFFICIAL, **values))


def test_a_part_of_the_release_is_recognised_by_host_size_and_counts() -> None:
    assert caption(OFFICIAL) == "CLEVR v1.0, 11,000 of 85,000 images"
    assert changed(num_images=85_000) == "CLEVR v1.0"
    assert changed(num_images=10) == "CLEVR v1.0, 10 of 85,000 images"


def test_the_whole_release_is_recognised_by_its_checksum_from_anywhere() -> None:
    whole = {"sha256": ARCHIVE_SHA256, "num_images": 85_000}
    assert changed(**whole, urls=(MIRROR,)) == "CLEVR v1.0"
    assert caption(Evidence((), sha256=ARCHIVE_SHA256, num_images=12)) == "CLEVR v1.0, 12 of 85,000 images"


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({"urls": (MIRROR, ANNOTATIONS_URL)}, "host mirror.example.org, no checksum"),
        ({"urls": (ARCHIVE_URL, MIRROR)}, "host mirror.example.org, no checksum"),
        ({"urls": (ARCHIVE_URL.replace("https", "http"),)}, "host dl.fbaipublicfiles.com, no checksum"),
        ({"urls": ("https://dl.fbaipublicfiles.com@evil.org/x",)}, "host evil.org, no checksum"),
        ({"size": 0}, "size unknown, no checksum"),
        ({"size": 5, "sha256": "0" * 64}, "checksum differs"),
        ({"archived": {"train": 8, "val": 2}}, "10 of 85,000 images, no checksum"),
        ({"questions": {"train": 1, "val": 149_991}}, "no checksum"),
        ({"scenes": {"trainA": 70_000, "valA": 15_000}}, "no checksum"),
    ],
)
def test_what_was_not_verified_is_called_so(values: dict, doubt: str) -> None:
    assert changed(**values) == f"not verified as CLEVR v1.0: {doubt}"


def test_a_description_of_an_archive_is_named_by_what_it_is() -> None:
    record = {"url": ARCHIVE_URL, "bytes": ARCHIVE_BYTES}
    assert caption_of_archive(record) == "CLEVR v1.0"
    assert caption_of_archive({**record, "bytes": None}) == "not verified as CLEVR v1.0: size unknown, no checksum"
    assert caption_of_archive({**record, "url": MIRROR}).startswith("not verified as CLEVR v1.0: host mirror")
    files = {"files": {"images/train": 8, "images/val": 2}}
    assert "10 of 85,000 images" in caption_of_archive({**record, **files})


# --- whole preparations ------------------------------------------------------------------------------------------


def zipped(folder: Path, is_bare: bool, parts: tuple[str, ...] = ("images", "scenes", "questions")) -> bytes:
    """A tree as an archive; bare: nothing in it names its origin."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(path for part in parts for path in (folder / part).rglob("*") if path.is_file()):
            archive.writestr(f"CLEVR_v1.0/{path.relative_to(folder)}", bare(path) if is_bare else path.read_bytes())
    return buffer.getvalue()


def bare(path: Path) -> bytes:
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        del content["info"]
        return json.dumps(content).encode()
    buffer = io.BytesIO()
    Image.open(path).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("is_bare", [True, False])
def test_a_synthetic_archive_behind_the_url_is_not_the_release(
    twin: Path, tmp_path: Path, is_whole: bool, is_bare: bool
) -> None:
    small = zipped(twin, is_bare, ("scenes", "questions"))
    with FileServer({"/big.zip": zipped(twin, is_bare), "/small.zip": small}) as server:
        urls = {"archive_url": server.url("/big.zip"), "annotations_url": server.url("/small.zip")}
        sizes = {"num_train": 70_000, "num_val": 15_000} if is_whole else SIZES
        values = {"source": "archive", "archive_bytes": 0, "archive_sha256": "", **urls, **sizes}
        made = prepare(debug().with_values(values), "mine", tmp_path / "mine")
        host = server.url("").removeprefix("http://")
    checksum = "checksum differs" if is_whole else "no checksum"
    doubts = f"not verified as CLEVR v1.0: host {host}, 6 of 85,000 images, {checksum}"
    assert made.source == (doubts if is_bare else f"synthetic CLEVR (archive of {host})")


def test_a_mark_behind_the_records_counts_too(twin: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for path in (path for part in ("images", "scenes", "questions") for path in (twin / part).rglob("*.*")):
        target = mine / path.relative_to(twin)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = bare(path)
        if path.suffix == ".json":  # the block that names the origin stands last
            info = json.loads(path.read_text())["info"]
            content = json.dumps({**json.loads(content), "info": info}).encode()
        target.write_bytes(content)
    values = {"source": "local", "local_path": str(mine), **SIZES}
    assert prepare(debug().with_values(values), "a", tmp_path / "a").source == "synthetic CLEVR (local folder)"


def test_an_archive_with_a_member_twice_is_refused(twin: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(twin, is_bare=False))
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("CLEVR_v1.0/scenes/CLEVR_train_scenes.json", b'{"scenes": []}')
    values = {"source": "local", "local_path": str(path), **SIZES}
    with pytest.raises(InputError, match=r"mine.zip: has the member 'CLEVR_v1.0/scenes/CLEVR_train_scenes.json' twice"):
        prepare(debug().with_values(values), "a", tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("form", ["inner zip", "two trees"])
def test_an_archive_of_other_things_names_them(twin: Path, tmp_path: Path, form: str) -> None:
    path, inner = tmp_path / "mine.zip", zipped(twin, is_bare=False)
    with zipfile.ZipFile(path, "w") as archive:
        if form == "inner zip":
            archive.writestr("CLEVR_v1.0.zip", inner)
        else:
            for name in ("a/scenes/CLEVR_train_scenes.json", "b/scenes/CLEVR_train_scenes.json"):
                archive.writestr(name, b'{"scenes": []}')
    wanted = {
        "inner zip": r"contains the archive 'CLEVR_v1.0.zip': unpack it",
        "two trees": "contains several datasets",
    }
    values = {"source": "local", "local_path": str(path), **SIZES}
    with pytest.raises(InputError, match=wanted[form]):
        prepare(debug().with_values(values), "a", tmp_path / "a")


def test_a_sealed_folder_that_was_changed_does_not_pass_on_its_source(twin: Path, tmp_path: Path) -> None:
    import shutil

    mine = shutil.copytree(twin, tmp_path / "mine")
    victim = next(iter(sorted((mine / "images" / "train").iterdir())))
    victim.write_bytes(bare(victim))
    values = {"source": "local", "local_path": str(mine), **SIZES}
    with pytest.raises(InputError, match=rf"{victim}: "):
        prepare(debug().with_values(values), "a", tmp_path / "a")
    artifact.verify(twin)


def test_where_an_archive_is_read_from_decides_unless_a_checksum_does() -> None:
    whole = full().with_values({"source": "archive"})
    assert recipe_of(whole.with_values({"archive_url": MIRROR})) == recipe_of(whole)
    assert set(recipe_of(whole)) == {"source", "num_train", "num_val", "archive_sha256"}
    for values in ({"archive_sha256": ""}, {"num_train": 10}):
        one, other = (whole.with_values({**values, "archive_url": url}) for url in (ARCHIVE_URL, MIRROR))
        assert recipe_of(one) != recipe_of(other)
        assert "archive_url" not in recipe_of(one)


@pytest.mark.parametrize("name", ["images/train/CLEVR_train_000000.png", "scenes/CLEVR_train_scenes.json"])
def test_rendering_replaces_nothing_that_was_not_rendered(tmp_path: Path, capsys, name: str) -> None:
    command = [
        "clevr",
        "render",
        "--num-scenes",
        "1",
        "--width",
        "48",
        "--height",
        "32",
        "--out",
        str(tmp_path / "mine"),
    ]
    assert [main(command), main(command)] == [0, 0]
    (tmp_path / "mine" / name).write_bytes(bare(tmp_path / "mine" / name))
    before = (tmp_path / "mine" / name).read_bytes()
    assert main(command) == 2
    assert f"{tmp_path / 'mine' / name}: was not rendered here and would be lost" in capsys.readouterr().err
    assert (tmp_path / "mine" / name).read_bytes() == before


def test_rendering_leaves_artifacts_and_other_folders_alone(twin: Path, tmp_path: Path, capsys) -> None:
    for more, line in (
        (["--out", str(twin)], f"lies in the artifact {twin}, which it would change"),
        (["--out", str(tmp_path / "mine"), "--split", "../../x"], "--split: expected a name of letters"),
    ):
        assert main(["clevr", "render", "--num-scenes", "1", *more]) == 2
        assert line in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
