"""Where CLEVR data come from, by what was verified: host, size, checksum and counts, never by a file's own words alone.

The release is recognised by the SHA-256 of its archive, or, where only a part is fetched, by its host, its size and the
numbers of its images, scenes and questions. Our own images carry a note of the renderer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import licences
from nsmodels.datasets.clevr.config import (
    ARCHIVE_BYTES,
    ARCHIVE_SHA256,
    ARCHIVE_URL,
    RELEASED_TRAIN,
    RELEASED_VAL,
)

RELEASE = "CLEVR v1.0"
SYNTHETIC = "synthetic CLEVR"
RELEASED_LICENCE = licences.CC_BY
RELEASED_IMAGES = {"train": RELEASED_TRAIN, "val": RELEASED_VAL}
RELEASED_QUESTIONS = {"train": 699_989, "val": 149_991}
HOST = urlsplit(ARCHIVE_URL).hostname
RENDERED = b"Source\0nsmodels caster "  # note in the head of each image that was rendered here
MARK = b'"license": "synthetic, made by nsmodels"'  # in the head of our annotations
HEAD = 512  # bytes


@dataclass(frozen=True)
class Evidence:
    """What is known of fetched data.

    Attributes:
        urls: addresses that they were read from; empty for files on disk.
        size, sha256: of the archive; 0 and empty when unknown.
        archived: images in the archive, by split; empty when there was none.
        scenes, questions: records in the annotation files, by split.
        num_images: images taken.
        is_synthetic: whether images or annotations are marked as rendered here.
    """

    urls: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""
    archived: Mapping[str, int] = field(default_factory=dict)
    scenes: Mapping[str, int] = field(default_factory=dict)
    questions: Mapping[str, int] = field(default_factory=dict)
    num_images: int = 0
    is_synthetic: bool = False

    @property
    def doubts(self) -> list[str]:
        """What keeps the data from being the release; empty when they are."""
        if self.sha256 == ARCHIVE_SHA256:
            return []
        found = [] if self.urls else ["local files"]
        found += [f"host {host}" for host in dict.fromkeys(_host(url) for url in self.urls if not _is_official(url))]
        if self.urls and self.size != ARCHIVE_BYTES:
            found.append(f"{self.size:,} bytes instead of {ARCHIVE_BYTES:,}" if self.size else "size unknown")
        counts = (("images", self.archived, RELEASED_IMAGES), ("scenes", self.scenes, RELEASED_IMAGES))
        for name, counted, released in (*counts, ("questions", self.questions, RELEASED_QUESTIONS)):
            if dict(counted) != released and (counted or self.urls):
                found.append(f"{sum(counted.values()):,} of {sum(released.values()):,} {name}")
        return [*found, "checksum differs" if self.sha256 else "no checksum"] if found else []


def caption(evidence: Evidence) -> str:
    """The source of the data, as in manifest and figures."""
    if evidence.is_synthetic:
        hosts = ", ".join(dict.fromkeys(map(_host, evidence.urls)))
        return f"{SYNTHETIC} ({f'archive of {hosts}' if hosts else 'local folder'})"
    doubts = evidence.doubts
    if not doubts:
        return part_of(RELEASE, evidence.num_images)
    if not evidence.urls:
        return f"local data, not verified as {RELEASE}"
    shown = [doubt for doubt in doubts if not doubt.endswith(("scenes", "questions", f"{ARCHIVE_BYTES:,}"))]
    return f"not verified as {RELEASE}: {', '.join(shown or doubts)}"


def caption_of_archive(record: Mapping[str, Any]) -> str:
    """The source of a description of an archive (`fetch.inspect_archive`), by host, size and number of images."""
    files = record.get("files") or {}
    archived = {split: files.get(f"images/{split}", 0) for split in RELEASED_IMAGES} if files else RELEASED_IMAGES
    evidence = Evidence((record["url"],), record.get("bytes") or 0, "", archived, RELEASED_IMAGES, RELEASED_QUESTIONS)
    return caption(replace(evidence, num_images=sum(RELEASED_IMAGES.values())))


def part_of(source: str, num_images: int) -> str:
    """Source of data that were cut out of others: of a part of the release, with its size."""
    whole = sum(RELEASED_IMAGES.values())
    return f"{source}, {num_images:,} of {whole:,} images" if source == RELEASE and num_images != whole else source


def is_rendered(paths: Iterable[Path]) -> bool:
    """Whether any of the image files was rendered here."""
    return any(RENDERED in _head(path) for path in paths)


def require_own(folder: Path, split: str) -> None:
    """Raise `InputError` where rendering a split into `folder` would replace files that were not rendered here."""
    if (folder / MANIFEST).exists():
        raise InputError(f"{folder}: is a sealed artifact, which would be changed; give a different folder")
    paths = [*(folder / "images" / split).glob("*"), *(folder / "scenes").glob(f"CLEVR_{split}_scenes.json")]
    for path in [*paths, *(folder / "questions").glob(f"CLEVR_{split}_questions.json")]:
        if path.is_file() and not (is_rendered([path]) if path.suffix == ".png" else MARK in _head(path)):
            raise InputError(f"{path}: was not rendered here and would be lost; give a different folder")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _is_official(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname == HOST


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url


def licence(source: str) -> str:
    """Licence of data with this caption; of those that are not verified to be the release it is not known."""
    if source.startswith(SYNTHETIC):
        return licences.GENERATED
    return RELEASED_LICENCE if source.startswith(RELEASE) else licences.OWNERS
