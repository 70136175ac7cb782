"""Zip archives as local data: cut, encrypted, swollen, doubled, with paths that lead elsewhere."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bad_inputs.case import Case, Place

PREPARE = ("clevr", "prepare", "--preset", "debug", "--source", "local", "--local-path", "in.zip", "--out", "out")
SCENES = "scenes/CLEVR_train_scenes.json"


def members(place: Place) -> dict[str, bytes]:
    """The files of the shared CLEVR tree as members of a zip."""
    root = place.world / "clevr"
    kept = [path for path in sorted(root.rglob("*")) if path.is_file() and path.parent != root]
    return {f"CLEVR_v1.0/{path.relative_to(root)}": path.read_bytes() for path in kept if "figures" not in path.parts}


def zipped(
    change: Callable[[dict[str, bytes]], object] = lambda files: None, compression: int = zipfile.ZIP_STORED
) -> Callable[[Place], object]:
    def setup(place: Place) -> None:
        files = members(place)
        change(files)
        with zipfile.ZipFile(place.path / "in.zip", "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return setup


def edited(edit: Callable[[bytearray], object]) -> Callable[[Place], object]:
    """A good archive whose bytes are changed afterwards."""

    def setup(place: Place) -> None:
        zipped()(place)
        content = bytearray((place.path / "in.zip").read_bytes())
        edit(content)
        (place.path / "in.zip").write_bytes(bytes(content))

    return setup


def with_member(name: str, content: bytes = b"x") -> Callable[[Place], object]:
    return zipped(lambda files: files.update({name: content}))


def cut(content: bytearray) -> None:
    del content[-200:]


def encrypted(content: bytearray) -> None:
    """Set the flag of encryption in every header."""
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(mark, place + 4)


def broken(content: bytearray) -> None:
    start = content.find(b"PK\3\4")
    for place in range(start + 100, start + 400):
        content[place] ^= 0xFF


def swollen(content: bytearray) -> None:
    """Promise in the central directory that the first member is tiny."""
    place = content.find(b"PK\1\2")
    content[place + 24 : place + 28] = struct.pack("<I", 3)


def twice(place: Place) -> None:
    import warnings

    zipped()(place)
    with warnings.catch_warnings(), zipfile.ZipFile(place.path / "in.zip", "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(f"CLEVR_v1.0/{SCENES}", b'{"scenes": []}')


def blanks(place: Place) -> None:
    """A member of scenes that unpacks to 6 GB of blanks."""
    zipped(lambda files: files.pop(f"CLEVR_v1.0/{SCENES}"))(place)
    with (
        zipfile.ZipFile(place.path / "in.zip", "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"CLEVR_v1.0/{SCENES}", "w", force_zip64=True) as stream,
    ):
        stream.write(b'{"scenes": [')
        for _ in range(96):
            stream.write(b" " * (64 << 20))
        stream.write(b"]}")


def nested(files: dict[str, bytes]) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    files.clear()
    files["CLEVR_v1.0.zip"] = inner.getvalue()


def cases() -> Iterator[Case]:
    plain: dict[str, Callable[[Place], object]] = {
        "no zip": lambda place: place.write("in.zip", "no zip"),
        "empty": lambda place: place.write("in.zip", b""),
        "without members": zipped(dict.clear),
        "cut": edited(cut),
        "encrypted": edited(encrypted),
        "broken inside": edited(broken),
        "a member larger than promised": edited(swollen),
        "a member twice": twice,
        "6 GB of blanks": blanks,
        "a zip in a zip": zipped(nested),
        "a path upwards": with_member("CLEVR_v1.0/images/train/../../../../evil.png"),
        "an absolute path": with_member("/tmp/evil.png"),
        "without images": zipped(lambda files: [files.pop(n) for n in list(files) if "images/" in n]),
        "without scenes": zipped(lambda files: [files.pop(n) for n in list(files) if "scenes/" in n]),
        "an empty scene file": zipped(lambda files: files.update({f"CLEVR_v1.0/{SCENES}": b""})),
        "an image that is text": zipped(text_images),
    }
    for name, setup in plain.items():
        yield Case(f"zip/{name}", PREPARE, setup, ("in.zip",))
    yield Case("good zip/as it is", PREPARE, zipped(), is_good=True)
    yield Case("good zip/compressed", PREPARE, zipped(compression=zipfile.ZIP_DEFLATED), is_good=True)
    yield Case("zip/a folder", PREPARE, lambda place: Path(place.path / "in.zip").mkdir(), ("in.zip",))
    yield Case("zip/deep json", PREPARE, zipped(deep), (SCENES,))


def text_images(files: dict[str, bytes]) -> None:
    files.update({name: b"text" for name in files if "images/train" in name})


def deep(files: dict[str, bytes]) -> None:
    files[f"CLEVR_v1.0/{SCENES}"] = b'{"scenes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
