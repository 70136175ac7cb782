"""Every evaluation that was sealed, ranked; two of them compared item by item: `nsmodels leaderboard`.

Sealed are those of assets, and those of `nsmodels <system> evaluate --out FOLDER` below the data root.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import SHARE, Measure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nsmodels.evaluation.ledger import Entry

Row = dict[str, Any]
GROUP = ("data_fingerprint", "split", "metric", "unit", "direction", "bounds")
SORTS = ("score", "created", "train_cpu_seconds", "num_parameters")
FALLING = ("created",)  # the greatest first; of scores the best
SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown"}
MOST_FIELDS, MOST_DRAWN = 4, 12
TITLE_LETTERS, LABEL_LETTERS = 78, 48  # in a line of the figure
NOTHING = (
    "no evaluation yet in {root}: only sealed ones are ranked; make one: dagster asset materialize --select "
    "nav_evaluation, or nsmodels nav evaluate --out {root}/my_evaluation with --checkpoint and --data"
)


def main(argv: Sequence[str]) -> int:
    """Print the table, or the comparison of two evaluations."""
    from nsmodels.evaluation import ledger

    arguments = _parser().parse_args(argv)
    root = (arguments.data or artifact.data_root()).resolve()
    if not root.is_dir() and arguments.data:
        raise InputError(f"{root}: no such folder; give the data root, which holds the assets")
    _require_together(arguments)
    artifact.require_files({"--out": arguments.out})
    ledger.scan(root)
    listed = ledger.entries(root)
    if not listed:
        raise InputError(NOTHING.format(root=root))
    if arguments.compare:
        return _compare(arguments, listed, root)
    chosen = _chosen(listed, arguments.dataset, arguments.system)
    text = FORMATS[_format(arguments)](rows(chosen, arguments.sort or "score", arguments.limit))
    _write(text, arguments.out)
    return 0


def rows(entries: Sequence[Entry], sort: str = "score", limit: int | None = None) -> list[Row]:
    """A row of plain values per evaluation: ranked among those of the same data, split and metric, which stay together.

    `sort` is one of `SORTS` and orders each such group, of which the first `limit` rows are given. `differences` names
    the fields in which the configurations of a system differ within the rows given of a group. Shares are in [0, 1].
    """
    names = {e.data_fingerprint: e.dataset for e in sorted(entries, key=lambda e: e.dataset, reverse=True)}
    headlines = {_group(e) for e in entries if e.is_headline}

    def _place(e: Entry) -> tuple[Any, ...]:  # groups of a headline before others of the same data and split
        return names[e.data_fingerprint], e.data_fingerprint, e.split, _group(e) not in headlines, *map(str, _group(e))

    ordered = sorted(
        entries,
        key=lambda e: (*_place(e), -e.measure.sign * e.score, e.created),
    )
    return [row for _, group in groupby(ordered, _group) for row in _ranked(list(group), sort, limit)]


def frame(entries: Sequence[Entry], sort: str = "score", limit: int | None = None) -> pd.DataFrame:
    """The rows as a table."""
    import pandas as pd

    return pd.DataFrame(rows(entries, sort, limit))


def draw(entries: Sequence[Entry]) -> Figure:
    """Scores with their intervals, the best of each group; beside each the best baseline of its evaluation.

    Of each evaluation its first metric; where none of the entries is of a first one, all.

    All shares are on one axis in percent, every other metric is on an axis of its own below. Raises InputError without
    entries.
    """
    from nsmodels.evaluation import plots

    headlines = [entry for entry in entries if entry.is_headline]
    ranked = rows(headlines or entries, limit=MOST_DRAWN)
    if not ranked:
        raise InputError("leaderboard: no evaluation to draw; make one first")
    panels = _panels(ranked)
    figure, axes = plots.stacked([0.8 + 0.28 * len(lines) for lines in panels])
    for axis, lines in zip(axes, panels, strict=True):
        _draw_panel(axis, lines)
    return figure


def _panels(ranked: Sequence[Row]) -> list[list[Row | str]]:
    """The lines of each axis, a title before the rows of each group."""
    shares: list[Row | str] = []
    others: list[list[Row | str]] = []
    for title, group in _groups(ranked):
        if group[0]["unit"] == SHARE:
            shares += [title, *group]
        else:
            others.append([title, *group])
    return [shares, *others] if shares else others


def _draw_panel(axis: Axes, lines: Sequence[Row | str]) -> None:
    measure = measure_of(next(line for line in lines if not isinstance(line, str)))
    is_share = measure.unit == SHARE
    for place, line in enumerate(lines):
        if isinstance(line, str):
            text, left = textwrap.fill(line, TITLE_LETTERS), axis.get_yaxis_transform()
            axis.text(0.02, place, text, fontsize=7, fontweight="bold", va="center", transform=left)
        else:
            _draw(axis, place, line, 100 if is_share else 1)
    names = ["" if isinstance(line, str) else _label(line) for line in lines]
    axis.set_yticks(range(len(lines)), names, fontsize=7)
    head = "score, %" if is_share else measure.title
    axis.set(xlabel=f"{head} (95 % interval); cross: best baseline", ylim=(len(lines) - 0.5, -0.5))
    if is_share:
        axis.set_xlim(-2, 102)


# --- rows ------------------------------------------------------------------------------------------------------------


def _group(entry: Entry) -> tuple[Any, ...]:
    """What entries must have in common to be ranked; the key of the data may differ."""
    return tuple(getattr(entry, name) for name in GROUP)


def _ranked(group: list[Entry], sort: str, limit: int | None) -> list[Row]:
    """`group`: the best first."""
    sign = group[0].measure.sign
    rank = {entry.id: 1 + sum(sign * other.score > sign * entry.score for other in group) for entry in group}
    known = [entry for entry in group if getattr(entry, sort) is not None]
    is_falling = sign > 0 if sort == "score" else sort in FALLING
    ordered = sorted(known, key=lambda entry: getattr(entry, sort), reverse=is_falling)
    shown = [*ordered, *(entry for entry in group if getattr(entry, sort) is None)][:limit]
    differing = _differing(shown)
    return [_row(entry, rank[entry.id], differing[entry.id]) for entry in shown]


def _row(entry: Entry, rank: int, differences: Mapping[str, Any]) -> Row:
    sign = entry.measure.sign
    name, best = max(entry.baselines.items(), key=lambda pair: sign * pair[1], default=(None, None))
    plain = entry.model_dump(mode="json", exclude={"baselines", "configuration", "evaluation", "parent"})
    line = ", ".join(f"{field}={_plain(value)}" for field, value in differences.items())
    return {"rank": rank, **plain, "baseline": name, "baseline_score": best, "differences": line}


def _differing(shown: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """By id: the fields, dotted, that are not the same in all of `shown` of its system; seeds stand by themselves."""
    found = {}
    for system in {entry.system for entry in shown}:
        flat = {entry.id: entry.settings() for entry in shown if entry.system == system}
        names = dict.fromkeys(name for settings in flat.values() for name in settings)
        several = [name for name in names if len({json.dumps(s.get(name)) for s in flat.values()}) > 1]
        found |= {mark: {name: s[name] for name in several if name in s} for mark, s in flat.items()}
    return found


def _plain(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace('"', "")


# --- how it is shown -------------------------------------------------------------------------------------------------


def measure_of(row: Row) -> Measure:
    """Name, unit, bounds and direction of the metric of a row."""
    return Measure(row["metric"], row["unit"], tuple(row["bounds"]), row["direction"])


def _score(row: Row, value: float | None) -> str:
    return measure_of(row).text(value)


def _interval(row: Row) -> str:
    return "-" if row["low"] is None else f"{_score(row, row['low'])}–{_score(row, row['high'])}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else _number(value)


def _model(row: Row) -> str:
    is_elsewhere = row["trained_on"] != row["source"]
    return f"{row['name']} (trained on {row['trained_on']})" if is_elsewhere else row["name"]


def _short(differences: str) -> str:
    fields = differences.split(", ") if differences else []
    more = [f"+{len(fields) - MOST_FIELDS} more"] if len(fields) > MOST_FIELDS else []
    return ", ".join(fields[:MOST_FIELDS] + more)


CELLS: dict[str, Callable[[Row], str]] = {
    "rank": lambda row: str(row["rank"]),
    "id": lambda row: row["id"][:8],
    "model": _model,
    "system": lambda row: row["system"],
    "seed": lambda row: "-" if row["seed"] is None else str(row["seed"]),
    "score": lambda row: _score(row, row["score"]),
    "95 %": _interval,
    "n": lambda row: _number(row["n"]),
    "best baseline": lambda row: f"{_score(row, row['baseline_score'])} {row['baseline']}" if row["baseline"] else "-",
    "parameters": lambda row: _number(row["num_parameters"]),
    "train CPU-s": lambda row: _seconds(row["train_cpu_seconds"]),
    "commit": lambda row: row["commit"][:7] + ("+" if row["commit"].endswith("+changes") else ""),
    "made (UTC)": lambda row: row["created"][:16].replace("T", " "),
    "differs in": lambda row: _short(row["differences"]),
}
RIGHT = ("rank", "seed", "score", "n", "parameters", "train CPU-s")


def _groups(ranked: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each group, and its title."""
    for (mark, split, *_), group in groupby(ranked, lambda row: tuple(str(row[name]) for name in GROUP)):
        listed = list(group)
        keys = ", ".join(sorted({row["dataset"] for row in listed}))
        yield f"{keys} {mark}, {listed[0]['source']}, split {split}: {measure_of(listed[0]).title}", listed


