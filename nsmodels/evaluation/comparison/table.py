"""The table of a comparison for a terminal: a line per row, what was left out, published rows apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nsmodels.evaluation.comparison.rows import Row
from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.metrics import Interval

OURS = "ours"


@dataclass(frozen=True, eq=False)
class Compared:
    """One dataset with everything that answers it.

    Attributes:
        name: of the data, as "gqa_mini".
        source: of the data, as "synthetic GQA".
        rows: in their order; the one of kind "ours", where there is one, is what the others are compared with.
        levels: further figures of the sealed evaluations of ours, means over seeds by name: score and 95 % interval
            by image.
        left_out: why a row, or a seed of ours, is missing, by its name.
        published: results of others, (name, score in percent, source); on real data, whatever `source` is.
        notes: further lines.
    """

    name: str
    source: str
    rows: Sequence[Row]
    levels: Mapping[str, tuple[float, Interval | None]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    published: Sequence[tuple[str, float, str]] = ()
    notes: Sequence[str] = ()

    @property
    def ours(self) -> Row | None:
        """The row of the model; None where there is none."""
        return next((row for row in self.rows if row.kind == OURS), None)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without items."""
        ours = self.ours
        ahead = {row.name: ours.ahead_of(row) for row in self.rows if row is not ours} if ours else {}
        return {
            "source": self.source,
            "split": self.rows[0].first.split,
            "metric": self.rows[0].first.metric,
            "num_items": len(self.rows[0].first.items),
            "num_clusters": self.rows[0].first.num_clusters,
            "rows": {row.name: row.to_dict() for row in self.rows},
            "ours_ahead_of": {name: {"difference": gap, "interval": ends} for name, (gap, ends) in ahead.items()},
            "levels": {name: {"score": score, "interval": ends} for name, (score, ends) in self.levels.items()},
            "left_out": dict(self.left_out),
            "published": [list(each) for each in self.published],
            "notes": list(self.notes),
        }


def text(compared: Sequence[Compared]) -> str:
    """The tables of all datasets."""
    return "\n\n".join("\n".join(_block(each)) for each in compared) + "\n"


def _block(part: Compared) -> Iterable[str]:
    first, ours = part.rows[0].first, part.ours
    yield (
        f"{part.name}: {part.source}; {len(first.items):,} questions about {first.num_clusters:,} images of split "
        f"{first.split}; {first.measure.title}"
    )
    head = ["", "mean", "over seeds", "by image", "seeds", "parameters", "CPU-s"] + (["ours ahead"] if ours else [])
    yield from aligned([head, *(_line(row, ours) for row in part.rows)])
    for name, (score, ends) in part.levels.items():
        yield f"  ours, {name.replace('_', ' ')}: {first.measure.text(score)}{_ends(first.measure, ends)}"
    yield from (f"  left out: {name}: {why}" for name, why in part.left_out.items())
    yield from (f"  {note}" for note in part.notes)
    if part.published:
        yield "  published, real data, not comparable with synthetic images:"
        yield from (f"    {score:>6.2f}  {name} ({source})" for name, score, source in part.published)


def _line(row: Row, ours: Row | None) -> list[str]:
    measure, cost = row.measure, row.cost
    cells = [row.about, measure.text(row.mean)]
    cells += [_ends(measure, row.by_seed).strip() or ("one seed" if len(row.seeds) == 1 else "-")]
    cells += [_ends(measure, row.by_cluster).strip() or "-", str(len(row.seeds) or "-")]
    cells += [f"{cost['parameters']:,.0f}" if "parameters" in cost else "-"]
    cells += [f"{cost['cpu_seconds']:,.0f}" if "cpu_seconds" in cost else "-"]
    if ours is not None:
        gap, ends = ours.ahead_of(row)
        cells.append("" if row is ours else f"{measure.difference(gap)}{_ends(measure, ends, True)}")
    return cells


def _ends(measure: Measure, ends: Interval | None, is_difference: bool = False) -> str:
    show = measure.difference if is_difference else measure.text
    return f" [{show(ends[0])}, {show(ends[1])}]" if ends else ""


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
