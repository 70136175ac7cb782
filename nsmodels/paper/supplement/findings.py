"""What did not work: parts that do not matter or hurt, baselines that are not beaten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nsmodels.paper.results import Result
from nsmodels.studies.comparison import Row
from nsmodels.studies.report import ends
from nsmodels.studies.variant import FULL

NEGATIVE = ("hurts", "does not matter", "not shown")


def parts_without_gain(studies: Mapping[str, Mapping[str, Sequence[Row]]]) -> Iterator[str]:
    """A line per part of a model whose gain is not shown, with its gain and interval."""
    for key, parts in studies.items():
        for name, rows in parts.items():
            for row in rows:
                if row.variant != FULL and row.is_judged and row.verdict in NEGATIVE:
                    gain = row.measure.difference(row.gain or 0.0)
                    span = ends(row.measure, row.gain_low, row.gain_high, True)
                    yield f"{key}, {name}: {row.about} ({row.metric}): {row.verdict}, gain {gain}{span}"


def unbeaten(results: Sequence[Result]) -> Iterator[str]:
    """A line per metric by which something beside the model is as good or better, means over seeds."""
    for result in results:
        best, measure = result.best_baseline, result.measure
        if best and measure.sign * best[1] >= measure.sign * result.mean:
            yield (
                f"{result.training}, {measure.title}: {best[0]} {measure.text(best[1])}, the model "
                f"{measure.text(result.mean)}"
            )
