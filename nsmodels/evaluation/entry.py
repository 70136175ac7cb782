"""What the ledger says of one evaluation: score, data, configuration and cost, read from its sealed folder alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from nsmodels.core import artifact
from nsmodels.core.artifact import InputRecord, Manifest
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.evaluation.outcomes import MODEL, OUTCOMES, Outcomes, read_outcomes


class Entry(Config):
    """One evaluation of one model.

    Attributes:
        id: 16 hex digits of the hash of the evaluation's manifest.
        name: the model's key; of a replicate or trial also its partition, as "clevr_replicates/3".
        key: the evaluation's key.
        system: which system made it.
        dataset: key of the scored data, with their `data_fingerprint`, `source` and `split`.
        trained_on: source of the data that the model learnt from.
        metric: what the score counts, "accuracy" or "success".
        score: mean over n items, in [0, 1], with its 95 % interval `low` to `high` (None: a single cluster).
        baselines: scores of what was scored beside it, without what cannot be beaten.
        configuration: of the model, all that can change a result; `evaluation` that of the evaluation.
        num_parameters: trained numbers; None where the model does not say.
        train_cpu_seconds: of the scored networks, baselines left out; of the whole training where the model does not
            say; likewise `train_wall_seconds`.
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
    score: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    baselines: dict[str, float]
    seed: int | None
    configuration: dict[str, Any]
    evaluation: dict[str, Any]
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

    def settings(self) -> dict[str, Any]:
        """All that makes two evaluations of the same data others, by dotted name; seeds stand by themselves."""
        every = {**flat(self.configuration), **flat(self.evaluation, "evaluation.")}
        every |= {"code": self.code_version, "trained_on": self.trained_on}
        return {name: value for name, value in every.items() if name.rpartition(".")[2] != "seed"}


def flat(values: Mapping[str, Any], front: str = "") -> dict[str, Any]:
    """Nested mappings as one with dotted names, each after `front`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{front}{name}.") if isinstance(value, Mapping) else {f"{front}{name}": value}
    return found


def entry_of(evaluation: Path, root: Path) -> Entry:
    """The entry of a sealed evaluation; InputError when it is none, or was changed since it was sealed."""
    manifest, outcomes = artifact.read_manifest(evaluation), _sealed_outcomes(evaluation)
    trained, (dataset, data) = _model_and_data(evaluation, manifest)
    ends = outcomes.interval or (None, None)
    return Entry(
        id=id_of(evaluation),
        name=_name(evaluation, root) or trained.key,
        key=manifest.key,
        system=manifest.maker.rpartition(".")[2],
        dataset=dataset,
        data_fingerprint=data.fingerprint,
        source=data.source,
        trained_on=trained.source,
        split=outcomes.split,
        metric=outcomes.metric,
        score=outcomes.mean,
        low=ends[0],
        high=ends[1],
        n=len(outcomes.items),
        num_clusters=outcomes.num_clusters,
        baselines=dict(_baselines(manifest.metrics)),
        seed=trained.seed,
        configuration=trained.config,
        evaluation=manifest.config,
        code_version=trained.code_version,
        num_parameters=trained.metrics.get("num_parameters"),
        train_cpu_seconds=_spent(trained, "cpu_seconds", trained.cpu_seconds),
        train_wall_seconds=_spent(trained, "seconds", trained.wall_seconds),
        evaluation_cpu_seconds=manifest.cpu_seconds,
        evaluation_wall_seconds=manifest.wall_seconds,
        model_fingerprint=trained.fingerprint,
        evaluation_fingerprint=manifest.fingerprint,
        commit=manifest.commit,
        machine=manifest.machine,
        created=manifest.created,
        entered=datetime.now(UTC).isoformat(),
    )


def id_of(evaluation: Path) -> str:
    """The id of the entry of a sealed evaluation: another one whenever it is made again."""
    return artifact.sha256_of(evaluation / artifact.MANIFEST)[:16]


def _sealed_outcomes(evaluation: Path) -> Outcomes:
    outcomes, manifest = read_outcomes(evaluation), artifact.read_manifest(evaluation)
    record = manifest.files.get(OUTCOMES)
    if record is None or artifact.sha256_of(evaluation / OUTCOMES) != record.sha256:
        raise InputError(f"{evaluation / OUTCOMES}: differs from its checksum; make the evaluation again")
    return outcomes


def _model_and_data(evaluation: Path, manifest: Manifest) -> tuple[Manifest, tuple[str, InputRecord]]:
    """The manifest of the scored model, and key and record of the data: the other input."""
    path = evaluation / MODEL
    try:
        trained, mark = Manifest.model_validate_json(path.read_bytes()), artifact.sha256_of(path)
    except (OSError, ValidationError):
        raise InputError(f"{path}: missing or broken; make the evaluation again") from None
    others = [(key, record) for key, record in manifest.inputs.items() if record.manifest_sha256 != mark]
    if len(others) != 1 or len(manifest.inputs) != 2:
        raise InputError(f"{evaluation}: its model was made again while it was scored; make the evaluation again")
    return trained, others[0]


def _name(evaluation: Path, root: Path) -> str:
    """Asset and partition of an evaluation that lies deeper than an asset does; else empty."""
    place = evaluation.resolve()
    parts = place.relative_to(root.resolve()).parts if root.resolve() in place.parents else ()
    return "/".join(parts[:2]) if len(parts) > 1 else ""


def _baselines(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in metrics.items():
        if name.startswith("baseline/") and isinstance(value, int | float):
            yield name.removeprefix("baseline/"), float(value)


def _spent(trained: Manifest, name: str, whole: float) -> float:
    """Seconds of the scored networks; else of all phases, earlier sittings included; else of the last sitting."""
    ours = trained.metrics.get("train_cpu_seconds" if name == "cpu_seconds" else "train_wall_seconds")
    phases = [value for key, value in trained.metrics.items() if key.count("/") == 1 and key.endswith(f"/{name}")]
    return float(ours if ours is not None else sum(phases) or whole)
