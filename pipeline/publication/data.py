"""Data that trainings need: which are to be made, and from what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nsmodels.core import discover
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.evaluation import sources
from pipeline.assets import comparison
from pipeline.lib import store
from pipeline.publication.contents import GATHERED, trainings_of
from pipeline.publication.step import Step

AUTO = "auto"
COMPOSED = 80.0  # CPU-seconds of a subset of synthetic images


def _made_of(families: Sequence[str]) -> list[str]:
    """Keys of the data that a step makes where they miss."""
    keys = [key for training in trainings_of(families) for key in training.all_datasets]
    return [key for key in dict.fromkeys(keys) if store.is_made_on_demand(key)]


def too_small(root: Path, families: Sequence[str], preset: str) -> set[str]:
    """Data that the first step that uses them makes again, as they are those of a smaller preset."""
    found = {key: manifest_of(root / key) for key in _made_of(families)}
    return {key for key, manifest in found.items() if manifest and store.maker(key).is_too_small(manifest, preset)}


def to_make(root: Path, families: Sequence[str], preset: str) -> list[str]:
    """Keys of the data that miss or are too small."""
    small = too_small(root, families, preset)
    return [key for key in _made_of(families) if key in small or not manifest_of(root / key)]


def synthetic(root: Path, families: Sequence[str], preset: str) -> Iterator[Step]:
    """Steps for data that miss and would be downloaded where their host answers, beside others that are synthetic.

    They are made synthetic as well: figures refuse mixed sources, and what was not asked for is not downloaded.
    """
    for key, source in _sources(root, families, preset).items():
        config = store.maker(key).config_for(preset)
        if source == sources.SYNTHETIC and not manifest_of(root / key) and config.source == AUTO:
            given = {key: {"preset": _name_of(key, config), "source": source}}
            yield Step((key,), cpu_seconds=COMPOSED, given=given)


def _sources(root: Path, families: Sequence[str], preset: str) -> dict[str, str]:
    """Where the data of images that there are or will be come from, by key."""
    wanted = {*_made_of(families)}
    there = {key: manifest.source for key in comparison.DATASETS if (manifest := manifest_of(root / key))}
    missing = [key for key in comparison.DATASETS if key in wanted and key not in there]
    found = {**there, **{key: store.maker(key).config_for(preset).source for key in missing}}
    kinds = {sources.kind_of(source) for source in found.values()}
    usual = sources.SYNTHETIC if sources.SYNTHETIC in kinds else AUTO
    return {key: usual if source == AUTO else source for key, source in found.items()}


def mixed(root: Path, families: Sequence[str], preset: str) -> Iterator[str]:
    """A line where the figure that compares data of images will be refused, as they are of both kinds."""
    if "natural" in families:
        try:
            sources.require_one_kind(_sources(root, families, preset), GATHERED, "make all of them from one kind")
        except InputError as error:
            yield str(error)


def _name_of(key: str, config: Config) -> str:
    """Name of the preset of a subset that is this configuration."""
    presets = discover.module("datasets", key.removesuffix("_mini"), "config").PRESETS
    return next(name for name, preset in presets.items() if preset() == config)
