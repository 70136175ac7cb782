"""CLEVR as a sealed folder: fetched, cut from a local copy, or rendered; the manifest always names the true source."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.hardware import Estimate
from nsmodels.datasets.clevr import config as settings
from nsmodels.datasets.clevr.config import ARCHIVE_SHA256, RENDERER_VERSION, ClevrConfig
from nsmodels.datasets.clevr.files import fetch, provenance
from nsmodels.datasets.clevr.files.cutting import root_of
from nsmodels.datasets.clevr.files.format import splits
from nsmodels.datasets.clevr.files.provenance import RELEASE
from nsmodels.datasets.clevr.validation import VALIDATED, ContentCheck, is_validated, require_images
from nsmodels.formats.images.preparing import ImageDataset

log = logging.getLogger(__name__)

# The fields that decide the content, by source; the others cannot change it.
_SIZE = ("source", "num_train", "num_val")
# What decides where an archive is read from, where its checksum does not.
_PLACES = ("archive_url", "annotations_url", "archive_mirrors", "archive_bytes")
_SPLITS = ("train_split", "val_split", "more_splits")
_FIELDS = {
    "archive": (*_SIZE, "archive_sha256"),
    "local": (*_SIZE, "local_path"),
    "synthetic": (*_SIZE, "questions_per_image", "image_width", "image_height", "seed"),
}


def estimate(config: ClevrConfig, num_images: int | None = None) -> Estimate | None:
    """What it takes to render the images and ask questions, from below; None where they are not rendered.

    `num_images` replaces the number in the configuration. Measured with images of 96x64 and 480x320.
    """
    if config.source != "synthetic":
        return None
    num, pixels = num_images or config.num_train + config.num_val, config.image_width * config.image_height
    return Estimate(
        what=f"{num:,} images of {config.image_width}x{config.image_height}",
        memory=num * (3_000 + 800 * config.questions_per_image),
        disk=num * (0.5 * pixels + 2_000 + 900 * config.questions_per_image),
        cpu_seconds=num * (0.01 + 1.5e-6 * pixels),
        remedy="lower num_train, num_val or the image size",
    )


def inspect_archives(config: ClevrConfig, folder: Path) -> Manifest:
    """Seal a record of the archive on its host: URL, size, ETag, members. Cheap, so never reused.

    Raises `InputError` when the host has a different file; a host that does not answer is part of the record.
    """
    record = fetch.inspect_archive(_urls(config), config.archive_bytes)
    recipe = {name: record.get(name) for name in ("url", "expected_bytes", "bytes", "etag", "reachable")}
    return DATASET.seal_record(folder, record, recipe, provenance.caption_of_archive(record), record)


def recipe_of(config: ClevrConfig) -> dict[str, Any]:
    """Fields that decide the content of a dataset from `config.source`."""
    recipe = {name: getattr(config, name) for name in _FIELDS[config.source]}
    optional = (*_SPLITS, *_PLACES) if config.source == "archive" and not _is_pinned(config) else _SPLITS
    recipe |= {name: getattr(config, name) for name in optional if getattr(config, name) != _default(name)}
    if config.source == "local":
        recipe["local_fingerprint"] = _local_mark(Path(config.local_path))
    if config.source == "synthetic":
        recipe["renderer_version"] = RENDERER_VERSION
    return recipe


def _is_pinned(config: ClevrConfig) -> bool:
    """Whether the checksum of the release decides the content, from wherever it comes: only of the whole archive."""
    return config.archive_sha256 == ARCHIVE_SHA256 and _is_whole(config)


def _is_whole(config: ClevrConfig) -> bool:
    return config.sizes == provenance.RELEASED_IMAGES


def _default(name: str) -> Any:
    return ClevrConfig.model_fields[name].default


def _serves(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a release comes from where it is wanted from, unless its checksum is that of the release."""
    same = ("archive_sha256", *_PLACES) if made.get("archive_sha256") != ARCHIVE_SHA256 else ()
    return all(made.get(name) == wanted.get(name) for name in (*same, *_SPLITS))


def _local_mark(path: Path) -> str:
    if path.is_file():
        return disk.sha256_of(path)
    return artifact.describe_input(path).fingerprint


def _make_synthetic(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    from nsmodels.datasets.clevr.questions.generation import generate_split
    from nsmodels.datasets.clevr.rendering.render import render_split

    workers = config.num_workers or None
    for split, num in config.sizes.items():
        render_split(part.path, split, num, config.seed, config.image_width, config.image_height, workers)
        generate_split(part.path, split, config.questions_per_image, config.seed, workers)
    return {"num_images": sum(config.sizes.values())}


def _make_from_archive(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    if release := DATASET.on_disk(config, key):
        return _cut_sealed(release, config, part)
    urls, size = _urls(config), config.archive_bytes
    if _is_whole(config):
        fetched = fetch.fetch_full(part.path, urls, size, config.archive_sha256, kind=ContentCheck)
    else:
        small = config.annotations_url
        fetched = fetch.fetch_mini(part.path, config.sizes, urls, small, size=size, kind=ContentCheck)
    return _validated(fetched, part, lambda name: f"{urls[0]}: {name}")


def _urls(config: ClevrConfig) -> list[str]:
    return [config.archive_url, *config.archive_mirrors]


def _make_from_local(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    place = Path(config.local_path)
    if DATASET.is_sealed_here(place, config):
        return _cut_sealed(place, config, part)
    fetched = fetch.cut_mini(place, part.path, config.sizes, kind=ContentCheck)
    if lost := [split for split in splits(root_of(place)) if split not in config.sizes] if place.is_dir() else []:
        log.warning("%s: splits not taken: %s; field 'more_splits' takes those with answers", place, ", ".join(lost))
    return _validated(fetched, part, lambda name: f"{place}: {name}" if place.is_file() else str(root_of(place) / name))


def _cut_sealed(place: Path, config: ClevrConfig, part: Part) -> dict[str, Any]:
    """Cut data that were sealed here: they keep their source, once their bytes are those that were sealed."""
    source = artifact.require_intact(place).source
    fetched = fetch.cut_mini(place, part.path, config.sizes, kind=ContentCheck)
    part.source = provenance.part_of(source, fetched.num_images)
    if not is_validated(place):
        _require_images(fetched, part, lambda name: str(place / name))
    return {**fetched.as_dict(), VALIDATED: True}


def _validated(fetched: fetch.Fetched, part: Part, shown: Callable[[str], str]) -> dict[str, Any]:
    """Name the source by what was verified, and validate the images of what is not; returns the figures of the data."""
    part.source = provenance.caption(fetched.evidence)
    if doubts := fetched.evidence.doubts:
        log.warning("the data are not verified as %s: %s", RELEASE, ", ".join(doubts))
        _require_images(fetched, part, shown)
    return {**fetched.as_dict(), VALIDATED: True}


def _require_images(fetched: fetch.Fetched, part: Part, shown: Callable[[str], str]) -> None:
    for split, check in fetched.checks.items():
        assert isinstance(check, ContentCheck)
        folder = f"images/{split}"
        require_images(part.path, split, check, lambda name, folder=folder: shown(f"{folder}/{name}"))


DATASET = ImageDataset.of(
    settings,
    provenance,
    (_make_synthetic, _make_from_archive, _make_from_local),
    recipe_of=recipe_of,
    estimate=estimate,
    serves=_serves,
    answering=lambda config: fetch.first_answering(_urls(config)),
)
prepare, resolve = DATASET.prepare, DATASET.resolve
