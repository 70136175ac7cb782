"""Zip archives, on disk or on a server: list them, fetch single members, extract without leaving the folder."""

from __future__ import annotations

import io
import threading
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from pathlib import Path, PurePosixPath
from typing import TextIO

from nsmodels.core.disk import require_space, writing
from nsmodels.core.errors import InputError
from nsmodels.core.progress import Progress
from nsmodels.core.transfer.directory import (
    LIMITS,
    LOCAL_HEADER,
    Limits,
    ends,
    is_inside,
    read_directory,
    refuse_member,
    refuse_other_header,
    refuse_total,
)
from nsmodels.core.transfer.source import DiskSource, HttpSource, Source

LARGEST_GAP = 256 * 1024  # bytes read and discarded rather than split into two requests
LEAST_WASTE = 4 * 1024 * 1024
LONGEST_RUN = 32 * 1024 * 1024


@dataclass(frozen=True)
class Counts:
    """Outcome of a fetch: requests and bytes transferred, members written, members skipped as already present."""

    requests: int
    bytes: int
    fetched: int
    skipped: int

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(frozen=True)
class Member:
    """A file in the archive: its directory entry, an upper bound of its last byte's offset, and its target path."""

    info: zipfile.ZipInfo
    end: int
    target: Path


class ZipReader(ABC):
    """A zip archive read through a `Source`; zip64, stored and deflated members, CRC-32 checked."""

    @abstractmethod
    def __init__(self, source: Source) -> None:
        self.source = source
        self._members = read_directory(source)

    def members(self) -> dict[str, zipfile.ZipInfo]:
        """Files of the archive by name, without folders, in the order of the archive's directory."""
        return {name: info for name, info in self._members.items() if not info.is_dir()}

    def fetch_members(
        self,
        names: Iterable[str],
        out: Path,
        progress: bool = True,
        strip: str = "",
        verify: bool = False,
        connections: int = 4,
        label: str = "",
        limits: Limits = LIMITS,
        waste: int = LEAST_WASTE,
    ) -> Counts:
        """Write the members `names` below `out`, without the prefix `strip` of their names.

        Members present with the right size (`verify`: and the right CRC-32) are skipped. Each member appears whole or
        not at all. Neighbours are read together: gaps up to 256 KB (`waste`: see `runs`), runs up to 32 MB,
        `connections` in parallel.

        Raises `InputError` for a member that is missing, damaged, beyond `limits` or would leave `out`, and for a full
        disk.
        """
        wanted = self._placed(list(names), out, strip, limits)
        refuse_total(self.source.name, [member.info for member in wanted], limits)
        missing = [member for member in wanted if not _is_there(member, verify)]
        size = sum(member.info.file_size for member in missing)
        require_space(out, size, f"{len(missing)} files of {self.source.name}")
        before = (self.source.requests, self.source.bytes)
        done = sum(member.info.file_size for member in wanted) - size
        with Progress(label or PurePosixPath(self.source.name).name, size + done, done, progress) as bar:
            self._fetch_runs(list(runs(missing, waste=waste)), bar, connections)
        used = (self.source.requests - before[0], self.source.bytes - before[1])
        return Counts(*used, len(missing), len(wanted) - len(missing))

    @contextmanager
    def open_text(self, name: str, limits: Limits = LIMITS) -> Iterator[TextIO]:
        """A member as UTF-8 text (with or without a byte-order mark), streamed to its end, where its CRC-32 is checked.

        Raises `InputError` for a member that is missing, damaged or beyond `limits`.
        """
        info = self._info(name)
        refuse_member(self.source.name, info, limits)
        start = info.header_offset
        pieces = self.source.stream(start, ends(self._members.values(), self.source.size)[start] - start)
        content = _checked(_where(self.source.name, info), info, _Cursor(pieces, start))
        with io.TextIOWrapper(io.BufferedReader(_Pieces(content)), encoding="utf-8-sig") as text:
            yield text
            while text.read(1 << 20):
                pass

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._members.get(name)
        if info is None:
            raise InputError(f"{self.source.name}: no member '{name}' in the archive; check the name or the archive")
        return info

    def _placed(self, names: list[str], out: Path, strip: str, limits: Limits = LIMITS) -> list[Member]:
        """Members in the order of the archive's bytes; raises `InputError` before the first is written."""
        until = ends(self._members.values(), self.source.size)
        places = _Places(out)
        placed = []
        for name in names:
            info = self._info(name)
            refuse_member(self.source.name, info, limits)
            placed.append(Member(info, until[info.header_offset], places.of(self.source.name, name, strip)))
        return sorted(placed, key=lambda member: member.info.header_offset)

    def _fetch_runs(self, groups: list[list[Member]], bar: Progress, connections: int) -> None:
        """Fetch all runs; after a failure (or Ctrl-C) the others stop after their current member."""
        stop = threading.Event()
        pool = ThreadPoolExecutor(max(1, connections))
        try:
            for future in as_completed([pool.submit(self._fetch_run, group, bar, stop) for group in groups]):
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _fetch_run(self, group: list[Member], bar: Progress, stop: threading.Event) -> None:
        start, end = group[0].info.header_offset, max(member.end for member in group)
        cursor = _Cursor(self.source.stream(start, end - start), start)
        for member in group:
            if stop.is_set():
                return
            _write(self.source.name, member, cursor, bar)


