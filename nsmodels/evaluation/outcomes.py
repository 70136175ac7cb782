"""Outcomes: the score of a model on each item of a split, written beside every evaluation, so that any two compare."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.artifact import MANIFEST, Manifest, read_manifest
from nsmodels.core.disk import atomically, write_atomic, writing
from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import SHARE, Bounds, Direction, Measure
from nsmodels.evaluation.metrics import Interval, mean_interval

OUTCOMES = "outcomes.parquet"  # of the headline metric; of any other "outcomes_<metric>.parquet"
MODEL = "model.json"  # the manifest of the scored model: an evaluation is self-contained when the model is gone
COLUMNS = ("item", "cluster", "score")
ABOUT = ("metric", "split")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The scores of n items by one metric. The score of the model is their mean.

    A statistic that is no mean over items, as a correlation, is given per cluster: one item each.

    Attributes:
        metric: name of the metric, as "accuracy" or "nmse".
        split: the split of the data.
        items: names (n,), all different, the same for the same data whatever the model.
        clusters: names (n,) of what succeeds and fails together, as the questions about one image.
        scores: (n,), each within `bounds`.
        unit: "share" for a number in [0, 1]; see `Measure` for the rest.
        bounds: least and greatest possible score; None: unbounded.
        direction: whether "higher" or "lower" is better.
        chance: score of what has learnt nothing, as of answers at random; None: not known.

    Raises InputError when they are not that.
    """

    metric: str
    split: str
    items: Sequence[str]
    clusters: Sequence[str]
    scores: NDArray[np.float64]
    unit: str = SHARE
    bounds: Bounds = (0.0, 1.0)
    direction: Direction = "higher"
    chance: float | None = None

    def __post_init__(self) -> None:
        if not self.metric or not self.split:
            raise InputError(f"outcomes: metric '{self.metric}' and split '{self.split}' must be named")
        if not len(self.items) == len(self.clusters) == len(self.scores) > 0:
            sizes = f"{len(self.items)}, {len(self.clusters)}, {len(self.scores)}"
            raise InputError(f"outcomes: expected as many items, clusters and scores, at least one; got {sizes}")
        if twice := [item for item, num in Counter(self.items).items() if num > 1]:
            raise InputError(f"outcomes: item '{twice[0]}' appears more than once; names must differ")
        measure = self.measure
        wrong = [k for k, score in enumerate(self.scores) if not measure.includes(float(score))]
        if self.chance is not None and not measure.includes(self.chance):
            raise InputError(f"outcomes: expected the chance of {self.metric} within its bounds, got {self.chance}")
        if wrong:
            low, high = ("unbounded" if end is None else f"{end:g}" for end in self.bounds)
            raise InputError(
                f"outcomes: expected {self.metric} in [{low}, {high}], got {self.scores[wrong[0]]} for item "
                f"'{self.items[wrong[0]]}'"
            )

    @cached_property
    def measure(self) -> Measure:
        """Name, unit, bounds and direction of the metric."""
        return Measure(self.metric, self.unit, self.bounds, self.direction)

    @cached_property
    def mean(self) -> float:
        """The score of the model."""
        return float(np.mean(self.scores))

    @cached_property
    def interval(self) -> Interval | None:
        """Its 95 % interval, whole clusters resampled; None for a single cluster."""
        return mean_interval(self.scores, list(self.clusters), self.bounds)

    @property
    def num_clusters(self) -> int:
        """Number of different clusters."""
        return len(set(self.clusters))


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with a number behind every repetition: "a", "b", "a (2)"."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return found


def file_of(metric: str) -> str:
    """Name of the file with the outcomes of a metric that is not the headline."""
    return f"outcomes_{re.sub(r'[^A-Za-z0-9.-]+', '_', metric)}.parquet"


def write_outcomes(folder: Path, outcomes: Outcomes | Sequence[Outcomes], model: Path) -> None:
    """Write the outcomes of each metric into an evaluation, the headline first, and the manifest of the `model`.

    Raises InputError without outcomes, for two metrics of one name, and for a model that is not sealed.
    """
    several = [outcomes] if isinstance(outcomes, Outcomes) else list(outcomes)
    names = [file_of(each.metric) for each in several]
    if not several or len(set(names)) < len(names):
        raise InputError(f"outcomes: expected one or more metrics of different names, got {names}")
    for each, name in zip(several, [OUTCOMES, *names[1:]], strict=True):
        write_file(folder / name, each)
    read_manifest(model)
    write_atomic(folder / MODEL, (model / MANIFEST).read_bytes())


def write_file(path: Path, outcomes: Outcomes) -> None:
    """Write the outcomes of one metric as a parquet file, which `read_outcomes` reads."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = (pa.array(outcomes.items, pa.string()), pa.array(outcomes.clusters, pa.string()).dictionary_encode())
    table = pa.table(dict(zip(COLUMNS, (*columns, pa.array(outcomes.scores, pa.float64())), strict=True)))
    about = {name: getattr(outcomes, name) for name in (*ABOUT, "unit", "direction")}
    about["bounds"] = json.dumps(outcomes.bounds)
    about |= {} if outcomes.chance is None else {"chance": json.dumps(outcomes.chance)}
    with writing(path), atomically(path) as beside:
        pq.write_table(table.replace_schema_metadata(about), beside, compression="zstd")


def read_model(evaluation: Path) -> Manifest:
    """The manifest of the model that was scored; InputError naming the file when it is missing or broken."""
    path = evaluation / MODEL
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        raise InputError(f"{path}: missing or broken; make the evaluation again") from None


def files_of(folder: Path) -> list[Path]:
    """The files with outcomes in an evaluation, the headline first."""
    return [folder / OUTCOMES, *sorted(folder.glob("outcomes_*.parquet"))]


def read_outcomes(place: Path) -> Outcomes:
    """The outcomes in a file, or the headline of a folder; InputError naming the file when it is missing or broken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = place / OUTCOMES if place.is_dir() else place
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
        how = {"unit": about["unit"], "direction": about["direction"], "bounds": tuple(json.loads(about["bounds"]))}
        how |= {"chance": float(about["chance"])} if "chance" in about else {}
    except (KeyError, ValueError):
        how = {}  # written before metrics had units: a share, higher is better
    try:
        return Outcomes(about["metric"], about["split"], items, clusters, np.array(scores, float), **how)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}; make the evaluation again") from None
