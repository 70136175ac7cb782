"""Fetch of the released CLEVR: whole, or the first images of each split by byte range, or cut from a local copy."""

from __future__ import annotations

import io
import logging
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from nsmodels.core.disk import require_space, writing
from nsmodels.core.errors import InputError
from nsmodels.core.progress import Progress
from nsmodels.core.transfer.archive import Counts, LocalZip, RemoteZip, ZipReader
from nsmodels.core.transfer.download import Unreachable, download, probe
from nsmodels.datasets.clevr.config import ANNOTATIONS_URL, ARCHIVE_BYTES, ARCHIVE_SHA256, ARCHIVE_URL
from nsmodels.datasets.clevr.files.records import cut_records, read_info, read_records

log = logging.getLogger(__name__)
DOWNLOADS = ".download"  # below the folder being built, deleted when it is complete
PARTS = ("images/", "scenes/", "questions/")


@dataclass(frozen=True)
class Fetched:
    """Outcome of a fetch: requests and bytes over the network, files written, files skipped as already present."""

    requests: int = 0
    bytes: int = 0
    fetched: int = 0
    skipped: int = 0
    num_images: int = 0
    num_questions: int = 0
    sha256: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return dict(vars(self))


def inspect_archive(url: str | Sequence[str] = ARCHIVE_URL, size: int = ARCHIVE_BYTES) -> dict[str, Any]:
    """Properties of the archive on its server and, where it serves ranges, a summary of its directory; a few requests.

    A host that does not answer gives `{"reachable": False, "reason": …}`. Raises `InputError` when it has a different
    file.
    """
    record: dict[str, Any] = {"url": _mirrors(url)[0], "expected_bytes": size, "reachable": False}
    try:
        remote = _first_mirror(url, probe)
    except Unreachable as error:
        return {**record, "reason": str(error)}
    _check_size(remote.url, remote.size, size)
    record |= {"url": remote.url, "reachable": True, "bytes": remote.size, "etag": remote.etag}
    record["accepts_ranges"] = remote.accepts_ranges
    return {**record, **_summary(RemoteZip(remote.url))} if remote.accepts_ranges else record


def first_answering(url: str | Sequence[str]) -> str:
    """The first mirror that answers within seconds; raises `InputError` with the reason when none does."""
    return _first_mirror(url, lambda one: probe(one, attempts=1, timeout=5.0)).url


def fetch_full(
    out: Path,
    url: str | Sequence[str] = ARCHIVE_URL,
    size: int = ARCHIVE_BYTES,
    sha256: str = ARCHIVE_SHA256,
    progress: bool = True,
    attempts: int = 5,
) -> Fetched:
    """Download the whole archive and extract it to `out`: images/ scenes/ questions/ as released.

    A killed run is resumed where it stopped, in the download and in the extraction. `size` 0 and `sha256` "" mean
    unknown. Raises `Unreachable` when no host answers, `InputError` for a wrong or damaged archive and a full disk.
    """
    archive = out / DOWNLOADS / "archive.zip"
    if size and not archive.exists():
        partial = archive.with_name(f"{archive.name}.partial")
        have = partial.stat().st_size if partial.exists() else 0
        # PNG images do not compress: extracted, the archive takes at least its own size again
        require_space(out, 2 * size - have, "the archive and its content")
    got = download(_mirrors(url), archive, size or None, sha256 or None, progress, attempts)
    counts = unpack(archive, out, progress)
    shutil.rmtree(archive.parent)
    return _fetched(counts, got.requests, got.bytes, sha256=got.sha256, num_images=_num_images(out))


def unpack(archive: Path, out: Path, progress: bool = True) -> Counts:
    """Extract an archive on disk to `out`, without the folder that wraps the release; resumable by file.

    Raises `InputError` for a damaged archive and a full disk.
    """
    reader = LocalZip(archive)
    strip = _strip(reader)
    names = [name for name in reader.members() if name.removeprefix(strip).startswith(PARTS)]
    return reader.fetch_members(names, out, progress, strip, verify=True, connections=2, label="extracting CLEVR")


