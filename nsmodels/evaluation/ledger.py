"""The ledger: every sealed evaluation with its cost, kept when artifacts are replaced; any two can be compared.

One folder per evaluation and metric under `<data root>/ledger`, named after the hash of the evaluation's manifest (and
of the metric, where it is not the headline): `entry.json` and the outcomes.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from nsmodels.core import artifact, disk
from nsmodels.core.disk import writing
from nsmodels.core.errors import InputError
from nsmodels.core.sealed import renamed
from nsmodels.evaluation.entry import Entry, entries_of, id_of
from nsmodels.evaluation.measure import SHARE
from nsmodels.evaluation.metrics import paired_comparison, wilson_interval
from nsmodels.evaluation.outcomes import OUTCOMES, Outcomes, read_outcomes

LEDGER, ENTRY = "ledger", "entry.json"
# Where evaluations lie: an asset, a partition of one, a replicate or trial beside its model.
PLACES = ("*", "*/*", "*/*/evaluation")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """`first` minus `second` over the n items that both were scored on, with its 95 % interval by cluster.

    `p_value` is of McNemar's exact test (a sign test where scores are not 0 or 1), which takes items as independent;
    where they are not, trust the interval, which for a single cluster is as wide as the metric allows (infinite for an
    unbounded one). `only_first`, `only_second`: number of items on which the one is better, in the metric's direction.
    `unpaired`: number of items that only one of them was scored on, left out.
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
        """The comparison as plain values, None for an infinite end; the evaluations by their ids."""
        ends = {
            name: value if math.isfinite(value) else None for name, value in (("low", self.low), ("high", self.high))
        }
        return {**asdict(self), **ends, "first": self.first.id, "second": self.second.id}

    @property
    def gain(self) -> tuple[float, float]:
        """The interval of how much better `first` is, in the metric's direction: above 0 it is better for certain."""
        low, high = (self.first.measure.sign * end for end in (self.low, self.high))
        return min(low, high), max(low, high)

    def text(self) -> str:
        """The comparison as text, shares in percentage points."""
        measure = self.first.measure
        difference, low, high = (measure.difference(value) for value in (self.difference, self.low, self.high))
        verdict = "no difference is shown" if self.low <= 0 <= self.high else "a difference is shown"
        unit = "points" if measure.unit == SHARE else measure.unit
        name = f"{measure.name} (lower is better)" if measure.sign < 0 else measure.name
        lines = [f"{entry.id}  {entry.name}, seed {entry.seed}" for entry in (self.first, self.second)]
        lines += [
            f"{name}, first minus second: {' '.join(filter(None, (difference, unit)))}, 95 % interval {low} to {high}: "
            f"{verdict}"
        ]
        lines += [
            f"better on {self.only_first:,} and {self.only_second:,} of {self.n:,} items of split {self.first.split}; "
            f"McNemar p = {self.p_value:.3g} (takes items as independent)"
        ]
        left_out = f"{self.unpaired:,} items that only one of them was scored on are left out"
        return "\n".join(lines + ([left_out] if self.unpaired else []))


def enter(evaluation: Path, root: Path | None = None) -> Path:
    """Enter every metric of a sealed evaluation into the ledger of a data root, unless it is there already.

    Returns the folder of the headline's entry. Raises InputError for a folder that is no evaluation, or one without
    outcomes.
    """
    root = root or artifact.data_root()
    # The headline last: where it is, `scan` takes the others to be there.
    places = [_enter(entry, outcomes, root) for entry, outcomes in reversed(entries_of(evaluation, root))]
    return places[-1]


