"""Folders of assets, and inputs that are built when a step finds them missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of, read_manifest
from nsmodels.core.errors import Busy, InputError
from pipeline.lib import staleness
from pipeline.lib.display import results
from pipeline.requests import tags

PAUSE = 1.0  # seconds between two looks at what another run is making
Make = Callable[[str | None], Manifest]


@dataclass(frozen=True)
class Maker:
    """How to build an asset for the preset of the step that misses it; `is_too_small` recognises data for tests."""

    make: Make
    is_too_small: Callable[[Manifest, str], bool]
    config_for: Callable[[str | None], Any] = lambda preset: None

    def about(self, preset: str | None) -> str:
        """What would be made for a step with this preset, as ", 2,000 + 300 samples (synthetic)"; empty if unknown."""
        config = self.config_for(preset)
        sizes = [getattr(config, name, None) for name in ("num_train", "num_val")]
        source = f" ({config.source})" if hasattr(config, "source") else ""
        return f", {sizes[0]:,} + {sizes[1]:,} samples{source}" if all(sizes) else ""


_makers: dict[str, Maker] = {}


def folder(key: dg.AssetKey | str, partition: str | None = None) -> Path:
    """The folder of an asset: its key under `$NSMODELS_DATA`, or under `data/`."""
    path = key if isinstance(key, str) else "/".join(key.path)
    return folder_of(path, partition)


def on_demand(
    key: str,
    is_too_small: Callable[[Manifest, str], bool],
    config_for: Callable[[str | None], Any] = lambda preset: None,
) -> Callable[[Make], Make]:
    """Register how to build a small or generated asset that a later step finds missing, for that step's preset."""

    def register(make: Make) -> Make:
        _makers[key] = Maker(make, is_too_small, config_for)
        return make

    return register


def maker(key: str) -> Maker:
    """How the missing input `key` is built. Raises KeyError where it is not."""
    return _makers[key]


def is_made_on_demand(key: str) -> bool:
    """Whether a step that misses `key` builds it: it is a small subset, or generated."""
    return key in _makers


def require(keys: Iterable[str]) -> None:
    """Raise `InputError` with the command to run for an input that is missing and not built on demand."""
    for key in keys:
        if key not in _makers:
            read_manifest(folder(key), key)


def ready(context: dg.AssetExecutionContext, keys: Iterable[str], preset: str | None) -> dict[str, Path]:
    """The sealed folders of the inputs, by key; what is missing is built where that is cheap.

    `preset` is that of the step; None where its presets do not decide the size of the inputs.
    Raises `InputError` with the command to run for an input that is not.
    """
    return {key: _ready(context, key, preset) for key in keys}


def _ready(context: dg.AssetExecutionContext, key: str, preset: str | None) -> Path:
    _record(context, key, prepared(key, preset, context.log.info, partial(_is_kept, context, key)))
    return folder(key)


def prepared(
    key: str, preset: str | None, log: Callable[[str], object], is_kept: Callable[[str], bool] = lambda preset: False
) -> Manifest:
    """The manifest of an input; what is missing, or too small for the preset, is built where that is cheap, and logged.

    `is_kept`: whether data stay as they are that are too small for a preset.
    Raises `InputError` with the command to run for an input that is not built here.
    """
    place, maker = folder(key), _makers.get(key)
    try:
        manifest = read_manifest(place, key)
    except InputError:
        if maker is None:
            raise
        log(f"{key}: missing; building it now in {place}")
        manifest = _make(log, key, maker, preset)
    if maker and preset and maker.is_too_small(manifest, preset) and not is_kept(preset):
        log(f"{key}: too small for preset {preset}; building it again in {place}")
        manifest = _make(log, key, maker, preset)
    return manifest


def _is_kept(context: dg.AssetExecutionContext, key: str, preset: str) -> bool:
    """Whether the run leaves data as they are that are too small for its preset."""
    is_kept = tags.keeps_data(context.run.tags)
    if is_kept:
        context.log.warning(f"{key}: small for preset {preset}; kept as it is, by the tag {tags.DATA} of the run")
    return is_kept


def _make(log: Callable[[str], object], key: str, maker: Maker, preset: str | None) -> Manifest:
    """Build an input, or wait for a different run that is building it: both may have begun without it."""
    is_logged = False
    while True:
        try:
            return maker.make(preset)
        except Busy:
            if not is_logged:
                log(f"{key}: a different run is building it; waiting for it")
            is_logged = True
            time.sleep(PAUSE)


def _record(context: dg.AssetExecutionContext, key: str, manifest: Manifest) -> None:
    """Enter an artifact that Dagster has not seen into its history, so that the lineage of this step is true."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey(key))
    known = event.asset_materialization if event else None
    if known and (known.tags or {}).get(staleness.DATA_VERSION) == manifest.fingerprint:
        return
    context.log_event(results.materialization(context, key, manifest))
    # Dagster has looked up the versions of the inputs before the step began; make it look again.
    context.op_execution_context.get_step_execution_context().wipe_input_asset_version_info(dg.AssetKey(key))
