"""The meter of shortcuts: how far classifiers come that see counts and short-range colours but cannot reason.

Twins have equal pooled counts, so a classifier of counts is at chance on them; colours after 1, 2 or 3 rounds of
Weisfeiler-Leman see small neighbourhoods, and are at chance where the answer lies further away. A dataset on which one
of them is not has a cue. The meter runs for each kind of query alone: an average over kinds hides one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.evaluation.metrics import Interval, mean_interval
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.checks import twins
from nsmodels.formats.graphs.colours import count_colours, node_colours
from nsmodels.formats.graphs.tables import Graphs

LIMIT = 0.57  # of accuracy and rank
WIDENING = 2.87 / 1.96  # of the 95 % interval, for the verdict: twelve numbers are compared with the limit at once
NUM_HASHED = 2**15  # columns of a histogram of colours
NUM_COLOURS = 250  # the commonest colours, for gradient boosting
STRENGTHS = (0.003, 0.03, 0.3)  # inverse regularisation of the logistic regression
HELD_OUT = 5  # one pair in so many chooses the regularisation
MEASURED = 3  # one pair in so many of `train` is measured, beside `val` and `test`
WL = ("WL-0", "WL-1", "WL-2", "WL-3")
COUNTS, BOOSTING = "counts", "boosting"
CLASSIFIERS = (COUNTS, *WL, BOOSTING)
TIE = 1e-9  # scores that differ by rounding only are equal
ABOUT = {
    COUNTS: "a network with one hidden layer on pooled counts: types, features, marks and typed degrees",
    **{name: f"logistic regression on the colours after {name[3:]} rounds of Weisfeiler-Leman" for name in WL},
    BOOSTING: "gradient boosting on pooled statistics and the commonest colours",
}

Scorer = Callable[[Graphs], NDArray[np.float64]]  # probabilities (g,) of label 1
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a classifier reaches on a kind of query.

    Attributes:
        accuracy: share of the graphs classified rightly; `accuracy_interval`: its 95 % interval, pairs resampled.
        rank: share of the pairs in which the right twin scores higher, equal scores half; NaN without pairs.
    """

    kind: str
    classifier: str
    num_pairs: int
    accuracy: float
    accuracy_interval: Interval
    rank: float
    rank_interval: Interval


# --- classifiers -----------------------------------------------------------------------------------------------------


def fitted(name: str, graphs: Graphs, seed: int = 0) -> Scorer:
    """A classifier of `CLASSIFIERS` trained on graphs; with one class only, the share of label 1 for every graph.

    Raises InputError for an unknown name.
    """
    if name not in CLASSIFIERS:
        raise InputError(f"classifier '{name}': expected one of {', '.join(CLASSIFIERS)}")
    if graphs.labels.min() == graphs.labels.max():
        share = float(graphs.labels[0])
        return lambda some: np.full(len(some), share)
    if name in WL:
        return _regression(graphs, int(name[3:]))
    return (_boosting if name == BOOSTING else _counting)(graphs, seed)


def fitted_by_kind(name: str, graphs: Graphs, seed: int = 0) -> Scorer:
    """As `fitted`, with a classifier for each kind of query; a kind that is not in `graphs` has the probability 0.5."""
    parts = {kind: fitted(name, graphs.take(np.flatnonzero(graphs.kinds == kind)), seed) for kind in set(graphs.kinds)}

    def scores(some: Graphs) -> NDArray[np.float64]:
        found = np.full(len(some), 0.5)
        for kind, scorer in parts.items():
            rows = np.flatnonzero(some.kinds == kind)
            if len(rows):
                found[rows] = scorer(some.take(rows))
        return found

    return scores


def _regression(graphs: Graphs, rounds: int) -> Scorer:
    from sklearn.linear_model import LogisticRegression

    table, labels = _hashed(graphs, rounds), graphs.labels
    occupied = np.unique(table.indices)  # all others have no weight
    table, is_held = table[:, occupied], graphs.pairs % HELD_OUT == 0
    models = {strength: LogisticRegression(C=strength, max_iter=100) for strength in STRENGTHS}
    best = STRENGTHS[0]
    if is_held.any() and len(np.unique(labels[~is_held])) == 2:
        fitted = {c: _fit(model, table[~is_held], labels[~is_held]) for c, model in models.items()}
        reached = {c: model.score(table[is_held], labels[is_held]) for c, model in fitted.items()}
        best = max(reached, key=reached.__getitem__)
    model = _fit(models[best], table, labels)
    return lambda some: _probability(model, _hashed(some, rounds)[:, occupied])


