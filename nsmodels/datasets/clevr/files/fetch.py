"""Fetch of the released CLEVR: whole, or the first images of each split by byte range, or cut from a local copy."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nsmodels.core.disk import require_space, sha256_of
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import Counts, LocalZip, RemoteZip, ZipReader
from nsmodels.core.transfer.copying import copy_missing
from nsmodels.core.transfer.directory import Limits, refuse_member
from nsmodels.core.transfer.download import Unreachable, download, probe
from nsmodels.datasets.clevr.config import ANNOTATIONS_URL, ARCHIVE_BYTES, ARCHIVE_SHA256, ARCHIVE_URL
from nsmodels.datasets.clevr.files.cutting import (
    ANNOTATION_LIMITS,
    Cut,
    check_annotations,
    cut_annotations,
    root_of,
    strip_of,
)
from nsmodels.datasets.clevr.files.provenance import Evidence, is_rendered
from nsmodels.datasets.clevr.files.split import SplitCheck

log = logging.getLogger(__name__)
DOWNLOADS = ".download"  # below the folder being built, deleted when it is complete
PARTS = ("images/", "scenes/", "questions/")
SPLITS = ("train", "val")  # of the release, those with scenes and answers
IMAGE_LIMITS = Limits(member=1 << 26)
UNNAMED = "though the scenes name it; complete the folder or request fewer images"


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
    evidence: Evidence = field(default_factory=Evidence)
    checks: dict[str, SplitCheck] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return {name: value for name, value in vars(self).items() if name not in ("evidence", "checks")}


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
    kind: type[SplitCheck] | None = None,
) -> Fetched:
    """Download the whole archive and extract it to `out`: images/ scenes/ questions/ as released.

    A killed run is resumed where it stopped, in the download and in the extraction. `size` 0 and `sha256` "" mean
    unknown. The records of an archive that is not the release are checked by `kind` before it is extracted. Raises
    `Unreachable` when no host answers, `InputError` for a wrong or damaged archive, records that `kind` refuses and a
    full disk.
    """
    archive = out / DOWNLOADS / "archive.zip"
    if size and not archive.exists():
        partial = archive.with_name(f"{archive.name}.partial")
        have = partial.stat().st_size if partial.exists() else 0
        # PNG images do not compress: extracted, the archive takes at least its own size again
        require_space(out, 2 * size - have, "the archive and its content")
    got = download(_mirrors(url), archive, size or None, sha256 or None, progress, attempts)
    evidence = Evidence((got.url,), got.size, got.sha256, images_by_split(LocalZip(archive)))
    cut = Cut()
    if kind and evidence.doubts:
        cut = check_annotations(archive, SPLITS, kind, got.url)
    counts = unpack(archive, out, progress)
    shutil.rmtree(archive.parent)
    evidence = replace(evidence, scenes=cut.scenes, questions=cut.questions, num_images=_num_images(out))
    more = {"sha256": got.sha256, "num_images": evidence.num_images, "checks": cut.checks}
    return _fetched(counts, got.requests, got.bytes, evidence=_marked(evidence, cut, out), **more)


def unpack(archive: Path, out: Path, progress: bool = True) -> Counts:
    """Extract an archive on disk to `out`, without the folder that wraps the release; resumable by file.

    Raises `InputError` for a damaged archive and a full disk.
    """
    reader = LocalZip(archive)
    strip = strip_of(reader)
    names = [name for name in reader.members() if name.removeprefix(strip).startswith(PARTS)]
    for name in names:
        if name.removeprefix(strip).startswith(PARTS[0]):
            refuse_member(reader.source.name, reader.members()[name], IMAGE_LIMITS)
    return reader.fetch_members(
        names, out, progress, strip, verify=True, connections=2, label="extracting CLEVR", limits=ANNOTATION_LIMITS
    )


def fetch_mini(
    out: Path,
    sizes: Mapping[str, int],
    url: str | Sequence[str] = ARCHIVE_URL,
    annotations_url: str | Sequence[str] = ANNOTATIONS_URL,
    size: int = ARCHIVE_BYTES,
    progress: bool = True,
    attempts: int = 5,
    kind: type[SplitCheck] | None = None,
) -> Fetched:
    """Fetch the first images of each split by byte range, with their scenes and all their questions, as released.

    `sizes`: number of images by split. The annotations are from the archive without images (89 MB) and checked by
    `kind`. A killed run is resumed: images present with the right CRC-32 are not fetched again. Raises `Unreachable`
    when no host answers, `InputError` when the server does not serve ranges or `kind` refuses a record.
    """
    annotations = out / DOWNLOADS / "annotations.zip"
    reader = _first_mirror(url, lambda one: RemoteZip(one, attempts))
    _check_size(reader.url, reader.size, size)
    got = download(_mirrors(annotations_url), annotations, progress=progress, attempts=attempts)
    cut = cut_annotations(annotations, out, sizes, kind, got.url)
    evidence = Evidence(
        (reader.url, got.url), reader.size, "", images_by_split(reader), cut.scenes, cut.questions, len(cut.images)
    )
    if evidence.doubts:
        cut.require_answers()
    counts = _fetch_images(reader, cut.images, out, progress)
    shutil.rmtree(annotations.parent)
    used = reader.source.requests + got.requests, reader.source.bytes + got.bytes
    more = {"num_images": len(cut.images), "num_questions": cut.num_questions, "checks": cut.checks}
    return _fetched(counts, *used, sha256=got.sha256, evidence=_marked(evidence, cut, out), **more)


def cut_mini(
    source: Path, out: Path, sizes: Mapping[str, int], progress: bool = True, kind: type[SplitCheck] | None = None
) -> Fetched:
    """Same as `fetch_mini` from a local copy: `source` is a released tree (or the folder around it) or the archive.

    Raises `InputError` when the copy is incomplete or damaged, or `kind` refuses a record.
    """
    cut = cut_annotations(source, out, sizes, kind)
    cut.require_answers()
    if source.is_file():
        counts = _fetch_images(LocalZip(source), cut.images, out, progress)
    else:
        counts = copy_missing(root_of(source), cut.images, out, progress, "images", UNNAMED)
    sha256 = sha256_of(source) if source.is_file() else ""
    evidence = Evidence((), 0, sha256, {}, cut.scenes, cut.questions, len(cut.images))
    more = {"num_images": len(cut.images), "num_questions": cut.num_questions, "checks": cut.checks}
    return _fetched(counts, 0, 0, evidence=_marked(evidence, cut, out), **more)


def images_by_split(reader: ZipReader) -> dict[str, int]:
    """Number of images in an archive, by split; the released test split, which has no scenes, is left out."""
    strip = strip_of(reader)
    parts = (name.removeprefix(strip).split("/") for name in reader.members() if name.endswith(".png"))
    return dict(Counter(part[1] for part in parts if len(part) == 3 and part[0] == "images" and part[1] != "test"))


def _marked(evidence: Evidence, cut: Cut, out: Path) -> Evidence:
    """The evidence with what marks the data as rendered here; not looked for in the release."""
    if not evidence.doubts:
        return evidence
    return replace(evidence, is_synthetic=cut.is_marked or is_rendered(sorted((out / "images").glob("*/*.png"))))


def _fetch_images(reader: ZipReader, images: list[str], out: Path, progress: bool) -> Counts:
    strip = strip_of(reader)
    names = [strip + name for name in images]
    return reader.fetch_members(names, out, progress, strip, verify=True, label="images", limits=IMAGE_LIMITS)


def _summary(reader: RemoteZip) -> dict[str, Any]:
    members = reader.members()
    strip = strip_of(reader)
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