def _as_table(ranked: Sequence[Row]) -> str:
    parts = []
    for title, group in _groups(ranked):
        cells = [list(CELLS), *([cell(row) for cell in CELLS.values()] for row in group)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        sides = [">" if name in RIGHT else "<" for name in CELLS]
        lines = [
            "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)).rstrip()
            for line in cells
        ]
        parts.append("\n".join([title, lines[0], "-" * max(map(len, lines)), *lines[1:]]))
    return "\n\n".join(parts) + "\n"


def _as_markdown(ranked: Sequence[Row]) -> str:
    parts = []
    for title, group in _groups(ranked):
        marks = ["---:" if name in RIGHT else "---" for name in CELLS]
        lines = [list(CELLS), marks, *([cell(row).replace("|", "\\|") for cell in CELLS.values()] for row in group)]
        parts.append("\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in lines)]))
    return "\n\n".join(parts) + "\n"


def _as_csv(ranked: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(ranked[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(ranked)
    return stream.getvalue()


def _as_json(ranked: Sequence[Row]) -> str:
    return json.dumps(ranked, indent=1) + "\n"


FORMATS = {"table": _as_table, "csv": _as_csv, "json": _as_json, "markdown": _as_markdown}


def _label(row: Row) -> str:
    name = textwrap.fill(f"{_model(row)}, seed {row['seed']}", LABEL_LETTERS)
    return name + (f"\n{textwrap.shorten(_short(row['differences']), LABEL_LETTERS)}" if row["differences"] else "")


def _draw(axis: Axes, place: int, row: Row, scale: int) -> None:
    from nsmodels.evaluation.plots import COLOURS

    if row["low"] is not None:
        axis.plot([scale * row["low"], scale * row["high"]], [place, place], color=COLOURS[0], linewidth=1.4)
    axis.plot([scale * row["score"]], [place], "o", color=COLOURS[0], markersize=5)
    if row["baseline"]:
        axis.plot([scale * row["baseline_score"]], [place], "x", color=COLOURS[1], markersize=5)


# --- the command -----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="nsmodels leaderboard", description=__doc__)
    parser.add_argument("--dataset", metavar="KEY", help="only evaluations on this dataset, by key or fingerprint")
    parser.add_argument("--system", metavar="NAME", help="only those of this system")
    parser.add_argument("--limit", type=_count, metavar="N", help="the first N rows of each table")
    parser.add_argument("--sort", choices=SORTS, help="order of the rows [score]")
    parser.add_argument("--format", choices=list(FORMATS), help="[by the ending of --out, else table]")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there (.csv .json .md, else the table)")
    parser.add_argument(
        "--compare", nargs=2, metavar="ID", help="two evaluations item by item: ids, their beginnings, or asset keys"
    )
    parser.add_argument("--data", type=Path, metavar="ROOT", help="data root [$NSMODELS_DATA, else data]")
    return parser


def _require_together(arguments: argparse.Namespace) -> None:
    """Raise InputError for options that cannot act together."""
    if not arguments.compare:
        return
    given = {"--dataset": arguments.dataset, "--system": arguments.system, "--limit": arguments.limit}
    given |= {"--sort": arguments.sort}
    if idle := [option for option, value in given.items() if value is not None]:
        raise InputError(f"{', '.join(idle)}: no effect with --compare, which takes two evaluations; leave it out")
    if arguments.format in ("csv", "markdown") or (arguments.out and arguments.out.suffix == ".csv"):
        raise InputError("--compare: expected --format table or json; a comparison has no rows")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got '{text}'")
    return int(text)


def _format(arguments: argparse.Namespace) -> str:
    return arguments.format or SUFFIXES.get(arguments.out.suffix if arguments.out else "", "table")


def _chosen(listed: Sequence[Entry], dataset: str | None, system: str | None) -> list[Entry]:
    """Those of a dataset and a system; InputError naming what there is when none is left."""
    found = [e for e in listed if system in (None, e.system)]
    found = [e for e in found if dataset in (None, e.dataset) or e.data_fingerprint.startswith(dataset or "")]
    if not found:
        there = ", ".join(sorted({f"{entry.system} on {entry.dataset}" for entry in listed}))
        raise InputError(f"leaderboard: no evaluation of this dataset and system (there are: {there})")
    return found


def _compare(arguments: argparse.Namespace, listed: Sequence[Entry], root: Path) -> int:
    from nsmodels.evaluation import ledger

    first, second = (ledger.find(word, listed) for word in arguments.compare)
    found = ledger.compare(first, second, root)
    if _format(arguments) == "json":
        _write(json.dumps(found.to_dict(), indent=1) + "\n", arguments.out)
    else:
        _write(found.text() + "\n", arguments.out)
    return 0


def _write(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
    else:
        disk.write_atomic(out, text)
