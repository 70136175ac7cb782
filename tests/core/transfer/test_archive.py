import io
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import LocalZip, RemoteZip, ZipReader, extract, runs
from nsmodels.core.transfer.directory import Limits
from nsmodels.core.transfer.download import Unreachable
from tests.core.server import FileServer, Traps, free_port

NUM = 40
FILES = {f"top/images/{i:03d}.png": np.random.default_rng(i).bytes(20_000 + i) for i in range(NUM)}
TEXTS = {"top/notes.txt": b"yes and no, " * 50_000, "top/empty.txt": b""}


def zipped(files: dict[str, bytes], *, zip64: bool = False, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            kind = zipfile.ZIP_STORED if name.endswith(".png") else method
            info = zipfile.ZipInfo(name)
            info.compress_type = kind
            with archive.open(info, "w", force_zip64=zip64) as file:
                file.write(data)
    return buffer.getvalue()


WHOLE = zipped({**FILES, **TEXTS})


@pytest.fixture
def server():
    with FileServer({"/a.zip": WHOLE}) as server:
        yield server


@pytest.fixture(params=["http", "disk"])
def reader(request: pytest.FixtureRequest, server: FileServer, tmp_path: Path) -> ZipReader:
    if request.param == "http":
        return RemoteZip(server.url("/a.zip"), backoff=0.0)
    return LocalZip(written(tmp_path / "a.zip", WHOLE))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_members_are_listed_and_fetched_with_their_bytes(reader: ZipReader, tmp_path: Path) -> None:
    assert list(reader.members()) == [*FILES, *TEXTS]
    out = tmp_path / "out"
    counts = reader.fetch_members(reader.members(), out, progress=False, strip="top/")
    assert tree(out) == {name.removeprefix("top/"): data for name, data in {**FILES, **TEXTS}.items()}
    assert (counts.fetched, counts.skipped) == (NUM + 2, 0)


def test_members_that_are_there_are_skipped_and_damaged_ones_found_on_demand(reader: ZipReader, tmp_path: Path) -> None:
    names, out = list(FILES)[:10], tmp_path / "out"
    reader.fetch_members(names, out, progress=False)
    (out / names[3]).write_bytes(b"short")
    counts = reader.fetch_members(names, out, progress=False)
    assert (counts.fetched, counts.skipped) == (1, 9)
    (out / names[4]).write_bytes(bytes(len(FILES[names[4]])))
    assert reader.fetch_members(names, out, progress=False).fetched == 0
    assert reader.fetch_members(names, out, progress=False, verify=True).fetched == 1
    assert (out / names[4]).read_bytes() == FILES[names[4]]


def spread(num: int, gap: int) -> tuple[dict[str, bytes], list[str]]:
    """`num` wanted members of 1 kB, each followed by one of `gap` bytes that is not wanted, then a large tail."""
    files: dict[str, bytes] = {}
    for i in range(num):
        files[f"wanted/{i}.png"] = bytes([i]) * 1000
        files[f"other/{i}.png"] = bytes(gap)
    files["other/end.png"] = bytes(400_000)
    return files, [name for name in files if name.startswith("wanted")]


@pytest.mark.parametrize(("gap", "requests"), [(1_000, 1), (200_000, 1), (300_000, 8)])
def test_neighbours_share_a_request_and_large_gaps_are_not_read(gap: int, requests: int, tmp_path: Path) -> None:
    files, wanted = spread(8, gap)
    with FileServer({"/b.zip": zipped(files)}) as server:
        remote = RemoteZip(server.url("/b.zip"))
        opened = len(server.requests)
        counts = remote.fetch_members(wanted, tmp_path, progress=False)
        assert counts.requests == requests == len(server.requests) - opened
        assert counts.bytes < 8 * 1_300 + (7 * (gap + 300) if requests == 1 else 0)
    assert tree(tmp_path) == {name: files[name] for name in wanted}


def test_runs_have_a_bound(server: FileServer, tmp_path: Path) -> None:
    remote = RemoteZip(server.url("/a.zip"))
    members = remote._placed(list(FILES), tmp_path, "")
    groups = list(runs(members, longest=100_000))
    assert [member.info.filename for group in groups for member in group] == list(FILES)
    assert all(group[-1].end - group[0].info.header_offset <= 100_000 for group in groups)
    assert len(groups) == 10


def test_many_small_gaps_are_read_only_as_far_as_they_are_cheap(tmp_path: Path) -> None:
    sizes = [(100_000, 50_000 if i % 2 else 200_000) for i in range(100)]
    files, wanted = {}, []
    for i, (size, gap) in enumerate(sizes):
        wanted.append(f"wanted/{i}.png")
        files |= {wanted[-1]: bytes(size), f"other/{i}.png": bytes(gap)}
    with FileServer({"/b.zip": zipped(files)}) as server:
        counts = RemoteZip(server.url("/b.zip")).fetch_members(wanted, tmp_path, progress=False)
    # reading all gaps would fetch 12.5 MB more in one request; the 50 gaps of 50 kB and 8 of 200 kB fit into 4 MB
    assert 10_000_000 < counts.bytes < 14_300_000
    assert counts.requests == 100 - 50 - 8


def test_zip64_records_are_read(tmp_path: Path) -> None:
    many = {f"{i}.txt": b"x" for i in range(66_000)}  # more than the 16-bit count holds
    with FileServer({"/many.zip": zipped(many), "/64.zip": zipped(FILES, zip64=True)}) as server:
        assert len(RemoteZip(server.url("/many.zip")).members()) == 66_000
        RemoteZip(server.url("/64.zip")).fetch_members(FILES, tmp_path, progress=False)
    assert tree(tmp_path) == FILES


def test_members_behind_4_gb_are_found(tmp_path: Path) -> None:
    path = tmp_path / "far.zip"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # a hole: takes no room on the disk
    with zipfile.ZipFile(path, "a") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    with FileServer({"/far.zip": path}) as server:
        remote = RemoteZip(server.url("/far.zip"))
        assert min(info.header_offset for info in remote.members().values()) == 5 * 2**30
        assert remote.fetch_members(FILES, tmp_path / "out", progress=False).requests == 1
    assert tree(tmp_path / "out") == FILES


def test_broken_connections_are_resumed_where_they_stopped(server: FileServer, tmp_path: Path) -> None:
    remote = RemoteZip(server.url("/a.zip"), backoff=0.0)
    server.forget()
    server.traps = Traps(cut_after=150_000)
    remote.fetch_members(FILES, tmp_path, progress=False)
    assert tree(tmp_path) == FILES
    assert server.bytes < 1.6 * sum(map(len, FILES.values()))


def test_a_member_appears_whole_or_not_at_all(server: FileServer, tmp_path: Path) -> None:
    remote = RemoteZip(server.url("/a.zip"), attempts=1)
    server.traps = Traps(cut_after=150_000)
    with pytest.raises(InputError, match=r"stopped after 1 attempts without progress .* run again") as caught:
        remote.fetch_members(FILES, tmp_path, progress=False)
    assert not isinstance(caught.value, Unreachable)  # a fetch that has begun is continued, not replaced
    whole = tree(tmp_path)
    assert 0 < len(whole) < NUM
    assert whole.items() <= FILES.items()
    server.traps = Traps()
    counts = remote.fetch_members(FILES, tmp_path, progress=False)
    assert counts.skipped == len(whole)
    assert tree(tmp_path) == FILES


@pytest.mark.parametrize(
    ("traps", "message"),
    [
        (Traps(ranges=False), "no range support, so single members cannot be fetched; download the whole archive"),
        (Traps(page=404), "answered 404 Not Found"),
        (Traps(page=200), "sent a web page"),
        (Traps(refuse_ranges=True), "416"),
        (Traps(statuses=[503] * 9), "not reachable after 2 attempts"),
    ],
)
def test_servers_that_cannot_serve_members(server: FileServer, traps: Traps, message: str) -> None:
    server.traps = traps
    with pytest.raises(InputError, match=message) as caught:
        RemoteZip(server.url("/a.zip"), attempts=2, backoff=0.0)
    assert server.url("/a.zip") in str(caught.value)


def test_an_absent_host_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="connection refused"):
        RemoteZip(f"http://127.0.0.1:{free_port()}/a.zip", attempts=1)


