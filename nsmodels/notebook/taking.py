"""A trained model for a choice: named, found, or trained now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nsmodels import loading
from nsmodels.core import artifact
from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.notebook.choice import Choice
from nsmodels.notebook.training import prepare, train

BEST = "best.pt"


def take(choice: Choice, model: str = "") -> Choice:
    """The choice with a trained model: `model`, else its own, else an asset's, else one that is trained now.

    Args:
        choice: of system, preset and data.
        model: asset key or folder of a model of the system.

    An asset is taken when it was trained on the data of the choice; of several the last one. A model that is given by
    name brings its own data. Raises `InputError` for a model of a different system, and when the training is stopped.
    """
    key = model or ("" if _is_sealed(choice) else _asset_of(choice))
    if key:
        return _taken(choice, key)
    if not _is_sealed(choice):
        print(f"no trained model of {choice.system} on {choice.data_key}: one is trained with preset {choice.preset}.")
        if choice.preset == "debug":
            print('It takes seconds, and its answers may be bad; PRESET = "quick" or MODEL = "..." gives better ones.')
        prepare(choice)
        if train(choice) is None:
            raise InputError("no model yet; run this cell again to resume the training")
        return choice
    print(f"model {choice.model_key}: {_about(artifact.read_manifest(choice.model, choice.model_key))}")
    return choice


def _is_sealed(choice: Choice) -> bool:
    return (choice.model / MANIFEST).is_file()


def _asset_of(choice: Choice) -> str:
    """Key of the last model directly below the data root that fits a choice; empty without any."""
    root = artifact.data_root()
    places = sorted(root.glob(f"*/{MANIFEST}")) if root.is_dir() else []
    found = [(place.parent.name, manifest) for place in places if (manifest := manifest_of(place.parent))]
    fitting = [(manifest.created, name) for name, manifest in found if _fits(choice, name, manifest)]
    return max(fitting)[1] if fitting else ""


def _fits(choice: Choice, name: str, manifest: Manifest) -> bool:
    """Whether an artifact is a model of the system's last stage that was trained on the data of a choice."""
    system = choice.trained
    is_model = any((artifact.folder_of(name) / phase / BEST).is_file() for phase in system.stages[-1].phases)
    return is_model and manifest.maker == system.package and _is_on_data(choice, manifest)


def _is_on_data(choice: Choice, manifest: Manifest) -> bool:
    """Whether the data of a choice alone were trained on; without them, data of that name."""
    data = manifest_of(choice.data)
    if data is None:
        return list(manifest.datasets) == [choice.data_key]
    return [record.fingerprint for record in manifest.datasets.values()] == [data.fingerprint]


def _taken(choice: Choice, key: str) -> Choice:
    place = loading.place_of(key, None, loading.MODEL)
    manifest = artifact.read_manifest(place, key)
    if manifest.maker != choice.trained.package:
        raise InputError(f"MODEL {key}: made by {manifest.maker}; expected a model of {choice.system}")
    print(f"model {key}: {_about(manifest)}")
    found = replace(choice, taken=key, name="_".join(Path(key.strip("/")).parts[-3:]))
    usual = (choice.trained.data_key, *(each.data_key for each in choice.trained.domains.values()))
    if choice.data_key not in usual or _is_on_data(choice, manifest) or not manifest.datasets:
        return found
    name, record = next(iter(manifest.datasets.items()))
    data = name if artifact.folder_of(name).exists() else record.path
    print(f"data {data}, on which it was trained, in place of {choice.data_key}")
    return replace(found, data_key=data)


def _about(manifest: Manifest) -> str:
    data = ", ".join(manifest.datasets)
    return f"sealed {manifest.created}, trained on {data} ({manifest.source}), seed {manifest.seed}"
