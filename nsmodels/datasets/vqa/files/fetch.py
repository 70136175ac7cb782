"""Fetch of VQA v2: whole, or some images of each split by byte range, or cut from a local copy."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nsmodels.core.disk import require_space
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import Counts, LocalZip, RemoteZip, ZipReader
from nsmodels.core.transfer.copying import copy_missing
from nsmodels.core.transfer.directory import Limits
from nsmodels.core.transfer.download import Unreachable, download, probe
from nsmodels.datasets.vqa.files.choice import by_image, window, with_partners
from nsmodels.datasets.vqa.files.cutting import ANNOTATION_LIMITS, Cut, Sources, cut_split, images_of, member_of
from nsmodels.datasets.vqa.files.names import (
    SPLITS,
    annotations_name,
    image_name,
    instances_name,
    questions_name,
    subtype,
)
from nsmodels.datasets.vqa.files.release import INSTANCES_ZIP, Archive, Release

log = logging.getLogger(__name__)
DOWNLOADS = ".download"  # below the folder being built, deleted when it is complete
IMAGE_LIMITS = Limits(member=1 << 26)
LACKING = "though questions are about it; complete the folder or request fewer images"


@dataclass
class Fetched:
    """Outcome of a fetch.

    Attributes:
        requests, bytes: over the network.
        fetched, skipped: images written, and present already.
        sha256: checksum of each archive that was downloaded as a whole.
        images: number of images by split.
        cuts: what was cut of each split.
    """

    requests: int = 0
    bytes: int = 0
    fetched: int = 0
    skipped: int = 0
    sha256: dict[str, str] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    cuts: dict[str, Cut] = field(default_factory=dict)

    def count(self, counts: Counts) -> None:
        """Add the images of one split."""
        self.fetched, self.skipped = self.fetched + counts.fetched, self.skipped + counts.skipped

    def as_dict(self) -> dict[str, Any]:
        """The figures by name."""
        found = {name: getattr(self, name) for name in ("requests", "bytes", "fetched", "skipped", "sha256")}
        found |= {f"num_images_{split}": num for split, num in self.images.items()}
        for split, cut in self.cuts.items():
            found |= {f"num_questions_{split}": len(cut.questions.by_id), f"num_pairs_{split}": cut.num_pairs}
        return found


def inspect_archives(release: Release) -> dict[str, Any]:
    """Properties of the archives on their servers: size, ETag, number of members; nothing is downloaded.

    A host that does not answer gives `"reachable": False` with the reason. Raises `InputError` when one has a different
    file than the release.
    """
    record: dict[str, Any] = {"reachable": True, "requests": 0, "bytes_read": 0, "archives": {}}
    for archive in release.all():
        try:
            found = _inspect(archive)
        except Unreachable as error:
            return {**record, "reachable": False, "reason": str(error)}
        for name in ("requests", "bytes_read"):
            record[name] += found.pop(name)
        record["archives"][archive.name] = found
    return record


def require_answer(release: Release) -> str:
    """The hosts' first archives answer within seconds; returns an address. Raises `InputError` with the reason."""
    for archive in (release.images("train"), release.annotations("train")[questions_name("train")]):
        probe(archive.url, attempts=1, timeout=5.0)
    return release.images("train").url


def fetch_mini(
    out: Path,
    sizes: Mapping[str, int],
    release: Release,
    pairs: bool = False,
    progress: bool = True,
    attempts: int = 5,
) -> Fetched:
    """Fetch some images of each split by byte range, with all their questions, annotations, pairs and named boxes.

    The images lie together in the archive (`pairs`: with the images that their questions are paired with). A killed run
    is resumed: images present with the right CRC-32 are not fetched again. Raises `Unreachable` when a host does not
    answer, `InputError` when a server does not serve ranges, and for wrong or damaged archives and records.
    """
    done, place = Fetched(), out / DOWNLOADS
    readers = {split: _open(release.images(split), attempts) for split in sizes}
    boxes = _open(release.instances(), attempts)
    for split, num in sizes.items():
        sources = _download_annotations(release, split, place, done, progress, attempts)
        _fetch_boxes(boxes, split, place, progress)
        members = by_image(readers[split].members())
        chosen = _chosen(sources, members, num, pairs, readers[split].source.name)
        done.cuts[split], done.images[split] = cut_split(sources, out, chosen), len(chosen)
        names = [members[image].filename for image in chosen]
        done.count(_fetch_images(readers[split], split, names, out, progress))
    for reader in (*readers.values(), boxes):
        done.requests, done.bytes = done.requests + reader.source.requests, done.bytes + reader.source.bytes
    shutil.rmtree(place)
    return done


def fetch_full(out: Path, release: Release, progress: bool = True, attempts: int = 5) -> Fetched:
    """Download all archives and extract them to `out`; a killed run is resumed. Raises as `fetch_mini`."""
    done, place = Fetched(), out / DOWNLOADS
    _require_room(release, place, out)
    for split in SPLITS:
        archive = release.images(split)
        sources = _download_annotations(release, split, place, done, progress, attempts)
        _download(release.instances(), place, done, progress, attempts)
        _download(archive, place, done, progress, attempts)
        images = images_of(sources)
        done.cuts[split], done.images[split] = cut_split(sources, out, images), len(images)
        done.count(_extract_images(place / archive.name, split, images, out, progress))
    shutil.rmtree(place)
    return done


