"""The directory of a zip archive: read, and refused where members collide, overlap or unpack to absurd sizes."""

from __future__ import annotations

import os.path
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable
from nsmodels.core.transfer.source import SeekableSource, Source

LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
LONGEST_EXTRA = 1 << 16
ENCRYPTED, HAS_DESCRIPTOR, IS_UTF8 = 0x1, 0x8, 0x800  # bits of a member's flags
UNKNOWN_SIZE = 0xFFFFFFFF  # of a local header: the size is in its zip64 field

Directory = dict[str, zipfile.ZipInfo]


@dataclass(frozen=True)
class Limits:
    """Largest unpacked sizes in bytes, of one member and of all that are fetched together.

    `ratio`: most unpacked bytes per packed byte, for what unpacks to more than `free` bytes. Texts and images stay
    below 30; a deflated run of one byte has about 1,000.
    """

    member: int = 1 << 36
    total: int = 1 << 42
    ratio: int = 200
    free: int = 1 << 26


LIMITS = Limits()


def read_directory(source: Source) -> Directory:
    """Members by name, read by the standard library through a seekable view of the source.

    Raises `InputError` for anything but a zip, and when two members would be the same file, share bytes, or have names
    with control characters.
    """
    try:
        with zipfile.ZipFile(SeekableSource(source)) as archive:  # pyright: ignore[reportArgumentType]
            infos = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _not_a_zip(source, error) from None
    _refuse_collisions(source.name, infos)
    _refuse_overlaps(source.name, infos)
    return {info.filename: info for info in infos}


def ends(infos: Iterable[zipfile.ZipInfo], size: int) -> dict[int, int]:
    """Upper bound of each member's end, by header offset; both in bytes."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    following = [info.header_offset for info in ordered[1:]] + [size]
    found = {}
    for info, after in zip(ordered, following, strict=True):
        # the local header may have a longer extra field than the directory lists, up to the largest 16-bit length
        longest = LOCAL_HEADER.size + len(info.orig_filename.encode()) + LONGEST_EXTRA + info.compress_size
        found[info.header_offset] = min(after, info.header_offset + longest)
    return found


def refuse_member(archive: str, info: zipfile.ZipInfo, limits: Limits = LIMITS) -> None:
    """Raise `InputError` for a member that is no plain file, cannot be decompressed, or unpacks to too many bytes."""
    where = f"{archive}: member '{info.filename}'"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise InputError(f"{where} is a symbolic link, which is refused; nothing was written")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"{where} is a device or a pipe, which is refused; nothing was written")
    if info.flag_bits & ENCRYPTED:
        raise InputError(f"{where} is encrypted; use an archive without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{where} uses compression method {info.compress_type}; only stored and deflate are read")
    _refuse_size(where, info.file_size, info.compress_size, limits.member, limits)


def refuse_total(archive: str, infos: Iterable[zipfile.ZipInfo], limits: Limits = LIMITS) -> None:
    """Raise `InputError` when the members together unpack to too many bytes."""
    sizes = [(info.file_size, info.compress_size) for info in infos]
    unpacked, packed = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    _refuse_size(f"{archive}: what is wanted of it", unpacked, packed, limits.total, limits)


def refuse_other_header(header: tuple, name: bytes, info: zipfile.ZipInfo) -> None:
    """Raise `ValueError` when the local header before a member's bytes describes a different member."""
    _, _, flags, method, _, _, crc, packed, size, _, _ = header
    encoding = "utf-8" if info.flag_bits & IS_UTF8 else "cp437"
    if name != info.orig_filename.encode(encoding, "replace"):
        raise ValueError(f"its own header names it {name[:80]!r}")
    if method != info.compress_type or (flags ^ info.flag_bits) & ENCRYPTED:
        raise ValueError("its own header has a different compression or encryption than the directory")
    listed = [(crc, info.CRC), (packed, info.compress_size), (size, info.file_size)]
    if not flags & HAS_DESCRIPTOR and any(own not in (there, UNKNOWN_SIZE) for own, there in listed):
        raise ValueError("its own header has a different size or checksum than the directory")


def _refuse_size(where: str, unpacked: int, packed: int, most: int, limits: Limits) -> None:
    if unpacked > most:
        raise InputError(f"{where} unpacks to {readable(unpacked)}, expected at most {readable(most)}; {_UNPACK}")
    if unpacked > max(limits.free, limits.ratio * packed):
        raise InputError(
            f"{where} unpacks from {readable(packed)} to {readable(unpacked)}, which no data of this kind do; {_UNPACK}"
        )


_UNPACK = "nothing was written; check where the archive comes from"


def _not_a_zip(source: Source, error: Exception) -> InputError:
    head = source.read(0, 4)
    if head == b"PK\x03\x04":
        return InputError(
            f"{source.name}: truncated or damaged zip: it starts as one, but its directory at the end is missing "
            f"({' '.join(str(error).split())}); fetch it again and give the whole file"
        )
    return InputError(f"{source.name}: not a zip archive (it starts with {head!r}); check the file or URL")


def _refuse_collisions(archive: str, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse two members that would be one file, here or where file names do not distinguish case."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for info in infos:
        name = info.filename
        if not name.isprintable():
            raise InputError(f"{archive}: the member name {name!r} has control characters, which are refused")
        if not is_inside(name):
            raise InputError(
                f"{archive}: member '{name}' would leave the folder that it is unpacked to; nothing was written, check "
                "where the archive comes from"
            )
        place = _place(name)
        if not info.is_dir() and files.setdefault(place, name) is not name:
            raise InputError(
                f"{archive}: has the member '{name}' twice"
                + ("" if files[place] == name else f" (also as '{files[place]}')")
                + ", and one would hide the other; make an archive with one of them"
            )
        parent = place.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = name
            parent = parent.rpartition("/")[0]
    for place in files.keys() & folders.keys():
        raise InputError(f"{archive}: the member '{files[place]}' is a file and the folder of '{folders[place]}'")


def is_inside(name: str) -> bool:
    """Whether a member stays inside of the folder that it is unpacked to, on every operating system."""
    path = PurePosixPath(name)
    is_plain = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return is_plain and "\\" not in name and ":" not in path.parts[0]


def _place(name: str) -> str:
    """Where a member goes, the same for all spellings: without `.` and `..`, in one case and Unicode form."""
    return os.path.normpath(unicodedata.normalize("NFC", name).casefold()).lstrip("/")


def _refuse_overlaps(archive: str, infos: list[zipfile.ZipInfo]) -> None:
    """Members that share packed bytes are how a small archive unpacks to any size."""
    ordered = sorted((info for info in infos if info.compress_size), key=lambda info: info.header_offset)
    for info, after in pairwise(ordered):
        least = info.header_offset + LOCAL_HEADER.size + info.compress_size
        if least > after.header_offset:
            raise InputError(
                f"{archive}: the members '{info.filename}' and '{after.filename}' share bytes, which is refused; "
                "fetch the archive again"
            )