def _fit(model: Any, table: Any, labels: NDArray) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # One thread: threads that wait for each other beside other work take twenty times as long on small tables.
    with warnings.catch_warnings(), threadpool_limits(1):
        # A regression that stops early is a regularised one; the held-out part chooses among them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(table, labels)


def _probability(model: Any, table: Any) -> NDArray[np.float64]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return model.predict_proba(table)[:, 1]


def _hashed(graphs: Graphs, rounds: int) -> Any:
    """Sparse histograms of colours (g, NUM_HASHED)."""
    from scipy.sparse import csr_array

    columns = (node_colours(graphs, rounds) % np.uint64(NUM_HASHED)).astype(np.int32)
    # A copy of the offsets, which summing changes.
    table = csr_array((np.ones(len(columns)), columns, graphs.node_offsets.copy()), (len(graphs), NUM_HASHED))
    table.sum_duplicates()
    return table


def _counting(graphs: Graphs, seed: int) -> Scorer:
    from sklearn.neural_network import MLPClassifier

    commonest = _commonest(count_colours(graphs))
    node = np.repeat(np.arange(len(graphs)), graphs.num_nodes)
    spread = _occurrences(node, count_colours(graphs), len(graphs), commonest).std(axis=0) + 1
    model = MLPClassifier((16,), max_iter=20, random_state=seed)

    def columns(some: Graphs) -> NDArray[np.float64]:
        owner = np.repeat(np.arange(len(some)), some.num_nodes)
        return _occurrences(owner, count_colours(some), len(some), commonest) / spread

    _fit(model, columns(graphs), graphs.labels)
    return lambda some: _probability(model, columns(some))


def _boosting(graphs: Graphs, seed: int) -> Scorer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    commonest = _commonest(np.concatenate([node_colours(graphs, rounds) for rounds in range(len(WL))]))
    settings: Any = {"max_iter": 60, "early_stopping": False}
    model = HistGradientBoostingClassifier(random_state=seed, **settings)
    _fit(model, _statistics(graphs, commonest), graphs.labels)
    return lambda some: _probability(model, _statistics(some, commonest))


