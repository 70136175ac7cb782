"""Archives that would hide, overwrite or swell: refused when they are opened, naming the member."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest

from nsmodels.core.errors import InputError
from nsmodels.core.transfer import source
from nsmodels.core.transfer.archive import LocalZip, RemoteZip, extract
from nsmodels.core.transfer.directory import Limits
from tests.core.server import FileServer


def written(path: Path, members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive whose member names may repeat."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.txt", "a.txt"], r"has the member 'a.txt' twice, and one would hide the other"),
        (["a.txt", "A.TXT"], r"has the member 'A.TXT' twice \(also as 'a.txt'\)"),
        (["a/b.txt", "a/./b.txt"], r"has the member 'a/./b.txt' twice \(also as 'a/b.txt'\)"),
        (["a/b.txt", "a//b.txt"], r"has the member 'a//b.txt' twice"),
        (["caf\u00e9.txt", "cafe\u0301.txt"], r"twice \(also as"),
        (["stra\u00dfe.txt", "STRASSE.txt"], r"twice \(also as"),
        (["a", "a/b.txt"], r"the member 'a' is a file and the folder of 'a/b.txt'"),
        (["a/b/c.txt", "A/B"], r"the member 'A/B' is a file and the folder of 'a/b/c.txt'"),
        (["a/../b.txt", "b.txt"], r"member 'a/../b.txt' would leave the folder"),
        (["b.txt", "/etc/x"], r"member '/etc/x' would leave the folder"),
        (["a\nb.txt"], r"the member name 'a\\nb.txt' has control characters"),
        (["\x1b[31mred.txt"], r"has control characters"),
    ],
)
def test_members_that_collide_or_leave_are_named(tmp_path: Path, names: list[str], message: str) -> None:
    path = written(tmp_path / "a.zip", [(name, name.encode()) for name in names])
    with pytest.raises(InputError, match=message) as caught:
        LocalZip(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_folders_may_be_listed_with_and_without_their_files(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.zip", [("a/", b""), ("a/b/", b""), ("a/b.txt", b"1"), ("a/b/c.txt", b"2"), ("a/", b"")]
    )
    assert list(LocalZip(path).members()) == ["a/b.txt", "a/b/c.txt"]


def test_a_duplicate_on_a_server_is_refused_as_well(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"1"), ("a.txt", b"2")])
    with (
        FileServer({"/a.zip": path}) as server,
        pytest.raises(InputError, match=r"/a.zip: has the member 'a.txt' twice"),
    ):
        RemoteZip(server.url("/a.zip"))


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"x" * 500), ("b.txt", b"y" * 500)], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 0)  # the place of the first
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"the members '[ab].txt' and '[ab].txt' share bytes"):
        LocalZip(path)


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (30, b"z", r"its own header names it b'z.txt'"),
        (8, b"\x00", r"its own header has a different compression"),
        (6, b"\x01", r"its own header has a different compression or encryption"),
        (22, b"\x03", r"its own header has a different size or checksum"),
        (14, b"\x00\x00\x00\x01", r"its own header has a different size or checksum"),
    ],
)
def test_a_header_that_contradicts_the_directory(tmp_path: Path, offset: int, value: bytes, message: str) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"x" * 500)])
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=rf"member 'a.txt' is damaged \({message}"):
        extract(path, tmp_path / "out", progress=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_header_without_sizes_is_read_where_a_descriptor_follows(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"x" * 500)
    (tmp_path / "a.zip").write_bytes(pipe.getvalue())
    extract(tmp_path / "a.zip", tmp_path / "out", progress=False)
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"x" * 500


def blanks(path: Path, sizes: list[int]) -> Path:
    """Members of blanks that are written without their bytes ever being in memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, size in enumerate(sizes):
            with archive.open(f"{number}.json", "w", force_zip64=True) as stream:
                for _ in range(size >> 20):
                    stream.write(b" " * (1 << 20))
    return path


def test_a_member_that_swells_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = blanks(tmp_path / "a.zip", [80 << 20])
    with pytest.raises(InputError, match=r"member '0.json' unpacks from \d+\.\d kB to 83.9 MB, which no data"):
        extract(path, tmp_path / "out", progress=False)
    with pytest.raises(InputError, match=r"'0.json' unpacks"), LocalZip(path).open_text("0.json"):
        pass
    assert not (tmp_path / "out").exists()


def test_members_that_swell_together_are_refused(tmp_path: Path) -> None:
    path = blanks(tmp_path / "a.zip", [20 << 20] * 4)
    with pytest.raises(InputError, match=r"what is wanted of it unpacks from .* to 83.9 MB"):
        extract(path, tmp_path / "out", progress=False)
    extract(path, tmp_path / "out", ["1.json"], progress=False)


def test_a_limit_of_the_caller_holds(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"x" * 500), ("b.txt", b"y" * 500)])
    with pytest.raises(InputError, match=r"member 'a.txt' unpacks to 500 B, expected at most 499 B"):
        LocalZip(path).fetch_members(["a.txt"], tmp_path / "out", False, limits=Limits(member=499))
    with pytest.raises(InputError, match=r"what is wanted of it unpacks to 1.0 kB, expected at most 999 B"):
        LocalZip(path).fetch_members(["a.txt", "b.txt"], tmp_path / "out", False, limits=Limits(total=999))


def test_a_directory_that_does_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.zip", [(f"{number}.txt", b"") for number in range(400)])
    monkeypatch.setattr(source, "LARGEST_READ", 10_000)
    with pytest.raises(InputError, match=r"a.zip: its directory has 2\d,\d+ bytes, expected at most 10,000"):
        LocalZip(path)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_devices_are_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("pipe")
    info.external_attr = (kind | 0o644) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"")
    with pytest.raises(InputError, match=r"member 'pipe' is a device or a pipe"):
        extract(tmp_path / "a.zip", tmp_path / "out", progress=False)


# --- text straight out of an archive -----------------------------------------------------------------------------


def test_text_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", "größer\n".encode()), ("b.txt", "größer\n".encode("utf-8-sig"))])
    for name in ("a.txt", "b.txt"):
        with LocalZip(path).open_text(name) as text:
            assert text.read() == "größer\n"


def test_text_is_checked_to_its_end_though_only_its_start_is_read(tmp_path: Path) -> None:
    data = bytes(range(97, 123)) * 4_000
    path = written(tmp_path / "a.zip", [("a.txt", data)], zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[90_000] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"'a.txt' is damaged .bad CRC-32"), LocalZip(path).open_text("a.txt") as text:
        assert text.read(3) == "abc"


def test_text_of_an_encrypted_or_missing_member(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"x")])
    with pytest.raises(InputError, match=r"no member 'b.txt'"), LocalZip(path).open_text("b.txt"):
        pass
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"'a.txt' is encrypted"), LocalZip(path).open_text("a.txt"):
        pass


def test_a_member_larger_than_both_headers_promise_is_stopped(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", [("a.txt", b"x" * 100_000)])
    data = bytearray(path.read_bytes())
    crc = struct.pack("<I", zlib.crc32(b"x" * 3))
    for start, shift in ((0, 0), (data.index(b"PK\x01\x02"), 2)):
        data[start + 14 + shift : start + 18 + shift] = crc
        data[start + 22 + shift : start + 26 + shift] = struct.pack("<I", 3)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="it has more than the 3 bytes"), LocalZip(path).open_text("a.txt") as text:
        text.read()