def _enter(entry: Entry, outcomes: Path, root: Path) -> Path:
    place = root / LEDGER / entry.id
    if _is_readable(place):
        return place
    beside = place.with_name(f".{entry.id}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with writing(place):
            beside.mkdir(parents=True)
            shutil.copyfile(outcomes, beside / OUTCOMES)
            disk.write_atomic(beside / ENTRY, entry.model_dump_json(indent=1) + "\n")
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
            found.append(read_entry(folder))
        except InputError as error:
            log.warning("%s", error)
    return sorted(found, key=_age)


def read_entry(place: Path) -> Entry:
    """The entry in a folder of the ledger, as `enter` gave it; InputError when it is broken."""
    remedy = "make the evaluation again, or move its folder away"
    try:
        entry = Entry.model_validate(json.loads((place / ENTRY).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise InputError(f"{place / ENTRY}: missing or broken, left out; {remedy}") from None
    if not (place / OUTCOMES).is_file():
        raise InputError(f"{place / OUTCOMES}: missing, left out; {remedy}")
    return entry


def scan(root: Path | None = None) -> list[Path]:
    """Enter the evaluations under a data root that are not in its ledger yet; their entries' folders.

    What cannot be entered is named in a warning.
    """
    root, found = root or artifact.data_root(), []
    for evaluation in _evaluations(root):
        try:
            if not _is_readable(root / LEDGER / id_of(evaluation)):
                found.append(enter(evaluation, root))
        except (InputError, OSError, ValidationError) as error:
            log.warning("%s", error)
    return found


def find(word: str, listed: Sequence[Entry]) -> Entry:
    """The entry whose id begins with `word`, else the latest evaluation of the asset key or name `word`.

    A name gives the headline; "nav_evaluation:spl" names another metric. Raises InputError when there is none, and when
    several ids begin so.
    """
    name, _, metric = word.partition(":")
    name = renamed.current(name)
    keys = {entry.id: {renamed.current(entry.name), renamed.current(entry.key)} for entry in listed}
    if named := [e for e in listed if name in keys[e.id] and (e.metric == metric if metric else e.is_headline)]:
        return max(named, key=lambda entry: ("/" not in entry.name, _age(entry)))  # an asset before its replicates
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


class NothingShared(InputError):
    """Two evaluations have no item in common."""


def compare(first: Entry, second: Entry, root: Path | None = None) -> Comparison:
    """Compare two evaluations item by item; InputError unless both are of the same data, split and metric."""
    _require_same(first, second)
    one, other = outcomes_of(first, root), outcomes_of(second, root)
    place = {item: number for number, item in enumerate(other.items)}
    shared = [(number, place[item]) for number, item in enumerate(one.items) if item in place]
    if not shared:
        raise NothingShared(f"{first.id} and {second.id}: no item was scored in both; evaluate both on the same items")
    mine, theirs = np.array(shared).T
    clusters = np.array(one.clusters)[mine]
    pair, measure = (one.scores[mine], other.scores[theirs]), first.measure
    found = paired_comparison(*pair, clusters, measure.range)
    low, high = _equal_differences(pair[0] - pair[1], clusters, measure.range) or found.interval
    first_wins, second_wins = (found.only_first, found.only_second)[:: measure.sign]
    counts = first_wins, second_wins, len(mine), len(one.items) + len(other.items) - 2 * len(mine)
    return Comparison(first, second, found.difference, low, high, found.p_value, *counts)


def _equal_differences(differences: np.ndarray, clusters: np.ndarray, widest: float) -> tuple[float, float] | None:
    """The interval where all differences are equal, to which resampling gives no width.

    A share `hidden` of other clusters may still differ (Wilson's interval of 0 in n), each by `widest` at most.
    """
    num_clusters = len(np.unique(clusters))
    if differences.min() < differences.max() or num_clusters < 2:
        return None
    hidden = wilson_interval(0, num_clusters)[1] * widest
    return max(-widest, float(differences[0]) - hidden), min(widest, float(differences[0]) + hidden)


def _require_same(first: Entry, second: Entry) -> None:
    for what in ("data_fingerprint", "split", "metric", "unit", "direction", "bounds"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            names = {
                "data_fingerprint": f"data ({first.dataset} {one}, {second.dataset} {other})",
                "bounds": f"bounds of {first.metric} ({one}, {other})",
            }
            raise InputError(
                f"{first.id} and {second.id}: of different {names.get(what, f'{what}s ({one}, {other})')}; "
                "only evaluations of the same data, split and metric can be compared"
            )


def _evaluations(root: Path) -> Iterator[Path]:
    """The sealed folders with outcomes under a data root."""
    for pattern in PLACES:
        for path in sorted(root.glob(f"{pattern}/{OUTCOMES}")):
            is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not is_hidden and (path.parent / artifact.MANIFEST).exists():
                yield path.parent


def _is_readable(place: Path) -> bool:
    try:
        return place.exists() and bool(read_entry(place))
    except InputError:
        return False


def _put(beside: Path, place: Path) -> None:
    """Move a whole entry into place; another process may have been faster, and then holds the same."""
    if place.exists() and not _is_readable(place):
        shutil.rmtree(place, ignore_errors=True)
    try:
        beside.rename(place)
    except OSError:
        if not _is_readable(place):
            raise