def fetch_mini(
    out: Path,
    num_train: int = 10_000,
    num_val: int = 1_000,
    url: str | Sequence[str] = ARCHIVE_URL,
    annotations_url: str | Sequence[str] = ANNOTATIONS_URL,
    size: int = ARCHIVE_BYTES,
    progress: bool = True,
    attempts: int = 5,
) -> Fetched:
    """Fetch the first images of train and val by byte range, with their scenes and all their questions, as released.

    The annotations are from the archive without images (89 MB). A killed run is resumed: images present with the right
    CRC-32 are not fetched again. Raises `Unreachable` when no host answers, `InputError` when the server does not serve
    ranges.
    """
    annotations = out / DOWNLOADS / "annotations.zip"
    reader = _first_mirror(url, lambda one: RemoteZip(one, attempts))
    _check_size(reader.url, reader.size, size)
    got = download(_mirrors(annotations_url), annotations, progress=progress, attempts=attempts)
    cut = _cut_annotations(annotations, out, {"train": num_train, "val": num_val})
    counts = _fetch_images(reader, cut.images, out, progress)
    shutil.rmtree(annotations.parent)
    used = reader.source.requests + got.requests, reader.source.bytes + got.bytes
    return _fetched(counts, *used, num_images=len(cut.images), num_questions=cut.num_questions, sha256=got.sha256)


def cut_mini(source: Path, out: Path, num_train: int = 10_000, num_val: int = 1_000, progress: bool = True) -> Fetched:
    """Same as `fetch_mini` from a local copy: `source` is a released tree (or the folder around it) or the archive.

    Raises `InputError` when the copy is incomplete or damaged.
    """
    cut = _cut_annotations(source, out, {"train": num_train, "val": num_val})
    if source.is_file():
        counts = _fetch_images(LocalZip(source), cut.images, out, progress)
    else:
        counts = _copy_images(_root(source), cut.images, out, progress)
    return _fetched(counts, 0, 0, num_images=len(cut.images), num_questions=cut.num_questions)


def license_of(source: Path) -> str:
    """Licence in the scene file of a released tree (or of the archive); empty when it has none."""
    name = "scenes/CLEVR_train_scenes.json"
    with _opened(source, name) as file:
        return str(read_info(file, "scenes", name).get("license", ""))


@dataclass(frozen=True)
class _Cut:
    images: list[str]
    num_questions: int


def _cut_annotations(source: Path, out: Path, sizes: dict[str, int]) -> _Cut:
    """Write scenes and questions of the first images of each split; returns the paths images/<split>/<name>."""
    images, num_questions = [], 0
    for split, num in sizes.items():
        scenes, questions = (f"{kind}/CLEVR_{split}_{kind}.json" for kind in ("scenes", "questions"))
        with _opened(source, scenes) as file:
            names = dict(_image(scene, scenes) for scene in read_records(file, "scenes", scenes))
        if len(names) < num:
            raise InputError(f"{source}: {scenes} has {len(names)} scenes, requested are {num}; request fewer")
        chosen = set(sorted(names)[:num])
        images += [f"images/{split}/{names[index]}" for index in sorted(chosen)]
        _cut_file(source, scenes, "scenes", out, chosen)
        num_questions += _cut_file(source, questions, "questions", out, chosen)
    return _Cut(images, num_questions)


def _image(record: dict[str, Any], where: str) -> tuple[int, str]:
    """Index and file name of the image of a scene or question."""
    index, name = record.get("image_index"), record.get("image_filename")
    if not isinstance(index, int) or not isinstance(name, str) or Path(name).name != name:
        raise InputError(f"{where}: a record without image_index and image_filename (a plain name); not CLEVR's format")
    return index, name


def _cut_file(source: Path, name: str, key: str, out: Path, chosen: set[int]) -> int:
    target = out / name
    partial = target.with_name(f"{target.name}.partial")
    with writing(partial):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _opened(source, name) as file, partial.open("w", encoding="utf-8") as copy:
            num_kept, _ = cut_records(file, copy, key, lambda record: _image(record, name)[0] in chosen, name)
        partial.replace(target)
    return num_kept


@contextmanager
def _opened(source: Path, name: str) -> Iterator[TextIO]:
    """An annotation file as text, from a tree on disk or from inside a zip."""
    log.info("%s: reading %s", source, name)
    try:
        if source.is_file():
            with _unzipped(source, name) as text:
                yield text
        else:
            with _require_file(_root(source) / name).open(encoding="utf-8") as file:
                yield file
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: {name} is not UTF-8 text ({error.reason}); fetch it again") from None


