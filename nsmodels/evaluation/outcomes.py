"""What a model scored on each item of a split: written beside every evaluation, so that any two can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.artifact import MANIFEST, read_manifest, write_atomic
from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError
from nsmodels.evaluation.metrics import Interval, mean_interval

OUTCOMES = "outcomes.parquet"
MODEL = "model.json"  # the manifest of the scored model: an evaluation speaks for itself when the model is gone
COLUMNS = ("item", "cluster", "score")
ABOUT = ("metric", "split")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The scores of n items.

    Attributes:
        metric: what a score of 1 means, as "accuracy" or "success".
        split: the split of the data.
        items: names (n,), all different, the same for the same data whatever the model.
        clusters: names (n,) of what succeeds and fails together, as the questions about one image.
        scores: (n,), each in [0, 1].

    Raises InputError when they are not that.
    """

    metric: str
    split: str
    items: Sequence[str]
    clusters: Sequence[str]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not self.metric or not self.split:
            raise InputError(f"outcomes: metric '{self.metric}' and split '{self.split}' must be named")
        if not len(self.items) == len(self.clusters) == len(self.scores) > 0:
            sizes = f"{len(self.items)}, {len(self.clusters)}, {len(self.scores)}"
            raise InputError(f"outcomes: expected as many items, clusters and scores, at least one; got {sizes}")
        if twice := [item for item, num in Counter(self.items).items() if num > 1]:
            raise InputError(f"outcomes: item '{twice[0]}' stands there more than once; names must differ")
        wrong = np.flatnonzero(~((self.scores >= 0) & (self.scores <= 1)))
        if len(wrong):
            raise InputError(
                f"outcomes: expected scores in [0, 1], got {self.scores[wrong[0]]} for item '{self.items[wrong[0]]}'"
            )

    @cached_property
    def mean(self) -> float:
        """The score of the model."""
        return float(np.mean(self.scores))

    @cached_property
    def interval(self) -> Interval | None:
        """Its 95 % interval, whole clusters resampled; None for a single cluster."""
        return mean_interval(self.scores, list(self.clusters))

    @property
    def num_clusters(self) -> int:
        """Different clusters."""
        return len(set(self.clusters))


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with a number behind every repetition: "a", "b", "a (2)"."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return found


def write_outcomes(folder: Path, outcomes: Outcomes, model: Path) -> None:
    """Write `outcomes.parquet` into an evaluation, and `model.json`, the manifest of the sealed `model`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = (pa.array(outcomes.items, pa.string()), pa.array(outcomes.clusters, pa.string()).dictionary_encode())
    table = pa.table(dict(zip(COLUMNS, (*columns, pa.array(outcomes.scores, pa.float64())), strict=True)))
    about = {name: getattr(outcomes, name) for name in ABOUT}
    with writing(folder / OUTCOMES), atomically(folder / OUTCOMES) as beside:
        pq.write_table(table.replace_schema_metadata(about), beside, compression="zstd")
    read_manifest(model)
    write_atomic(folder / MODEL, (model / MANIFEST).read_bytes())


def read_outcomes(folder: Path) -> Outcomes:
    """The outcomes in a folder; `InputError` naming the file when it is missing, broken, or none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / OUTCOMES
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise InputError(f"{path}: missing; make the evaluation again, older ones did not keep outcomes") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error}); make the evaluation again") from None
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    absent = [name for name in COLUMNS if name not in table.column_names] + [
        name for name in ABOUT if name not in about
    ]
    if absent:
        raise InputError(f"{path}: '{absent[0]}' is missing, so these are no outcomes; make the evaluation again")
    items, clusters, scores = (table.column(name).to_pylist() for name in COLUMNS)
    try:
        return Outcomes(about["metric"], about["split"], items, clusters, np.array(scores, float))
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}; make the evaluation again") from None
