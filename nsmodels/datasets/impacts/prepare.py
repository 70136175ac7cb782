"""Clips as a sealed folder: simulated, read from files of one's own, or from data sets of a hub."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.hardware import Estimate, num_cores
from nsmodels.core.sealed import licences
from nsmodels.datasets.impacts.config import CODE_VERSION, MAKER, ImpactsConfig

# Measured: bytes of a clip and of a twin in the files, CPU-seconds of a clip and of a twin.
BYTES_PER_CLIP, BYTES_PER_TWIN = 232_000, 1_300
SECONDS_PER_CLIP, SECONDS_PER_TWIN = 0.010, 0.0025
BYTES_PER_PROCESS = 300e6


def prepare(
    config: ImpactsConfig,
    key: str,
    folder: Path,
    is_forced: bool = False,
    agree: Callable[[Estimate], None] = lambda needed: None,
) -> Manifest:
    """Seal the clips in `folder`, or keep equal ones unless `is_forced`; returns the manifest.

    An interrupted simulation is resumed by the next call. `agree` is called with the estimate of what has to be made,
    before it is made. Raises InputError for files that are missing or malformed, for a data set that is not here, and
    when `folder` overlaps what it would be made from.
    """
    artifact.require_apart(folder, {name: path for name, path in _places(config).items() if path.exists()})

    def fill(part: Part) -> None:
        if needed := estimate(config):
            needed.require(folder)
            agree(needed)
        part.metrics |= _make(config, part.path)

    recipe: Any = {
        "config": recipe_of(config),
        "code_version": CODE_VERSION,
        "seed": config.seed,
        "is_resumable": config.source == "synthetic",  # what is read, is read in seconds
    }
    licence = licences.GENERATED if config.source == "synthetic" else licences.OWNERS
    about: Any = {"key": key, "maker": MAKER, "source": caption(config), "licence": licence}
    return artifact.made(folder, is_forced, fill, **about, **recipe)


def estimate(config: ImpactsConfig) -> Estimate | None:
    """What the simulation takes, from below; None for clips that are read."""
    if config.source != "synthetic":
        return None
    clips = sum(config.sizes.values())
    twins = clips * config.twins_per_clip
    return Estimate(
        what=f"{clips:,} clips and {twins:,} twins",
        memory=BYTES_PER_PROCESS * (config.num_workers or num_cores()) + BYTES_PER_TWIN * twins,
        disk=BYTES_PER_CLIP * clips + BYTES_PER_TWIN * twins,
        cpu_seconds=SECONDS_PER_CLIP * clips + SECONDS_PER_TWIN * twins,
        remedy="lower num_train",
    )


def recipe_of(config: ImpactsConfig) -> dict[str, Any]:
    """Fields that decide the content, as the manifest records them; of files also their fingerprint."""
    from nsmodels.formats.clips import local

    marks = {name: local.fingerprint_of(path) for name, path in _places(config).items() if path.is_dir()}
    return config.relevant() | ({"fingerprints": marks} if marks else {})


def caption(config: ImpactsConfig) -> str:
    """Source of the clips, as in manifest and figures."""
    if config.source == "local":
        return "clips from local files"
    if config.source == "hub":
        names = dict.fromkeys(Path(name).name if Path(name).exists() else name for name in _hub_names(config))
        return f"{' and '.join(names)} by Hugging Face datasets"
    return "synthetic impacts"


def _hub_names(config: ImpactsConfig) -> list[str]:
    return [name for name in (config.hub_vision, config.hub_audio) if name]


def _places(config: ImpactsConfig) -> dict[str, Path]:
    """Folders from which clips are read, by field."""
    names = {"local": ("local_path",), "hub": ("hub_vision", "hub_audio")}.get(config.source, ())
    return {name: Path(getattr(config, name)) for name in names if getattr(config, name)}


def _make(config: ImpactsConfig, folder: Path) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    found = _MAKERS[config.source](config, folder)
    seconds = {"seconds": round(time.perf_counter() - began, 3), "cpu_seconds": round(time.process_time() - cpu, 3)}
    return {**found, **seconds}


def _simulate(config: ImpactsConfig, folder: Path) -> dict[str, Any]:
    from nsmodels.datasets.impacts.generation import generate

    return generate(config, folder)


def _read_local(config: ImpactsConfig, folder: Path) -> dict[str, Any]:
    from nsmodels.formats.clips import local, recordings

    return {"num_clips": recordings.write_splits(folder, local.read(Path(config.local_path), config.local_may_lack))}


def _read_hub(config: ImpactsConfig, folder: Path) -> dict[str, Any]:
    from nsmodels.formats.clips import hub, recordings

    wanted = {"vision": config.hub_vision, "audio": config.hub_audio}
    requests = [
        hub.Request(name, modality, config.hub_limit, config.may_download) for modality, name in wanted.items() if name
    ]
    return {"num_clips": recordings.write_splits(folder, hub.read(requests))}


_MAKERS = {"synthetic": _simulate, "local": _read_local, "hub": _read_hub}
