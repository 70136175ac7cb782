"""The best of some variants against the best of others over seeds, from the trials of a sealed study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.evaluation.outcomes import Outcomes, files_of, read_outcomes
from nsmodels.studies.comparison import Row, paired_interval
from nsmodels.studies.config import SCORES
from nsmodels.studies.report import ends
from nsmodels.studies.variant import FULL, Group


def compared(trials: Path, parts: Mapping[str, Sequence[Row]], groups: Sequence[Group]) -> list[dict[str, Any]]:
    """A row for each part of a study, group and metric by which all variants of the group are judged.

    The best variant is that with the best mean over seeds. `gain` is how far the first is ahead of the second, in the
    direction of the metric, paired by item and seed, with the 95 % interval over both, `low` and `high`. It is of the
    scores by which they were chosen. Groups with a variant that a study has not are left out.
    """
    return [found for part, rows in parts.items() for group in groups for found in _rows(trials / part, rows, group)]


def line(found: Mapping[str, Any], row: Row) -> str:
    """A comparison in words; `row` is one of its metric."""
    gain = f"{row.measure.difference(found['gain'])}{ends(row.measure, found['low'], found['high'], True)}"
    return f"{found['about']}, {row.metric.replace('_', ' ')}: {found['first']} over {found['second']} {gain}"


def _rows(place: Path, rows: Sequence[Row], group: Group) -> Iterator[dict[str, Any]]:
    names = (*group.first, *group.second)
    for metric in dict.fromkeys(row.metric for row in rows):
        own = {row.variant: row for row in rows if row.metric == metric and (row.is_judged or row.variant == FULL)}
        if set(names) <= own.keys():
            yield {"part": place.name, "about": group.about, **_compared(place, own, group)}


def _compared(place: Path, own: Mapping[str, Row], group: Group) -> dict[str, Any]:
    sign = own[group.first[0]].measure.sign
    first, second = (max(names, key=lambda name: sign * own[name].mean) for names in (group.first, group.second))
    some = own[first]
    ahead, behind = ([_outcomes(place, name, seed, some.metric) for seed in some.seeds] for name in (first, second))
    gains = sign * np.stack([a.scores - b.scores for a, b in zip(ahead, behind, strict=True)])
    low, high = paired_interval(gains, ahead[0].clusters) or (None, None)
    return {
        "metric": some.metric, "split": some.split, "seeds": list(some.seeds), "first": first, "second": second,
        "gain": float(gains.mean()), "low": low, "high": high,
    }  # fmt: skip


def _outcomes(place: Path, name: str, seed: int, metric: str) -> Outcomes:
    folder = place / name / str(seed) / SCORES
    found = next((each for each in map(read_outcomes, files_of(folder)) if each.metric == metric), None)
    if found is None:
        raise InputError(f"{folder}: holds no outcomes of {metric}; make the study again")
    return found
