"""CLEVR as a sealed folder: fetched, cut from a local copy, or rendered; the manifest always names the true source."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.config import (
    CODE_VERSION,
    MAKER,
    RELEASED_TRAIN,
    RELEASED_VAL,
    RENDERER_VERSION,
    ClevrConfig,
)
from nsmodels.datasets.clevr.files import fetch

CAPTIONS = {"archive": "CLEVR v1.0", "synthetic": "synthetic CLEVR", "local": "CLEVR from a local folder"}
log = logging.getLogger(__name__)

# The fields that decide the content, by source; the others cannot change it.
_SIZE = ("source", "num_train", "num_val")
_FIELDS = {
    "archive": (*_SIZE, "archive_sha256"),
    "local": (*_SIZE, "local_path"),
    "synthetic": (*_SIZE, "questions_per_image", "image_width", "image_height", "seed"),
}


def prepare(config: ClevrConfig, key: str, folder: Path, is_forced: bool = False) -> Manifest:
    """Seal the dataset in `folder`, or reuse what is there unless `is_forced`; returns the manifest.

    Source `auto` uses data on disk, else the archive when its host answers, else the synthetic twin with a warning.
    Raises `InputError` when the source is missing or damaged, or the disk is full; `Unreachable` when no host answers.
    """
    config, reason = resolve(config, key, folder)
    log.info("%s: source %s (%s)", key, config.source, reason)
    recipe: Any = {"config": recipe_of(config), "code_version": CODE_VERSION}
    recipe |= {"inputs": _inputs_of(config), "seed": _seed_of(config)}

    def fill(part: Part) -> None:
        part.metrics |= {"source_reason": reason, **_MAKERS[config.source](config, key, part)}

    return artifact.made(folder, is_forced, fill, key=key, maker=MAKER, source=_caption(config), **recipe)


def inspect_archive(config: ClevrConfig, folder: Path) -> Manifest:
    """Seal a record of the archive on its host: URL, size, ETag, members. Cheap, so never reused.

    Raises `InputError` when the host has a different file; a host that does not answer is part of the record.
    """
    record = fetch.inspect_archive(_urls(config), config.archive_bytes)
    recipe = {name: record.get(name) for name in ("url", "expected_bytes", "bytes", "etag", "reachable")}
    with artifact.build(
        folder, key=folder.name, maker=MAKER, config=recipe, code_version=CODE_VERSION, source=CAPTIONS["archive"]
    ) as part:
        disk.write_json(part.path / "archive.json", record)
        part.metrics |= record
    return artifact.read_manifest(folder)


def recipe_of(config: ClevrConfig) -> dict[str, Any]:
    """Fields that decide the content of a dataset from `config.source`."""
    recipe = {name: getattr(config, name) for name in _FIELDS[config.source]}
    if config.source == "local":
        recipe["local_fingerprint"] = _local_mark(Path(config.local_path))
    if config.source == "synthetic":
        recipe["renderer_version"] = RENDERER_VERSION
    return recipe


def resolve(config: ClevrConfig, key: str, folder: Path) -> tuple[ClevrConfig, str]:
    """`config` with `auto` replaced by a source, and the reason for that source."""
    if config.source != "auto":
        return config, "as configured"
    for source in ("archive", "synthetic"):
        chosen = config.with_values({"source": source})
        mark = artifact.make_fingerprint(recipe_of(chosen), CODE_VERSION, {}, _seed_of(chosen))
        if artifact.current(folder, mark):
            return chosen, "auto: already on disk"
    archive = config.with_values({"source": "archive"})
    if _on_disk(archive, key):
        return archive, "auto: the release is on disk"
    try:
        answering = fetch.first_answering(_urls(config))
        return archive, f"auto: {answering} answers"
    except InputError as error:
        log.warning("%s: the archive is not available (%s); rendering the SYNTHETIC twin instead", key, error)
        return config.with_values({"source": "synthetic"}), f"auto: the archive is not available ({error})"


def _seed_of(config: ClevrConfig) -> int | None:
    return config.seed if config.source == "synthetic" else None


def _inputs_of(config: ClevrConfig) -> dict[str, Path]:
    """Sealed folder of local data, if it is one; a plain folder or zip is covered by `local_fingerprint` alone."""
    place = Path(config.local_path)
    return {"local": place} if config.source == "local" and (place / artifact.MANIFEST).is_file() else {}


def _caption(config: ClevrConfig) -> str:
    """Source of the data, as in manifest and figures; local data keep the source in their own manifest."""
    if config.source != "local":
        return CAPTIONS[config.source]
    for folder in _inputs_of(config).values():
        return artifact.read_manifest(folder).source
    is_synthetic = fetch.license_of(Path(config.local_path)).startswith("synthetic")
    return "synthetic CLEVR (local folder)" if is_synthetic else CAPTIONS["local"]


def _on_disk(config: ClevrConfig, key: str) -> Path | None:
    """Folder of the sealed release, if it exists with enough images and is not `key` itself."""
    release = artifact.folder_of("clevr")
    if key == "clevr" or not (release / artifact.MANIFEST).exists():
        return None
    made = artifact.read_manifest(release).config
    is_enough = all(made.get(name, 0) >= getattr(config, name) for name in ("num_train", "num_val"))
    return release if made.get("source") == "archive" and is_enough else None


def _local_mark(path: Path) -> str:
    if path.is_file():
        return disk.sha256_of(path)
    return artifact.describe_input(path).fingerprint


def _make_synthetic(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    from nsmodels.datasets.clevr.questions.generation import generate_split
    from nsmodels.datasets.clevr.rendering.render import render_split

    workers = config.num_workers or None
    for split, num in (("train", config.num_train), ("val", config.num_val)):
        render_split(part.path, split, num, config.seed, config.image_width, config.image_height, workers)
        generate_split(part.path, split, config.questions_per_image, config.seed, workers)
    return {"num_images": config.num_train + config.num_val}


def _make_from_archive(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    release = _on_disk(config, key)
    if release:
        return fetch.cut_mini(release, part.path, config.num_train, config.num_val).as_dict()
    urls, size = _urls(config), config.archive_bytes
    if (config.num_train, config.num_val) == (RELEASED_TRAIN, RELEASED_VAL):
        return fetch.fetch_full(part.path, urls, size, config.archive_sha256).as_dict()
    return fetch.fetch_mini(
        part.path, config.num_train, config.num_val, urls, config.annotations_url, size=size
    ).as_dict()


def _urls(config: ClevrConfig) -> list[str]:
    return [config.archive_url, *config.archive_mirrors]


def _make_from_local(config: ClevrConfig, key: str, part: Part) -> dict[str, Any]:
    return fetch.cut_mini(Path(config.local_path), part.path, config.num_train, config.num_val).as_dict()


_MAKERS = {"synthetic": _make_synthetic, "archive": _make_from_archive, "local": _make_from_local}