class RemoteZip(ZipReader):
    """A zip archive on a server that serves byte ranges; its directory takes about two requests.

    Raises `Unreachable` when the host does not answer, `InputError` for a server without ranges and for anything but a
    zip.
    """

    def __init__(self, url: str, attempts: int = 5, backoff: float = 0.5, timeout: float = 30.0) -> None:
        source = HttpSource(url, attempts, backoff, timeout)
        self.url, self.size, self.etag = url, source.size, source.etag
        super().__init__(source)


class LocalZip(ZipReader):
    """A zip archive on disk; raises `InputError` for a missing or damaged file."""

    def __init__(self, path: Path) -> None:
        super().__init__(DiskSource(path))


def extract(
    path: Path,
    out: Path,
    members: Iterable[str] | None = None,
    strip: str = "",
    progress: bool = True,
    verify: bool = False,
    connections: int = 2,
) -> Counts:
    """Extract `members` (default: every file) of the zip at `path` below `out`.

    Parameters and errors as of `ZipReader.fetch_members`.
    """
    archive = LocalZip(path)
    names = archive.members() if members is None else members
    return archive.fetch_members(names, out, progress, strip, verify, connections, f"extracting {path.name}")


def runs(
    members: Sequence[Member], gap: int = LARGEST_GAP, longest: int = LONGEST_RUN, waste: int = LEAST_WASTE
) -> Iterator[list[Member]]:
    """Groups of members, sorted by offset, to read with one request each.

    `gap`, `longest` and `waste` are in bytes. Where many gaps are small, as in an archive packed in random order, only
    the smallest are read, so that the bytes discarded stay below 4 % of the bytes requested (or below `waste`).
    """
    worth = _gaps_worth_reading(members, gap, waste)
    group: list[Member] = []
    for number, member in enumerate(members):
        if group and (number not in worth or member.end - group[0].info.header_offset > longest):
            yield group
            group = []
        group.append(member)
    if group:
        yield group


