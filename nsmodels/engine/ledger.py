"""The ledger: every sealed evaluation with what it took, kept when artifacts are replaced; any two can be compared.

One folder per evaluation under `<data root>/ledger`, named by the hash of its manifest: `entry.json` and the outcomes.
"""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict, ValidationError

from nsmodels.core import artifact
from nsmodels.core.artifact import InputRecord, Manifest
from nsmodels.core.config import Config
from nsmodels.core.disk import writing
from nsmodels.core.errors import InputError
from nsmodels.engine.metrics import paired_comparison, wilson_interval
from nsmodels.engine.outcomes import MODEL, OUTCOMES, Outcomes, read_outcomes

LEDGER, ENTRY = "ledger", "entry.json"
# Where evaluations lie: an asset, a partition of one, a replicate or trial beside its model.
PLACES = ("*", "*/*", "*/*/evaluation")
log = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Comparison:
    """`first` minus `second` over the n items that both were scored on, with its 95 % interval by cluster.

    `p_value` is of McNemar's exact test (a sign test where scores are not 0 or 1), which takes items as independent;
    where they are not, trust the interval. `only_first`, `only_second`: items on which the one does better. `unpaired`:
    items that only one of them was scored on, left out.
    """

    first: Entry
    second: Entry
    difference: float
    low: float
    high: float
    p_value: float
    only_first: int
    only_second: int
    n: int
    unpaired: int

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values; the evaluations by their ids."""
        return {**asdict(self), "first": self.first.id, "second": self.second.id}

    def text(self) -> str:
        """The comparison in words, in percentage points."""
        difference, low, high = (f"{100 * value:+.2f}" for value in (self.difference, self.low, self.high))
        verdict = "no difference is shown" if self.low <= 0 <= self.high else "a difference is shown"
        lines = [f"{entry.id}  {entry.name}, seed {entry.seed}" for entry in (self.first, self.second)]
        lines += [
            f"{self.first.metric}, first minus second: {difference} points, 95 % interval {low} to {high}: {verdict}"
        ]
        lines += [
            f"better on {self.only_first:,} and {self.only_second:,} of {self.n:,} items of split {self.first.split}; "
            f"McNemar p = {self.p_value:.3g} (takes items as independent)"
        ]
        left_out = f"{self.unpaired:,} items that only one of them was scored on are left out"
        return "\n".join(lines + ([left_out] if self.unpaired else []))


def enter(evaluation: Path, root: Path | None = None) -> Path:
    """Enter a sealed evaluation into the ledger of a data root, unless it stands there; returns the entry's folder.

    Raises InputError for a folder that is no evaluation, or one without outcomes.
    """
    root = root or artifact.data_root()
    entry = _described(evaluation, root)
    place = root / LEDGER / entry.id
    if _is_readable(place):
        return place
    beside = place.with_name(f".{entry.id}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with writing(place):
            beside.mkdir(parents=True)
            shutil.copyfile(evaluation / OUTCOMES, beside / OUTCOMES)
            artifact.write_atomic(beside / ENTRY, entry.model_dump_json(indent=1) + "\n")
            _put(beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def enter_own(evaluation: Path) -> Path | None:
    """Enter an evaluation that lies under the data root; one elsewhere belongs to no ledger."""
    return enter(evaluation) if artifact.data_root() in evaluation.resolve().parents else None


def entries(root: Path | None = None) -> list[Entry]:
    """Everything in the ledger of a data root, the oldest first; a broken entry is named in a warning and left out."""
    place = (root or artifact.data_root()) / LEDGER
    found = []
    for folder in sorted(path for path in place.glob("*") if path.is_dir() and not path.name.startswith(".")):
        try:
            found.append(_read(folder))
        except InputError as error:
            log.warning("%s", error)
    return sorted(found, key=_age)


def scan(root: Path | None = None) -> list[Path]:
    """Enter the evaluations under a data root that are not in its ledger yet; their entries' folders.

    What cannot be entered is named in a warning.
    """
    root, found = root or artifact.data_root(), []
    for evaluation in _evaluations(root):
        try:
            if not _is_readable(root / LEDGER / _id(evaluation)):
                found.append(enter(evaluation, root))
        except (InputError, OSError) as error:
            log.warning("%s", error)
    return found


def find(word: str, listed: Sequence[Entry]) -> Entry:
    """The entry whose id begins with `word`, else the latest evaluation of the asset key or name `word`.

    Raises InputError when there is none, and when several ids begin so.
    """
    if named := [entry for entry in listed if word in (entry.name, entry.key)]:
        return max(named, key=_age)
    begun = [entry for entry in listed if word and entry.id.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise InputError(f"{word}: {len(begun)} evaluations begin so ({', '.join(e.id for e in begun[:5])}); give more")
    known = ", ".join(sorted({entry.name for entry in listed})) or "none"
    raise InputError(
        f"{word}: no evaluation in the ledger has this id or key (keys: {known}); see nsmodels leaderboard"
    )


def _age(entry: Entry) -> tuple[str, str]:
    return entry.created, entry.entered  # the former in whole seconds


def outcomes_of(entry: Entry, root: Path | None = None) -> Outcomes:
    """The outcomes of an entry, by item."""
    return read_outcomes((root or artifact.data_root()) / LEDGER / entry.id)


def compare(first: Entry, second: Entry, root: Path | None = None) -> Comparison:
    """Compare two evaluations item by item; InputError unless both are of the same data, split and metric."""
    _require_same(first, second)
    one, other = outcomes_of(first, root), outcomes_of(second, root)
    place = {item: number for number, item in enumerate(other.items)}
    shared = [(number, place[item]) for number, item in enumerate(one.items) if item in place]
    if not shared:
        raise InputError(f"{first.id} and {second.id}: no item was scored in both; evaluate both on the same items")
    mine, theirs = np.array(shared).T
    clusters = np.array(one.clusters)[mine]
    pair = one.scores[mine], other.scores[theirs]
    found = paired_comparison(*pair, clusters)
    low, high = _doubted(pair[0] - pair[1], clusters) or found.interval
    counts = found.only_first, found.only_second, len(mine), len(one.items) + len(other.items) - 2 * len(mine)
    return Comparison(first, second, found.difference, low, high, found.p_value, *counts)


def _doubted(differences: np.ndarray, clusters: np.ndarray) -> tuple[float, float] | None:
    """Where all differences are equal resampling sees no doubt: as many clusters could still hide some others."""
    if differences.min() < differences.max():
        return None
    hidden = wilson_interval(0, len(np.unique(clusters)))[1]
    return max(-1.0, float(differences[0]) - hidden), min(1.0, float(differences[0]) + hidden)


def _require_same(first: Entry, second: Entry) -> None:
    for what in ("data_fingerprint", "split", "metric"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            told = {"data_fingerprint": f"data ({first.dataset} {one}, {second.dataset} {other})"}
            raise InputError(
                f"{first.id} and {second.id}: of different {told.get(what, f'{what}s ({one}, {other})')}; "
                "only evaluations of the same data, split and metric can be compared"
            )


# --- from an evaluation to its entry ---------------------------------------------------------------------------------


def _described(evaluation: Path, root: Path) -> Entry:
    manifest, outcomes = artifact.read_manifest(evaluation), _sealed_outcomes(evaluation)
    trained, (dataset, data) = _model_and_data(evaluation, manifest)
    ends = outcomes.interval or (None, None)
    return Entry(
        id=_id(evaluation),
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


def _id(evaluation: Path) -> str:
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


def _evaluations(root: Path) -> Iterator[Path]:
    """The sealed folders with outcomes under a data root."""
    for pattern in PLACES:
        for path in sorted(root.glob(f"{pattern}/{OUTCOMES}")):
            is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not is_hidden and (path.parent / artifact.MANIFEST).exists():
                yield path.parent


def _is_readable(place: Path) -> bool:
    try:
        return place.exists() and bool(_read(place))
    except InputError:
        return False


def _read(place: Path) -> Entry:
    remedy = "remove its folder; an evaluation that is still there is then entered again"
    try:
        entry = Entry.model_validate(json.loads((place / ENTRY).read_text()))
    except (OSError, ValueError):
        raise InputError(f"{place / ENTRY}: missing or broken, left out; {remedy}") from None
    if not (place / OUTCOMES).is_file():
        raise InputError(f"{place / OUTCOMES}: missing, left out; {remedy}")
    return entry


def _put(beside: Path, place: Path) -> None:
    """Move a whole entry into place; another process may have been faster, and then holds the same."""
    if place.exists() and not _is_readable(place):
        shutil.rmtree(place, ignore_errors=True)
    try:
        beside.rename(place)
    except OSError:
        if not _is_readable(place):
            raise
