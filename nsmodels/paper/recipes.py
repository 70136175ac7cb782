"""How an artifact is made again: the preset that its configuration is closest to, what differs, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nsmodels.core import discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config, flat, nested
from nsmodels.core.errors import InputError

SYSTEMS, DATASETS = "nsmodels.systems.", "nsmodels.datasets."
MATERIALIZE = "dagster asset materialize --select"
SEED, MODEL = "training.seed", "model"
Preset = Callable[[], Config]


@dataclass(frozen=True)
class Closest:
    """The preset of the fewest differences.

    Attributes:
        name: of the preset; empty where its maker has none.
        changed: dotted fields of the configuration that differ from it, with their values.
    """

    name: str
    changed: Mapping[str, Any]

    def text(self, is_over_seeds: bool = False) -> str:
        """The preset and what differs from it, in words; the seed is left out where there are several."""
        if not self.name:
            return "No preset: its whole configuration is given" if self.changed else "It has no configuration"
        shown = {name: value for name, value in self.changed.items() if not (is_over_seeds and name == SEED)}
        changed = ", ".join(f"{name}={json.dumps(value)}" for name, value in shown.items())
        return f"Preset `{self.name}`" + (f" with {changed}" if changed else ", unchanged")


def command(manifest: Manifest) -> str:
    """The command that makes an artifact again under its key, with exactly its configuration.

    Of a partition only the model has one: it makes the rest with it, see `is_made_with_model`.
    """
    key, *partition = manifest.key.split("/")
    closest = preset_of(manifest)
    changed = {name: value for name, value in closest.changed.items() if not (partition and name == SEED)}
    config = ({"preset": closest.name} if closest.name else {}) | nested(changed)
    words = [MATERIALIZE, key, *(["--partition", partition[0]] if partition else [])]
    if config:
        words += ["--config-json", f"'{json.dumps({'ops': {key: {'config': config}}})}'"]
    return " ".join(words)


def is_made_with_model(manifest: Manifest) -> bool:
    """Whether an artifact of a partition is made by the command of its model: its evaluation, its parents."""
    parts = manifest.key.split("/")
    return len(parts) > 2 and parts[-1] != MODEL


def materialize(key: str, seeds: str = "") -> str:
    """The command that makes an asset, of replicates with their seeds ("0...2")."""
    return f"{MATERIALIZE} {key}" + (f" --partition-range {seeds}" if seeds else "")


def preset_of(manifest: Manifest) -> Closest:
    """The preset of the fewest differences among those of its maker; where it has none, all fields differ."""
    config = flat(manifest.config)
    found = [Closest(name, _changed(config, preset)) for name, preset in _presets(manifest)]
    return min(found, key=lambda each: len(each.changed), default=Closest("", config))


def _changed(config: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """Fields of a configuration that differ from a preset; those that the manifest leaves out have no effect."""
    usual = flat(json.loads(json.dumps(preset().relevant(), default=str)))
    return {name: value for name, value in config.items() if name not in usual or usual[name] != value}


def _presets(manifest: Manifest) -> Iterator[tuple[str, Preset]]:
    try:
        if manifest.maker.startswith(DATASETS):
            yield from discover.module("datasets", manifest.maker.removeprefix(DATASETS), "config").PRESETS.items()
        elif manifest.maker.startswith(SYSTEMS):
            yield from _of_system(discover.system(manifest.maker.removeprefix(SYSTEMS)), manifest.kind)
    except (InputError, AttributeError):  # made by a version with a dataset or system that is not here
        return


def _of_system(system: Any, kind: str) -> Iterator[tuple[str, Preset]]:
    word, _, stage = kind.partition(" ")
    if word == "evaluation":
        yield from system.evaluation_presets.items()
    elif word == "training":
        yield from next(each.presets for each in system.stages if stage in ("", each.name)).items()
        for domain in system.domains.values():
            yield from domain.presets.items()