def cut_local(source: Path, out: Path, sizes: Mapping[str, int], pairs: bool = False, progress: bool = True) -> Fetched:
    """The first images of each split of a local copy: a folder in the layout of the release, unpacked or in its zips.

    Raises `InputError` when the copy is incomplete or damaged.
    """
    done = Fetched()
    _require_release(source, sizes)
    for split, num in sizes.items():
        sources = Sources(source, split)
        known, path = images_of(sources), source / f"{subtype(split)}.zip"
        is_packed = path.is_file() and not (source / subtype(split)).is_dir()
        if is_packed:
            chosen = _chosen(sources, by_image(LocalZip(path).members()), num, pairs, str(path))
        else:
            chosen = _first(sources, known, num, pairs)
        done.cuts[split], done.images[split] = cut_split(sources, out, chosen), len(chosen)
        if is_packed:
            done.count(_extract_images(path, split, chosen, out, progress))
        else:
            names = [image_name(split, image) for image in chosen]
            done.count(copy_missing(source, names, out, progress, "images", LACKING))
    return done


def _first(sources: Sources, known: Sequence[int], num: int, pairs: bool) -> list[int]:
    if pairs:
        return with_partners(known, known, sources.pairs(), num)
    if len(known) < num:
        shown = sources.shown(questions_name(sources.split))
        raise InputError(f"{shown} has questions about {len(known):,} images, requested are {num:,}; request fewer")
    return list(known[:num])


def _chosen(sources: Sources, members: Mapping[int, Any], num: int, pairs: bool, where: str) -> list[int]:
    known = images_of(sources)
    if not pairs:
        return window(members, known, num, where)
    present = [image for image in known if image in members]
    ordered = sorted(present, key=lambda image: members[image].header_offset)
    return with_partners(ordered, present, sources.pairs(), num)


def _require_release(source: Path, sizes: Mapping[str, int]) -> None:
    """Raise `InputError` unless a folder has the questions and annotations of the splits."""
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; expected one in the layout of VQA v2, or with its zips")
    for split in sizes:
        for name in (questions_name(split), annotations_name(split)):
            if not Sources(source, split).has(name):
                kind = ": it has sceneGraphs/ and questions/, as GQA" if (source / "questions").is_dir() else ""
                raise InputError(f"{source / name}: missing{kind}; give a folder of VQA v2, or one with its zips")


def _open(archive: Archive, attempts: int) -> RemoteZip:
    reader = RemoteZip(archive.url, attempts)
    _check_size(archive, reader.size)
    return reader


def _inspect(archive: Archive) -> dict[str, Any]:
    remote = probe(archive.url)
    _check_size(archive, remote.size)
    found: dict[str, Any] = {"url": archive.url, "bytes": remote.size, "etag": remote.etag}
    found |= {"accepts_ranges": remote.accepts_ranges, "requests": 1, "bytes_read": 0}
    if remote.accepts_ranges:
        reader = RemoteZip(archive.url)
        found |= {"num_members": len(reader.members()), "requests": 1 + reader.source.requests}
        found |= {"bytes_read": reader.source.bytes}
    return found


def _check_size(archive: Archive, found: int | None) -> None:
    if archive.bytes and found not in (None, archive.bytes):
        raise InputError(
            f"{archive.url}: the server's file has {found} bytes, expected {archive.bytes}; correct the URL, or set "
            "verify_release=false if this is a different archive"
        )


def _download(archive: Archive, place: Path, done: Fetched, progress: bool, attempts: int) -> None:
    got = download(archive.url, place / archive.name, archive.bytes, archive.sha256, progress, attempts)
    done.requests, done.bytes = done.requests + got.requests, done.bytes + got.bytes
    done.sha256[archive.name] = got.sha256


def _download_annotations(
    release: Release, split: str, place: Path, done: Fetched, progress: bool, attempts: int
) -> Sources:
    """The archives of questions, annotations and pairs of a split in `place`."""
    archives = release.annotations(split).values()
    for archive in archives:
        _download(archive, place, done, progress, attempts)
    return Sources(place, split, {archive.name: archive.url for archive in archives})


def _fetch_boxes(reader: RemoteZip, split: str, place: Path, progress: bool) -> None:
    """One member of a large archive."""
    member = member_of(reader, instances_name(split))
    front = member.removesuffix(instances_name(split))
    limits = ANNOTATION_LIMITS
    reader.fetch_members([member], place, progress, front, verify=True, label=INSTANCES_ZIP, limits=limits)


def _fetch_images(reader: ZipReader, split: str, names: Sequence[str], out: Path, progress: bool) -> Counts:
    """Fetch members to where the release has them, whatever folder wraps them in the archive."""
    front = names[0].removesuffix(f"{subtype(split)}/{names[0].rpartition('/')[2]}")
    label = f"images of {split}"
    return reader.fetch_members(names, out, progress, front, verify=True, label=label, limits=IMAGE_LIMITS)


def _extract_images(path: Path, split: str, images: Sequence[int], out: Path, progress: bool) -> Counts:
    reader = LocalZip(path)
    members = by_image(reader.members())
    if missing := [image for image in images if image not in members]:
        raise InputError(
            f"{path}: no member of image {missing[0]} and {len(missing) - 1:,} others, though questions are about "
            "them; fetch the archive again"
        )
    return _fetch_images(reader, split, [members[image].filename for image in images], out, progress)


def _require_room(release: Release, place: Path, out: Path) -> None:
    """JPEG images do not compress: extracted, the archives take their own size again."""
    archives = [release.images(split) for split in SPLITS]
    paths = [place / f"{archive.name}{end}" for archive in archives for end in ("", ".partial")]
    have = sum(path.stat().st_size for path in paths if path.exists())
    size = sum(archive.bytes or 0 for archive in archives)
    if size:
        require_space(out, 2 * size - have, "the archives and their content")