def _gaps_worth_reading(members: Sequence[Member], largest: int, waste: int) -> set[int]:
    """Numbers of the members whose gap to the previous one is read and discarded."""
    budget = max(waste, sum(member.end - member.info.header_offset for member in members) // 25)
    gaps = [after.info.header_offset - member.end for member, after in pairwise(members)]
    by_size = sorted((gap, number) for number, gap in enumerate(gaps, 1) if gap <= largest)
    spent = accumulate(gap for gap, _ in by_size)
    return {number for (_, number), total in zip(by_size, spent, strict=True) if total <= budget}


class _Places:
    """Target paths of members below a folder that none of them may leave."""

    def __init__(self, out: Path) -> None:
        self.out, self.root = out, out.resolve()
        self._safe: set[Path] = set()

    def of(self, archive: str, name: str, strip: str) -> Path:
        relative = PurePosixPath(name.removeprefix(strip))
        target = self.out / relative
        if not is_inside(str(relative)) or not self._is_inside(target.parent):
            raise InputError(f"{archive}: member '{name}' would leave the folder {self.out}; nothing was written")
        return target

    def _is_inside(self, folder: Path) -> bool:
        """Whether `folder` is inside, with links on disk followed, so that they cannot lead outside either."""
        if folder not in self._safe and folder.resolve().is_relative_to(self.root):
            self._safe.add(folder)
        return folder in self._safe


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a read-only stream."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        got, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(got)] = got
        return len(got)


class _Cursor:
    """Exact reads from a stream of pieces that starts at byte `offset` of the archive."""

    def __init__(self, pieces: Iterator[bytes], offset: int) -> None:
        self._pieces, self.offset, self._rest = pieces, offset, memoryview(b"")

    def some(self, most: int) -> memoryview:
        """Between 1 and `most` bytes; empty at the end of the stream."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return self._rest
            self._rest = memoryview(piece)
        got, self._rest = self._rest[:most], self._rest[most:]
        self.offset += len(got)
        return got

    def exactly(self, length: int) -> Iterator[memoryview]:
        while length > 0:
            got = self.some(length)
            if not got:
                raise EOFError
            length -= len(got)
            yield got

    def skip_to(self, offset: int) -> None:
        if offset < self.offset:
            raise ValueError("it overlaps another member")
        for _ in self.exactly(offset - self.offset):
            pass


def _is_there(member: Member, verify: bool) -> bool:
    try:
        if member.target.stat().st_size != member.info.file_size:
            return False
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not verify or _crc_of(member.target) == member.info.CRC


def _crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            crc = zlib.crc32(piece, crc)
    return crc


def _write(archive: str, member: Member, cursor: _Cursor, bar: Progress) -> None:
    """Decompress one member into a `.partial` file, check it, rename it to its target."""
    partial = member.target.with_name(member.target.name + ".partial")
    with writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                for piece in _checked(_where(archive, member.info), member.info, cursor):
                    file.write(piece)
                    bar.add(len(piece))
            partial.replace(member.target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _where(archive: str, info: zipfile.ZipInfo) -> str:
    return f"{archive}: member '{info.filename}'"


def _checked(where: str, info: zipfile.ZipInfo, cursor: _Cursor) -> Iterator[bytes | memoryview]:
    """Decompressed pieces of a member; raises `InputError` for the first byte too many, and at its end for the rest."""
    size, crc = 0, 0
    try:
        for piece in _content(info, cursor):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > info.file_size:
                raise ValueError(f"it has more than the {info.file_size} bytes listed in the directory")
            yield piece
    except EOFError:
        raise InputError(f"{where} is truncated: the archive ends inside it; fetch the archive again") from None
    except (zlib.error, ValueError) as error:
        raise InputError(f"{where} is damaged ({error}); fetch the archive again") from None
    if (size, crc) != (info.file_size, info.CRC):
        raise InputError(f"{where} is damaged (bad CRC-32 {crc:08x}, expected {info.CRC:08x}); fetch the archive again")


def _content(info: zipfile.ZipInfo, cursor: _Cursor) -> Iterator[bytes | memoryview]:
    """Decompressed pieces of the member whose local header is ahead of the cursor."""
    cursor.skip_to(info.header_offset)
    header = LOCAL_HEADER.unpack(b"".join(cursor.exactly(LOCAL_HEADER.size)))
    if header[0] != b"PK\x03\x04":
        raise ValueError("no local header at the offset listed in the directory")
    refuse_other_header(header, b"".join(cursor.exactly(header[9])), info)
    cursor.skip_to(cursor.offset + header[10])
    packed = cursor.exactly(info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in packed:
        # bounded output: a few packed bytes may decompress to any size
        while piece:
            yield inflate.decompress(piece, 1 << 20)
            piece = inflate.unconsumed_tail
    yield inflate.flush()
