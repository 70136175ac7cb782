"""How an artifact is made again: the preset that its configuration is closest to, what differs, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from nsmodels.core import discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config, flat, is_seed, nested
from nsmodels.core.config.conditions import field_of, is_added, without_effect
from nsmodels.core.errors import InputError
from nsmodels.core.orders import PARENT
from nsmodels.core.progress import readable_count
from nsmodels.core.sealed.inputs import input_folder
from nsmodels.core.sealed.manifest import InputRecord, manifest_of
from nsmodels.studies.search.config import presets_of as searches_of

SYSTEMS, DATASETS = "nsmodels.systems.", "nsmodels.datasets."
PREPARED = ("clevr", "gqa", "vqa")  # datasets whose verb is "prepare"; that of all others is "generate"
MATERIALIZE = "dagster asset materialize --select"
SEED, MODEL = "training.seed", "model"
LOCAL, YOURS = "local_fingerprint", "YOUR_DATA"  # the mark of files from a folder, which is not recorded
STUDY = "study"  # first word of the kind of what has many trainings
Preset = Callable[[], Config]
Presets = Mapping[str, Callable[[], Any]]


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

    @property
    def label(self) -> str:
        """Name of the preset and how many fields differ from it, seeds apart, for a cell; empty without a preset."""
        num = sum(not is_seed(name) for name in self.changed)
        return self.name + (f", {readable_count(num, 'field')} changed" if num and self.name else "")


def command(manifest: Manifest) -> str:
    """The command that makes an artifact again under its key, with exactly its configuration.

    Of a partition only the model has one: it makes the rest with it, see `is_made_with_model`.
    """
    key, *partition = manifest.key.split("/")
    closest = preset_of(manifest)
    changed = {name: value for name, value in closest.changed.items() if not (partition and name == SEED)}
    if closest.name and _lacks_place(manifest):
        changed["local_path"] = YOURS
    config = ({"preset": closest.name} if closest.name else {}) | nested(changed)
    words = [MATERIALIZE, key, *(["--partition", partition[0]] if partition else [])]
    if config:
        words += ["--config-json", f"'{json.dumps({'ops': {key: {'config': config}}})}'"]
    return " ".join(words)


def command_with(manifest: Manifest, config: str) -> str:
    """The command line that makes data or a model with the configuration in a file, in a folder of its name."""
    name, out = manifest.maker.rpartition(".")[2], manifest.key.replace("/", "_")
    if manifest.maker.startswith(DATASETS):
        words = [name, "prepare" if name in PREPARED else "generate"]
        from_where = ["--local-path", YOURS] if _lacks_place(manifest) else []
    else:
        words = [name, "train", *manifest.kind.split(" ")[1:]]
        parents = [_name_of(record) for record in manifest.inputs.values() if record.role == PARENT]
        from_where = ["--data", *map(_name_of, manifest.datasets.values()), *(["--from", *parents] if parents else [])]
    preset = preset_of(manifest).name
    with_preset = ["--preset", preset] if preset else []
    return " ".join(["nsmodels", *words, *with_preset, "--config", config, *from_where, "--out", out])


def _name_of(record: InputRecord) -> str:
    return PurePath(record.path).name


def _lacks_place(manifest: Manifest) -> bool:
    """Whether it was made of files in a folder that is not recorded."""
    return LOCAL in manifest.config and "local_path" not in manifest.config


def settings(manifest: Manifest) -> dict[str, Any]:
    """Its configuration, as a file over its closest preset.

    It lacks what recipes of data hold beside fields: marks of files, versions of a renderer.
    """
    presets = [preset() for _, preset in _presets(manifest)]
    values = flat(manifest.config)
    kept = {name: value for name, value in values.items() if any(_has_field(each, name) for each in presets)}
    return nested(kept | dict(preset_of(manifest).changed) if presets else values)


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
    if not config:
        return Closest("", {})
    found = [Closest(name, differences(config, preset)) for name, preset in _of_its_kind(manifest, config)]
    return min(found, key=lambda each: len(each.changed), default=Closest("", config))


def has_preset(manifest: Manifest, name: str) -> bool:
    """Whether an artifact has the configuration of a preset of its maker, but for seeds."""
    config = flat(manifest.config)
    made = (preset for each, preset in _of_its_kind(manifest, config) if each == name and config)
    return any(all(map(is_seed, differences(config, preset))) for preset in made)


def _of_its_kind(manifest: Manifest, config: Mapping[str, Any]) -> list[tuple[str, Config]]:
    """Presets with the fewest fields missing: a search knows hardly one of those of ablations, and cannot differ."""
    found = [(name, preset()) for name, preset in _presets(manifest)]
    missing = [sum(not _has_field(preset, field) for field in config) for _, preset in found]
    return [each for each, num in zip(found, missing, strict=True) if num == min(missing)]


def labels(manifests: Iterable[Manifest]) -> str:
    """The presets of everything that artifacts were made from: of trainings and studies, then of data where others.

    What is no longer there is left out.
    """
    models, data = dict[str, None](), dict[str, None]()
    for each in _origins(manifests):
        group = data if each.maker.startswith(DATASETS) else models if is_trained(each) else {}
        group[preset_of(each).label] = None
    shown = [", ".join(filter(None, group)) for group in (models, data)]
    is_equal = not shown[1] or shown[0] == shown[1]
    return shown[0] if is_equal else "; ".join(filter(None, [shown[0], f"data {shown[1]}"]))


def _origins(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """The artifacts and everything that they were made from and that is still there, each once."""
    pending, seen = list(manifests), set[str]()
    while pending:
        manifest = pending.pop(0)
        yield manifest
        for key, record in manifest.inputs.items():
            if record.fingerprint not in seen:
                seen.add(record.fingerprint)
                found = manifest_of(input_folder(key, record))
                pending += [found] if found and found.fingerprint == record.fingerprint else []


def is_trained(manifest: Manifest) -> bool:
    """Whether an artifact is a trained model, or a study of many."""
    return manifest.maker.startswith(SYSTEMS) and manifest.kind.split(" ")[0].strip(":") in ("training", STUDY)


def differences(config: Mapping[str, Any], preset: Config) -> dict[str, Any]:
    """Fields of a recorded configuration, by dotted name, that differ from a preset, with their values.

    Those that were left out have no effect, or, where they came later, their default. What is no field of the preset
    was not chosen, as the version of a renderer.
    """
    config = flat(config)
    usual = flat(json.loads(json.dumps(preset.relevant(), default=str)))
    changed = {name: value for name, value in config.items() if name not in usual or usual[name] != value}
    changed = {name: value for name, value in changed.items() if name in usual or _has_field(preset, name)}
    return changed | {name: field_of(preset, name).default for name in usual if _is_left_out(name, config, preset)}


def _is_left_out(name: str, config: Mapping[str, Any], preset: Config) -> bool:
    """Whether a manifest says by its silence that a field, which was added later, has not the value of the preset."""
    return name not in config and is_added(field_of(preset, name)) and not without_effect(preset, name)


def _has_field(config: Any, name: str) -> bool:
    """Whether a configuration has a field of that dotted name, or one that holds a mapping with it."""
    head, _, rest = name.partition(".")
    value = getattr(config, head, None)
    return head in type(config).model_fields and (not isinstance(value, Config) or _has_field(value, rest))


def _presets(manifest: Manifest) -> Iterator[tuple[str, Preset]]:
    """Those that its maker has for what it was made from; none for a maker of an earlier version."""
    package, _, name = manifest.maker.rpartition(".")
    try:
        if f"{package}." == DATASETS:
            yield from getattr(discover.module("datasets", name, "config"), "PRESETS", {}).items()
        elif f"{package}." == SYSTEMS:
            yield from _of_system(discover.system(name), manifest)
    except InputError:  # a dataset or system that is not here any more
        return


def _of_system(system: Any, manifest: Manifest) -> Iterator[tuple[str, Preset]]:
    """Those of a `System`, whose type is not named here: its module refers to torch."""
    word, _, name = manifest.kind.partition(" ")
    if word == "evaluation":
        yield from system.evaluation_presets.items()
    elif word == f"{STUDY}:":
        model = manifest.config.get("model")  # of a search its configuration; a study may have a name there
        values = model if isinstance(model, Mapping) else {}
        for presets in (*_of_studies(system), *map(searches_of, _of_models(system, manifest, values))):
            yield from presets.items()
    elif word == "training":
        for presets in _of_models(system, manifest, manifest.config, name):
            yield from presets.items()


def _of_studies(system: Any) -> Iterator[Presets]:
    studies = getattr(discover.module("systems", system.name, "__main__"), "STUDIES", {})
    yield from (each.presets for each in studies.values())
    yield from system.reports.values()


def _of_models(system: Any, manifest: Manifest, values: Mapping[str, Any], name: str = "") -> Iterator[Presets]:
    """Presets of the stage of that name, else of all, for the data; where these do not tell, of all domains."""
    for stage in (each for each in system.stages if name in ("", each.name)):
        found = system.presets_for(stage, values, manifest.datasets)
        yield from (
            [found] if found is not None else [stage.presets, *(each.presets for each in system.domains.values())]
        )