def test_an_archive_that_changes_while_it_is_read_is_noticed(server: FileServer, tmp_path: Path) -> None:
    remote = RemoteZip(server.url("/a.zip"))
    server.traps = Traps(etag='"other"')
    with pytest.raises(InputError, match="has changed on the server while it was read; run again"):
        remote.fetch_members(FILES, tmp_path, progress=False)
    assert tree(tmp_path) == {}


def test_a_range_that_begins_elsewhere_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    remote = RemoteZip(server.url("/a.zip"), attempts=2, backoff=0.0)
    server.traps = Traps(shift=1_000)
    with pytest.raises(InputError, match="the server sent a different range than requested"):
        remote.fetch_members(list(FILES)[5:6], tmp_path, progress=False)
    assert tree(tmp_path) == {}


def test_temporary_failures_are_retried(server: FileServer, tmp_path: Path) -> None:
    server.traps = Traps(statuses=[503, 429])
    remote = RemoteZip(server.url("/a.zip"), backoff=0.0)
    server.traps.statuses = [500]
    remote.fetch_members(FILES, tmp_path, progress=False)
    assert tree(tmp_path) == FILES


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda z: z[:-2_000], "truncated or damaged zip: it starts as one, but its directory"),
        (lambda z: z[: len(z) // 2], "truncated or damaged zip"),
        (lambda z: b"GIF89a" + bytes(5_000), "not a zip archive \\(it starts with b'GIF8'\\)"),
        (lambda z: b"", "not a zip archive"),
        (
            lambda z: flipped(z, z.index(FILES["top/images/007.png"])),
            "'top/images/007.png' is damaged .bad CRC-32",
        ),
        (lambda z: flipped(z, z.index(b"top/notes.txt") + 40), "member 'top/notes.txt' is damaged"),
        (lambda z: flipped(z, 0), "member 'top/images/000.png' is damaged .no local header"),
    ],
)
def test_damage_is_reported_in_one_line(damage, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "bad.zip", damage(WHOLE))
    with pytest.raises(InputError, match=message) as caught:
        extract(path, tmp_path / "out", progress=False, connections=1)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path / "out").items() <= {**FILES, **TEXTS}.items()


