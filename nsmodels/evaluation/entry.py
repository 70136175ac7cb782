"""Entries of the ledger: score, data, configuration and cost of one evaluation by one metric, from its folder alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from nsmodels.core import artifact, disk, orders
from nsmodels.core.artifact import InputRecord, Manifest
from nsmodels.core.config import Config, fingerprint, flat, is_seed
from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import SHARE, Measure
from nsmodels.evaluation.outcomes import MODEL, OUTCOMES, Outcomes, files_of, read_model, read_outcomes


class Entry(Config):
    """One evaluation of one model.

    Attributes:
        id: 16 hex digits of the hash of the evaluation's manifest.
        name: the model's key; of a replicate or trial also its partition, as "clevr_replicates/3".
        key: the evaluation's key.
        system: which system made it.
        dataset: key of the scored data, with their `data_fingerprint`, `source` and `split`; several are joined by "+".
        trained_on: source of the data that the model learnt from.
        metric: name of the metric, as "accuracy" or "nmse", with `unit`, `bounds` and `direction` (see `Measure`);
            `is_headline` for the first metric of its evaluation.
        score: mean over n items, with its 95 % interval `low` to `high` (None: a single cluster).
        baselines: scores of what was scored beside it, without what cannot be beaten.
        parent: configuration of the model that it started from, empty without one.
        configuration: of the model, all that can change a result; `evaluation` that of the evaluation.
        num_parameters: number of trained parameters; None where the model does not record it.
        train_cpu_seconds: of the scored networks, baselines left out; of the whole training where the model does not
            record it; likewise `train_wall_seconds`.
        created: when the evaluation was sealed, in UTC; `entered` when it came into the ledger.
    """

    model_config = ConfigDict(protected_namespaces=())

    # Entries outlive their evaluations: a field that comes later needs a default.
    id: str
    name: str
    key: str
    system: str
    dataset: str
    data_fingerprint: str
    source: str
    trained_on: str
    split: str
    metric: str
    unit: str = SHARE
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    direction: Literal["higher", "lower"] = "higher"
    is_headline: bool = True
    score: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    baselines: dict[str, float]
    seed: int | None
    configuration: dict[str, Any]
    evaluation: dict[str, Any]
    parent: dict[str, Any] = Field(default={})
    code_version: str
    num_parameters: int | None
    train_cpu_seconds: float
    train_wall_seconds: float
    evaluation_cpu_seconds: float
    evaluation_wall_seconds: float
    model_fingerprint: str
    evaluation_fingerprint: str
    commit: str
    machine: str
    created: str
    entered: str

    @property
    def measure(self) -> Measure:
        """Name, unit, bounds and direction of the metric."""
        return Measure(self.metric, self.unit, self.bounds, self.direction)

    def settings(self) -> dict[str, Any]:
        """Everything in which two evaluations of the same data may differ, by dotted name, but for seeds."""
        every = {**flat(self.configuration), **flat(self.evaluation, "evaluation.")}
        every |= flat(self.parent, "parent.")
        every |= {"code": self.code_version, "trained_on": self.trained_on}
        return {name: value for name, value in every.items() if not is_seed(name)}


def entries_of(evaluation: Path, root: Path, has_intervals: bool = True) -> list[tuple[Entry, Path]]:
    """The entries of a sealed evaluation, one per metric with its file, the headline first.

    Without `has_intervals`, which take most of the time, `low` and `high` are None.
    Raises InputError when the folder is no evaluation, or was changed since it was sealed.
    """
    manifest = artifact.read_manifest(evaluation)
    scored = [(_sealed_outcomes(path, manifest), path) for path in files_of(evaluation)]
    trained, data = _model_and_data(evaluation, manifest)
    shared = _shared(evaluation, manifest, trained, data, root)
    found = []
    for outcomes, path in scored:
        is_headline = path.name == OUTCOMES
        ends = (outcomes.interval if has_intervals else None) or (None, None)
        entry = Entry(
            **shared,
            id=id_of(evaluation, None if is_headline else outcomes.metric),
            split=outcomes.split,
            metric=outcomes.metric,
            unit=outcomes.unit,
            bounds=outcomes.bounds,
            direction=outcomes.direction,
            is_headline=is_headline,
            score=outcomes.mean,
            low=ends[0],
            high=ends[1],
            n=len(outcomes.items),
            num_clusters=outcomes.num_clusters,
            baselines=dict(_baselines(manifest.metrics, "" if is_headline else outcomes.metric)),
        )
        found.append((entry, path))
    return found


def _shared(
    evaluation: Path, manifest: Manifest, trained: Manifest, data: Mapping[str, InputRecord], root: Path
) -> dict[str, Any]:
    """The fields that all metrics of an evaluation have in common."""
    marks = [record.fingerprint for record in data.values()]
    return {
        "name": _name(evaluation, root) or trained.key,
        "key": manifest.key,
        "system": manifest.maker.rpartition(".")[2],
        "dataset": "+".join(data),
        "data_fingerprint": marks[0] if len(marks) == 1 else fingerprint(sorted(marks)),
        "source": ", ".join(dict.fromkeys(record.source for record in data.values())),
        "trained_on": trained.source,
        "seed": trained.seed,
        "configuration": trained.config,
        "evaluation": manifest.config,
        "parent": _parent(trained),
        "code_version": trained.code_version,
        "num_parameters": trained.metrics.get("num_parameters"),
        "train_cpu_seconds": _spent(trained, "cpu_seconds", trained.cpu_seconds),
        "train_wall_seconds": _spent(trained, "seconds", trained.wall_seconds),
        "evaluation_cpu_seconds": manifest.cpu_seconds,
        "evaluation_wall_seconds": manifest.wall_seconds,
        "model_fingerprint": trained.fingerprint,
        "evaluation_fingerprint": manifest.fingerprint,
        "commit": manifest.commit,
        "machine": manifest.machine,
        "created": manifest.created,
        "entered": datetime.now(UTC).isoformat(),
    }


def _parent(trained: Manifest) -> dict[str, Any]:
    """Configuration of the model that `trained` started from, while that very model is there."""
    for record in trained.inputs.values():
        path = Path(record.path) / artifact.MANIFEST
        if record.role == orders.PARENT and path.is_file() and disk.sha256_of(path) == record.manifest_sha256:
            return Manifest.model_validate_json(path.read_bytes()).config
    return {}


def id_of(evaluation: Path, metric: str | None = None) -> str:
    """The id of the entry of a sealed evaluation and metric (None: the headline); it changes with each sealing."""
    seal = disk.sha256_of(evaluation / artifact.MANIFEST)
    return seal[:16] if metric is None else fingerprint([seal, metric])


def _sealed_outcomes(path: Path, manifest: Manifest) -> Outcomes:
    outcomes, record = read_outcomes(path), manifest.files.get(path.name)
    if record is None or disk.sha256_of(path) != record.sha256:
        raise InputError(f"{path}: differs from its checksum; make the evaluation again")
    return outcomes


def _model_and_data(evaluation: Path, manifest: Manifest) -> tuple[Manifest, dict[str, InputRecord]]:
    """The manifest of the scored model, and the records of the data by key.

    Manifests without roles have one model and one dataset; their model is the input with the hash of `model.json`.
    """
    trained, mark = read_model(evaluation), disk.sha256_of(evaluation / MODEL)
    has_roles = any(record.role for record in manifest.inputs.values())
    models = {
        key: record
        for key, record in manifest.inputs.items()
        if (record.role == orders.MODEL if has_roles else record.manifest_sha256 == mark)
    }
    data = {key: record for key, record in manifest.inputs.items() if key not in models}
    if [record.manifest_sha256 for record in models.values()] != [mark] or (not has_roles and len(data) != 1):
        raise InputError(f"{evaluation}: its model was made again while it was scored; make the evaluation again")
    if not data:
        raise InputError(f"{evaluation}: its manifest names no data; make the evaluation again")
    return trained, data


def _name(evaluation: Path, root: Path) -> str:
    """Asset and partition of an evaluation in a partition; else empty."""
    place = evaluation.resolve()
    parts = place.relative_to(root.resolve()).parts if root.resolve() in place.parents else ()
    return "/".join(parts[:2]) if len(parts) > 1 else ""


def _baselines(metrics: Mapping[str, Any], metric: str) -> Iterator[tuple[str, float]]:
    """Scores named "baseline/<name>" of the headline, "baseline/<metric>/<name>" of any other metric."""
    prefix = f"baseline/{metric}/" if metric else "baseline/"
    for name, value in metrics.items():
        rest = name.removeprefix(prefix)
        if rest != name and "/" not in rest and isinstance(value, int | float):
            yield rest, float(value)


def _spent(trained: Manifest, name: str, whole: float) -> float:
    """Seconds of the scored networks; else of all phases, earlier sittings included; else of the last sitting."""
    ours = trained.metrics.get("train_cpu_seconds" if name == "cpu_seconds" else "train_wall_seconds")
    phases = [value for key, value in trained.metrics.items() if key.count("/") == 1 and key.endswith(f"/{name}")]
    return float(ours if ours is not None else sum(phases) or whole)
