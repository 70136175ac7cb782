"""Training again what is there: why, with which configuration, and whether a run of it is already on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, describe_input, read_manifest
from nsmodels.core.errors import InputError
from nsmodels.evaluation.entry import flat
from pipeline.lib import reuse, store
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training

Values = dict[str, Any]
Pads = Mapping[str, Launchpad[Any]]
Context = dg.SensorEvaluationContext | dg.ScheduleEvaluationContext
OVER = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def is_possible(training: Training[Any, Any]) -> bool:
    """Whether its data are there, or would be made on the spot."""
    return store.is_made_on_demand(training.dataset) or sealed(training.dataset) is not None


def sealed(key: str) -> Manifest | None:
    """The manifest of an asset's folder, whoever made it; None when there is none."""
    try:
        return read_manifest(store.folder(key), key)
    except InputError:
        return None


def changes(training: Training[Any, Any], model: Manifest) -> list[str]:
    """What a sealed model is no longer made from: another code version, other data. Its configuration is its own.

    Raises `InputError` when there are no data any more.
    """
    data = {training.dataset: store.folder(training.dataset)}
    return reuse.changes(model, reuse.Recipe(None, training.code_version, data))


def mark(training: Training[Any, Any], model: Manifest) -> str:
    """A change of data or code as a line that is another for every other change; empty without one.

    Raises `InputError` when there are no data any more.
    """
    found = changes(training, model)
    data = describe_input(store.folder(training.dataset))
    return f"{'; '.join(found)} (data {data.fingerprint}, manifest {data.manifest_sha256[:8]})" if found else ""


def pads(training: Training[Any, Any]) -> Pads:
    """The launchpads of a model and of its evaluation, by key."""
    return {training.model_key: training.model, training.evaluation_key: training.evaluation}


def run_config(those: Pads) -> Values:
    """The configuration of a run that makes assets again as they are; what is not there has none.

    Raises `InputError` for an asset whose configuration is not valid any more.
    """
    known = [(key, pad, manifest) for key, pad in those.items() if (manifest := sealed(key))]
    return {"ops": {key: {"config": values_of(pad, manifest)} for key, pad, manifest in known}}


def values_of(pad: Launchpad[Any], manifest: Manifest) -> Values:
    """What to write into the launchpad to get the configuration of an artifact: the nearest preset, what differs.

    The nearest, because what a configuration does not record (workers, size of data made on the spot) comes from it.
    Fields that did not exist then stay as in the preset; those that exist no more are left out.
    """
    found = {name: _changed(preset().relevant(), manifest.config) for name, preset in pad.presets.items()}
    # A field that would have to be null cannot be told: the launchpad takes that as "as in the preset".
    name = min(found, key=lambda name: (None in found[name].values(), len(found[name])))
    values = {"preset": name, **_nested(found[name])}
    try:
        pad.resolve(values)
    except InputError as error:
        raise InputError(
            f"{manifest.key}: its configuration is not valid any more ({error}); train it by hand"
        ) from None
    return values


def _changed(base: Values, wanted: Mapping[str, Any]) -> Values:
    """The fields of `base` that are others in `wanted`, by dotted name."""
    known = flat(reuse.plain(base))
    return {name: value for name, value in flat(wanted).items() if name in known and known[name] != value}


def _nested(values: Values) -> Values:
    """Sections and their fields; a configuration is never deeper."""
    found: Values = {}
    for name, value in values.items():
        section, _, field = name.rpartition(".")
        (found.setdefault(section, {}) if section else found)[field] = value
    return found


def under_way(context: Context) -> set[str]:
    """The keys of all assets that queued and running runs will make."""
    runs = context.instance.get_runs(dg.RunsFilter(statuses=[each for each in dg.DagsterRunStatus if each not in OVER]))
    return {key.to_user_string() for run in runs for key in run.asset_selection or _keys_of_job(context, run)}


def _keys_of_job(context: Context, run: dg.DagsterRun) -> Iterable[dg.AssetKey]:
    """A run of a whole job does not list its assets."""
    repository = context.repository_def
    if repository is None or not repository.has_job(run.job_name):
        return ()
    return repository.get_job(run.job_name).asset_layer.selected_asset_keys
