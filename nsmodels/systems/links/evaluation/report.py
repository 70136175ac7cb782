"""Table and headline figures of the report on link prediction; shares in percent, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = {"mrr": "MRR", "hits_at_1": "H@1", "hits_at_10": "H@10", "pair_accuracy": "pairs"}
_FIRST = 12


def headline(report: Mapping[str, Any]) -> dict[str, float]:
    """The figures of the scored network by name, and the mean reciprocal ranks of the others as baselines."""
    own = report["rows"][report["headline"]]
    found = {name: float(own[name]["value"]) for name in COLUMNS if name in own}
    others = {name: row for name, row in report["rows"].items() if name != report["headline"]} | report["baselines"]
    return found | {f"baseline/{name}": float(row["mrr"]["value"]) for name, row in others.items()}


def table(report: Mapping[str, Any]) -> str:
    """The report as text."""
    data = report["data"]
    titles = "".join(f"{title:>8}{'95 %':>14}" for title in COLUMNS.values())
    lines = [
        f"{data['base']}: {data['source']}, split {data['split']}: {data['num_triples']:,} triples asked for both "
        f"ways, {data['num_pairs']:,} matched pairs",
        f"trained on {data['trained_on']}; checkpoint {data['checkpoint']}, seed {data['seed']}",
        "",
        f"{'in %':<{_FIRST}}{titles}{'CPU-s':>8}",
        *(f"{name:<{_FIRST}}{_cells(row)}" for name, row in (report["rows"] | report["baselines"]).items()),
        "",
        "ranks among all entities but those that also answer the query in some split; of equal scores the middle rank",
        "pairs: the true tail scores above one of the same range and nearest degree, which is false in all splits",
    ]
    for name, each in report["differences"].items():
        ends = " to ".join(f"{100 * end:+.1f}" for end in each["interval"])
        lines.append(f"{report['headline']} minus {name}: MRR {100 * each['value']:+.1f} points ({ends})")
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> str:
    seconds = row.get("train_cpu_seconds")
    cells = "".join(_cell(row.get(name)) for name in COLUMNS)
    return cells + (f"{seconds:>8,.0f}" if seconds is not None else f"{'-':>8}")


def _cell(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return f"{'-':>8}{'-':>14}"
    ends = entry.get("interval")
    return f"{100 * entry['value']:>8.1f}" + (f"{100 * ends[0]:>8.1f}–{100 * ends[1]:<5.1f}" if ends else f"{'-':>14}")