def _commonest(colours: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The commonest colours, in ascending order."""
    found, numbers = np.unique(colours, return_counts=True)
    return np.sort(found[np.argsort(-numbers, kind="stable")[:NUM_COLOURS]])


def _statistics(graphs: Graphs, commonest: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Pooled statistics and counts of the commonest colours, float32 (g, columns)."""
    words, g = graphs.vocabulary, len(graphs)
    node, edge = (np.repeat(np.arange(g), sizes) for sizes in (graphs.num_nodes, graphs.num_edges))
    columns = [np.stack([graphs.num_nodes, graphs.num_edges, graphs.rounds], axis=1)]
    columns.append(np.bincount(edge, graphs.confidence, g)[:, None])
    for owner, values, names in (
        (node, graphs.node_types, words.node_types),
        (node, graphs.features, words.features),
        (node, graphs.marks, words.marks),
        (edge, graphs.relations, words.relations),
    ):
        columns.append(_counted(owner, values, g, len(names)))
    # Colours of different rounds are different numbers.
    every = np.concatenate([node_colours(graphs, rounds) for rounds in range(len(WL))])
    columns.append(_occurrences(np.tile(node, len(WL)), every, g, commonest))
    return np.concatenate(columns, axis=1).astype(np.float32)


def _occurrences(
    owner: NDArray, colours: NDArray[np.uint64], num_rows: int, commonest: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Number of nodes with each of the commonest colours, int64 (g, columns); `owner` (N,) the graph of a node."""
    place = np.clip(np.searchsorted(commonest, colours), 0, len(commonest) - 1)
    is_common = commonest[place] == colours
    return _counted(owner[is_common], place[is_common], num_rows, len(commonest))


def _counted(owner: NDArray, values: NDArray, num_rows: int, num_columns: int) -> NDArray[np.int64]:
    return np.bincount(owner * num_columns + values, minlength=num_rows * num_columns).reshape(num_rows, num_columns)


# --- the meter -------------------------------------------------------------------------------------------------------


def readings(folder: Path, seed: int = 0) -> list[Reading]:
    """The meter on the data in a folder: a reading for each kind of query and classifier.

    Trained on two thirds of the pairs of `train`; measured on the others, on `val` and on `test`, which all have one
    distribution. Data without these splits: on two thirds and one third of their first split.
    """
    seen, unseen = _parts(folder)
    found = []
    for kind, name in enumerate(seen.vocabulary.kinds):
        one, other = (part.take(np.flatnonzero(part.kinds == kind)) for part in (seen, unseen))
        if len(one) and len(other):
            found += [reading(name, each, other, fitted(each, one, seed)(other)) for each in CLASSIFIERS]
    return found


def reading(kind: str, classifier: str, graphs: Graphs, scores: NDArray[np.float64]) -> Reading:
    """What scores (g,) reach on the graphs."""
    is_right, ranks = np.where(scores == 0.5, 0.5, (scores > 0.5) == (graphs.labels == 1)), ranked(graphs, scores)
    numbers = _with_interval(is_right, graphs.pairs), _with_interval(ranks, np.arange(len(ranks)))
    return Reading(kind, classifier, len(ranks), *numbers[0], *numbers[1])


def ranked(graphs: Graphs, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """By pair (m,): 1 where the twin with label 1 scores higher, 0.5 for equal scores, else 0."""
    rows = twins(graphs)
    gap = (scores[rows[:, 0]] - scores[rows[:, 1]]) * np.sign(graphs.labels[rows[:, 0]] - 0.5)
    return np.where(np.abs(gap) < TIE, 0.5, gap > 0)


def no_shortcut(folder: Path) -> list[str]:
    """No classifier of counts or short-range colours is above the limit on a kind of query, beyond doubt.

    A fault only where the lower end of the interval exceeds the limit: few graphs prove nothing. Nor are data without a
    split `train` at fault: no network can learn a cue there, though the numbers are reported.
    """
    found = readings(folder)
    log.info("%s", table(found))
    return faults(found) if is_taught(folder) else []


def is_taught(folder: Path) -> bool:
    """Whether networks can be trained on the data in a folder."""
    return "train" in files.splits(folder)


def faults(found: Sequence[Reading]) -> list[str]:
    """The readings beyond the limit, a line each."""
    lines = []
    for each in found:
        for name, value, interval in (
            ("accuracy", each.accuracy, each.accuracy_interval),
            ("rank", each.rank, each.rank_interval),
        ):
            if value - WIDENING * (value - interval[0]) > LIMIT:
                ends = f"{interval[0]:.3f} to {interval[1]:.3f}"
                lines.append(
                    f"{each.kind}: {each.classifier} reaches {name} {value:.3f} ({ends}); the limit is {LIMIT}"
                )
    return lines


def table(found: Sequence[Reading]) -> str:
    """The readings as text: a line for each kind of query, a column for each classifier, accuracy and rank."""
    kinds = list(dict.fromkeys(each.kind for each in found))
    width = max([len("kind"), *map(len, kinds)])
    lines = [f"{'kind':<{width}}  {'pairs':>6}  " + "  ".join(f"{name:>13}" for name in CLASSIFIERS)]
    for kind in kinds:
        row = [each for each in found if each.kind == kind]
        cells = (f"{each.accuracy:.3f} (r {each.rank:.3f})" for each in row)
        lines.append(f"{kind:<{width}}  {row[0].num_pairs:>6,}  " + "  ".join(f"{cell:>13}" for cell in cells))
    return "\n".join(
        [*lines, f"accuracy, and in brackets r: rank; chance 0.500, limit {LIMIT} (lower end of the interval)"]
    )


def _parts(folder: Path) -> tuple[Graphs, Graphs]:
    there = files.splits(folder)
    if not there:
        raise InputError(f"{folder}: no split of graphs here; expected .parquet files")
    graphs = files.read_split(folder, "train" if "train" in there else there[0])
    is_measured = graphs.pairs % MEASURED == 0
    more = [files.read_split(folder, split) for split in ("val", "test") if split in there and "train" in there]
    unseen = [graphs.take(np.flatnonzero(is_measured)), *more]
    # Pairs are numbered within a split.
    unseen = [part.replaced(pairs=part.pairs + (number << 40)) for number, part in enumerate(unseen)]
    return graphs.take(np.flatnonzero(~is_measured)), Graphs.concatenate(unseen)


def _with_interval(values: NDArray[np.float64], clusters: NDArray) -> tuple[float, Interval]:
    if not len(values):
        return float("nan"), (0.0, 1.0)
    return float(values.mean()), mean_interval(values, clusters) or (0.0, 1.0)