def test_no_such_file_and_no_such_member(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.zip: no such file"):
        extract(tmp_path / "absent.zip", tmp_path)
    path = written(tmp_path / "a.zip", WHOLE)
    with pytest.raises(InputError, match=r"no member 'top/images/999.png'"):
        extract(path, tmp_path / "out", ["top/images/000.png", "top/images/999.png"], progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../escape.txt", "a/../../escape.txt", "/abs.txt", "a\\..\\..\\escape.txt", "C:/x.txt", "top/../../x"]
)
def test_no_member_leaves_the_folder(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "slip.zip", zipped({"good.txt": b"good", name: b"bad"}))
    with pytest.raises(InputError, match=r"would leave the folder .* nothing was written"):
        extract(path, tmp_path / "out", progress=False)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["slip.zip"]


def test_stripping_does_not_open_a_way_out(tmp_path: Path) -> None:
    path = written(tmp_path / "slip.zip", zipped({"top//etc/x.txt": b"bad"}))
    with pytest.raises(InputError, match="would leave the folder"):
        extract(path, tmp_path / "out", strip="top/", progress=False)


def test_symbolic_links_are_refused_in_the_archive_and_not_followed_on_disk(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    with pytest.raises(InputError, match="member 'link' is a symbolic link, which is refused"):
        extract(written(tmp_path / "link.zip", buffer.getvalue()), tmp_path / "out", progress=False)
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "top").symlink_to(outside)
    with pytest.raises(InputError, match="would leave the folder"):
        extract(written(tmp_path / "a.zip", WHOLE), out, progress=False)
    assert list(outside.iterdir()) == []


def test_more_than_the_free_space_is_refused_before_the_first_write(tmp_path: Path) -> None:
    data = bytearray(zipped({"huge.txt": b"x" * 10}))
    entry = data.index(b"PK\x01\x02")
    # sizes of almost 4 GB each in the directory of a small archive, often enough to pass any disk
    data[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path = written(tmp_path / "huge.zip", bytes(data))
    times = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize // 0xFFFFFFF0 + 1
    with pytest.raises(InputError, match=r"not enough disk space for \d+ files of .*huge.zip"):
        LocalZip(path).fetch_members(["huge.txt"] * times, tmp_path / "out", False, limits=Limits(free=1 << 50))
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_reported_in_one_line(reader: ZipReader, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "top").mkdir(parents=True)
    (out / "top" / "notes.txt.partial").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"notes.txt.partial: no space left on the disk; free some, or .* run again"):
        reader.fetch_members(["top/notes.txt"], out, progress=False)
    assert not (out / "top" / "notes.txt").exists()


def test_a_small_member_that_claims_less_than_it_holds_is_stopped(tmp_path: Path) -> None:
    data = bytearray(zipped({"bomb.txt": bytes(50_000_000)}))
    for place in (22, data.index(b"PK\x01\x02") + 24):  # in the member's own header and in the directory
        data[place : place + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(InputError, match=r"'bomb.txt' is damaged .it has more than the 1000 bytes"):
        extract(written(tmp_path / "bomb.zip", bytes(data)), tmp_path / "out", progress=False)
    assert tree(tmp_path / "out") == {}


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InputError, match="is encrypted; use an archive without a password"):
        extract(written(tmp_path / "a.zip", bytes(data)), tmp_path / "out", progress=False)