def _require_file(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: missing; give a folder with images/ scenes/ questions/ of CLEVR")
    return path


@contextmanager
def _unzipped(source: Path, name: str) -> Iterator[TextIO]:
    try:
        with zipfile.ZipFile(source) as archive, archive.open(_member(archive, name)) as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8")
            yield text
            text.read()  # the CRC-32 is checked at the end of the member
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{source}: '{name}' in it is damaged ({error}); remove the file and run again") from None


def _member(archive: zipfile.ZipFile, name: str) -> str:
    """Name of the member `name` with the folder that wraps the release, if any."""
    for member in archive.namelist():
        if f"/{member}".endswith(f"/{name}"):
            return member
    raise InputError(f"{archive.filename}: no member '{name}'; expected an archive of CLEVR v1.0")


def _fetch_images(reader: ZipReader, images: list[str], out: Path, progress: bool) -> Counts:
    strip = _strip(reader)
    return reader.fetch_members([strip + name for name in images], out, progress, strip, verify=True, label="images")


def _copy_images(root: Path, images: list[str], out: Path, progress: bool) -> Counts:
    """Copy the missing images; each appears whole or not at all."""
    missing = [name for name in images if not _is_same_size(root / name, out / name)]
    size = sum((root / name).stat().st_size for name in missing)
    require_space(out, size, f"{len(missing)} images")
    with Progress("images", size, 0, progress) as bar:
        for name in missing:
            partial = out / f"{name}.partial"
            with writing(partial):
                partial.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, partial)
                partial.replace(out / name)
            bar.add((out / name).stat().st_size)
    return Counts(0, 0, len(missing), len(images) - len(missing))


def _is_same_size(source: Path, target: Path) -> bool:
    if not source.is_file():
        raise InputError(f"{source}: missing, though the scenes name it; complete the folder or request fewer images")
    return target.is_file() and target.stat().st_size == source.stat().st_size


def _root(source: Path) -> Path:
    """The folder that contains scenes/, which may be one level down in CLEVR_v1.0/."""
    for folder in (source, source / "CLEVR_v1.0"):
        if (folder / "scenes").is_dir():
            return folder
    raise InputError(f"{source}: neither a zip nor a folder with images/ scenes/ questions/; give one of the two")


def _strip(reader: ZipReader) -> str:
    """The folder that wraps the release inside the archive, with its slash: CLEVR_v1.0/ or empty."""
    for name in reader.members():
        front, mark, _ = f"/{name}".rpartition("/scenes/CLEVR_")
        if mark:
            return f"{front}/"[1:]
    raise InputError(f"{reader.source.name}: no member scenes/CLEVR_*; expected an archive of CLEVR v1.0")


def _summary(reader: RemoteZip) -> dict[str, Any]:
    members = reader.members()
    strip = _strip(reader)
    released = [name.removeprefix(strip) for name in members]
    folders = Counter(name.rpartition("/")[0] for name in released if name.startswith(PARTS))
    return {
        "num_members": len(members),
        "unpacked_bytes": sum(info.file_size for info in members.values()),
        "files": dict(sorted(folders.items())),
        "requests": reader.source.requests + 1,
        "bytes_read": reader.source.bytes,
    }


def _check_size(url: str, found: int | None, expected: int) -> None:
    if expected and found not in (None, expected):
        raise InputError(
            f"{url}: the server's file has {found} bytes, expected {expected}; correct the URL, or the expected size "
            "if this is a different archive (0: unknown)"
        )


def _mirrors(url: str | Sequence[str]) -> list[str]:
    return [url] if isinstance(url, str) else list(url)


def _first_mirror(url: str | Sequence[str], open_one: Any) -> Any:
    """`open_one` of the first mirror that can be opened; else raises the first failure but `Unreachable`, if any."""
    failures: list[InputError] = []
    for mirror in _mirrors(url):
        try:
            return open_one(mirror)
        except InputError as error:
            failures.append(error)
    raise min(failures, key=lambda error: isinstance(error, Unreachable))


def _num_images(out: Path) -> int:
    return sum(1 for _ in (out / "images").glob("*/*.png"))


def _fetched(counts: Counts, requests: int, num_bytes: int, **more: Any) -> Fetched:
    return Fetched(requests, num_bytes, counts.fetched, counts.skipped, **more)
