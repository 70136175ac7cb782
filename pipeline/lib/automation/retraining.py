"""Retraining: the reasons to train a model again, its configuration, and the runs that are under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, describe_input, input_folder, read_manifest
from nsmodels.core.config import nested
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.paper.recipes import differences
from pipeline.lib import reuse, store
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training

Values = dict[str, Any]
Pads = Mapping[str, Launchpad[Any]]
Context = dg.SensorEvaluationContext | dg.ScheduleEvaluationContext
OVER = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def is_possible(training: Training[Any, Any]) -> bool:
    """Whether the data of its whole chain are there, or would be built when missing."""
    return all(store.is_made_on_demand(key) or sealed(key) is not None for key in training.all_datasets)


def obstacle(training: Training[Any, Any]) -> str:
    """Why a model cannot be trained again unasked, as it was and on its own data; empty when it can.

    The same holds for the models that it starts from.
    """
    for link in training.chain:
        if (model := sealed(link.model_key)) is None:
            command = f"dagster asset materialize --select {link.model_key}"
            return f"{link.model_key}: not trained yet; train it once with: {command}"
        for key in link.datasets:
            try:
                read_manifest(store.folder(key), key)
            except InputError as error:
                return f"{link.model_key}: its data are missing: {error}"
        if other := _other_data(link, model):
            return (
                f"{link.model_key}: was trained on {other}, not on {', '.join(link.datasets)}; train it again by hand"
            )
    return ""


def _other_data(training: Training[Any, Any], model: Manifest) -> str:
    """The data of a model where they are not those of its training, as of one that the command line trained."""
    if model.datasets.keys() != set(training.datasets):
        return ", ".join(record.path for record in model.datasets.values()) or "data that its manifest does not name"
    for key, record in model.datasets.items():
        place = store.folder(key).resolve()
        is_own = input_folder(key, record).resolve() == place or not Path(record.path).exists()  # or the root has moved
        if not is_own:
            return record.path
    return ""


def sealed(key: str) -> Manifest | None:
    """The manifest of an asset's folder; None when there is none."""
    try:
        return read_manifest(store.folder(key), key)
    except InputError:
        return None


def changes(training: Training[Any, Any], model: Manifest) -> list[str]:
    """Reasons to build a sealed model again: code version, data or parent changed. Its configuration is its own.

    Raises `InputError` when data or parent are missing.
    """
    return reuse.changes(model, reuse.Recipe(None, training.system.code_version, _inputs(training)))


def has_changed(training: Training[Any, Any]) -> bool:
    """Whether a sealed model is to be trained again; False where there is none, or where an input is missing."""
    model = sealed(training.model_key)
    try:
        return model is not None and bool(changes(training, model))
    except InputError:
        return False


def is_repeatable(training: Training[Any, Any]) -> bool:
    """Whether a model was trained, with a configuration that is still valid."""
    try:
        return sealed(training.model_key) is not None and bool(run_config(pads(training)))
    except InputError:
        return False


def mark(training: Training[Any, Any], model: Manifest) -> str:
    """A change of data, parent or code as a line that differs for every change; empty without one.

    Raises `InputError` when data or parent are missing.
    """
    found = changes(training, model)
    return f"{'; '.join(found)} ({', '.join(_seals(training))})" if found else ""


def _inputs(training: Training[Any, Any]) -> Inputs:
    return Inputs({key: store.folder(key) for key in training.model_inputs}, training.model_inputs)


def _seals(training: Training[Any, Any]) -> list[str]:
    """Fingerprint and hash of the manifest of every input."""
    records = {key: describe_input(folder) for key, folder in _inputs(training).items()}
    return [f"{key} {record.fingerprint}, manifest {record.manifest_sha256[:8]}" for key, record in records.items()]


def pads(training: Training[Any, Any]) -> Pads:
    """The launchpads of a model and of its evaluation, by key."""
    scored = {training.evaluation_key: training.evaluation} if training.is_scored else {}
    return {training.model_key: training.model, **scored}


def run_config(those: Pads) -> Values:
    """The configuration of a run that builds assets again as they are; missing ones have none.

    Raises `InputError` for an asset whose configuration is not valid any more.
    """
    known = [(key, pad, manifest) for key, pad in those.items() if (manifest := sealed(key))]
    return {"ops": {key: {"config": values_of(pad, manifest)} for key, pad, manifest in known}}


def values_of(pad: Launchpad[Any], manifest: Manifest) -> Values:
    """Launchpad values that give the configuration of an artifact: the nearest preset, the fields that differ.

    The nearest, because what a configuration does not record (workers, size of data made on the spot) comes from it.
    Fields that did not exist then have their default; those that exist no more are left out.
    """
    found = {name: differences(manifest.config, preset()) for name, preset in pad.presets.items()}
    # A field that would have to be null cannot be given: the launchpad takes that as "as in the preset".
    name = min(found, key=lambda name: (None in found[name].values(), len(found[name])))
    values = {"preset": name, **nested(found[name])}
    try:
        pad.resolve(values)
    except InputError as error:
        raise InputError(
            f"{manifest.key}: its configuration is not valid any more ({error}); train it by hand"
        ) from None
    return values


def under_way(context: Context) -> set[str]:
    """The keys of all assets that queued and running runs will build."""
    runs = context.instance.get_runs(dg.RunsFilter(statuses=[each for each in dg.DagsterRunStatus if each not in OVER]))
    return {key.to_user_string() for run in runs for key in run.asset_selection or _keys_of_job(context, run)}


def _keys_of_job(context: Context, run: dg.DagsterRun) -> Iterable[dg.AssetKey]:
    """A run of a whole job does not list its assets."""
    repository = context.repository_def
    if repository is None or not repository.has_job(run.job_name):
        return ()
    return repository.get_job(run.job_name).asset_layer.selected_asset_keys
