"""Terminal table of an evaluation's report, which `summary` computes: shares in percent, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.systems.graph.config import REASONER
from nsmodels.systems.graph.evaluation.rivals import title
from nsmodels.systems.graph.evaluation.summary import Report, accuracy_by_length

_FIRST = 26


def table(report: Mapping[str, Any]) -> str:
    """The report as text."""
    lines = _data_lines(report)
    for split, part in report["splits"].items():
        if split != "lengths" or len(report["splits"]) == 1:
            lines += ["", *_comparison(split, part, report["metric"]), *_kind_lines(split, part, report["metric"])]
    first = report["splits"][report["data"]["split"]]
    lines += ["", *_class_lines(first, report["data"])]
    lines += ["", *_length_lines(report), "", *_stability_lines(report), *_cycle_lines(report), *_collapse_lines(first)]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _span(interval: Any) -> str:
    return "-" if interval is None else "–".join(_percent(end) for end in interval)


def _number(value: float | None, form: str = ",.0f") -> str:
    return "-" if value is None else format(value, form)


def _data_lines(report: Mapping[str, Any]) -> list[str]:
    data, row = report["data"], report["rows"][REASONER]
    counts = f"{row['n']:,} graphs, {row['num_pairs']:,} pairs of twins" if row["num_pairs"] else f"{row['n']:,} graphs"
    lines = [f"{data['source']}, split {data['split']}: {counts}", f"intervals: {data['intervals']}"]
    lines += [f"trained on {data['trained_on']}; checkpoint {data['checkpoint']}, seed {data['seed']}"]
    return [*lines, report["supervision"]["text"], *data["notes"]]


def _comparison(split: str, part: Mapping[str, Any], metric: str) -> list[str]:
    is_paired = metric == "paired_accuracy"
    heads = f"{'paired':>8}{'95 %':>13}" if is_paired else ""
    heads += f"{'accuracy':>10}{'95 %':>13}{'rank':>7}{'AUC':>7}{'ECE':>7}"
    heads += f"{'rounds':>8}{'parameters':>12}{'train CPU-s':>13}{'graphs/CPU-s':>14}"
    lines = [f"{split + ', in %':<{_FIRST}}{heads}"]
    for name, row in {**part["rows"], **part["baselines"]}.items():
        text = f"{title(name):<{_FIRST}}"
        if is_paired:
            text += f"{_percent(row['paired_accuracy']):>8}{_span(row.get('paired_interval')):>13}"
        text += f"{_percent(row['accuracy']):>10}{_span(row.get('accuracy_interval')):>13}{_percent(row['rank']):>7}"
        text += f"{_number(row['auc'], '.3f'):>7}{_number(row.get('ece'), '.3f'):>7}"
        text += f"{_number(row.get('rounds', {}).get(split), '.1f'):>8}"
        text += f"{_number(row.get('num_parameters')):>12}{_number(row.get('train_cpu_seconds'), ',.1f'):>13}"
        lines.append((text + f"{_number(row.get('graphs_per_cpu_second')):>14}").rstrip())
    return lines


def _kind_lines(split: str, part: Mapping[str, Any], metric: str) -> list[str]:
    """Each kind of query in a column, each model in a row."""
    kinds = part["kinds"]
    if len(kinds) == 1:
        return []
    width = max([20, *(len(kind) + 2 for kind in kinds)])
    what = "both twins right" if metric == "paired_accuracy" else "accuracy"
    lines = ["", f"{split}: {what}, by kind of query", " " * _FIRST + "".join(f"{kind:>{width}}" for kind in kinds)]
    for name in next(iter(kinds.values())):
        cells = "".join(f"{_kind_cell(rows[name], metric):>{width}}" for rows in kinds.values())
        lines.append(f"{title(name):<{_FIRST}}{cells}")
    return lines


def _kind_cell(row: Mapping[str, Any], metric: str) -> str:
    span = f" ({_span(row['paired_interval'])})" if metric == "paired_accuracy" and row["paired_interval"] else ""
    return _percent(row[metric]) + span


def _class_lines(part: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Scores of the reasoner by kind and class; rows of the confusion matrix are the labels."""
    classes = data["classes"]
    heads = "".join(f"{name + ': precision':>{len(name) + 13}}{'recall':>8}{'F1':>7}" for name in classes)
    first = f"{data['split']}, reasoner, in %"
    lines = [f"{first:<{_FIRST}}{'graphs':>8}{'accuracy':>10}{'AUC':>7}{'ECE':>7}{heads}   confusion (rows: labels)"]
    kinds = {kind: rows[REASONER] for kind, rows in part["kinds"].items()}
    every = {"all": part["rows"][REASONER]} if len(kinds) > 1 else {}
    for kind, row in {**every, **kinds}.items():
        text = f"{kind:<{_FIRST}}{row['n']:>8,}{_percent(row['accuracy']):>10}{_number(row['auc'], '.3f'):>7}"
        text += f"{row['ece']:>7.3f}"
        for name in classes:
            each = row["classes"][name]
            text += (
                f"{_percent(each['precision']):>{len(name) + 13}}{_percent(each['recall']):>8}{_percent(each['f1']):>7}"
            )
        matrix = ", ".join(" ".join(f"{count:,}" for count in counts) for counts in row["confusion"])
        lines.append(f"{text}   {matrix}")
    return lines


def _length_lines(report: Report) -> list[str]:
    curves, name = accuracy_by_length(report)
    trained, metric = report["data"]["trained_lengths"], report["metric"]
    what = "both twins right" if metric == "paired_accuracy" else "accuracy"
    span = "" if trained is None else f"; trained on {trained[0]} to {trained[1]}"
    lines = [f"{what} by {name}{span}"]
    lengths = sorted({length for curve in curves.values() for length in curve})
    for start in range(0, len(lengths), 14):
        some = lengths[start : start + 14]
        lines.append(f"{'':<{_FIRST}}" + "".join(f"{length:>7}" for length in some))
        for row, curve in curves.items():
            cells = (f"{_percent(curve[each][metric]) if each in curve else '-':>7}" for each in some)
            lines.append(f"{title(row):<{_FIRST}}" + "".join(cells))
    return lines


def _stability_lines(report: Report) -> list[str]:
    found = report["stability"]
    if not found:
        return []
    lines = []
    for split, each in found["splits"].items():
        if each["difference"] is None:
            text = f"accuracy {_percent(each['accuracy'])}"
        else:
            text = f"both twins right {_percent(each['paired_accuracy'])} ({100 * each['difference']:+.1f} points)"
        lines.append(f"{split}, {found['rounds']} more rounds: {text}; {_percent(each['changed'])} of answers change")
    return lines


def _cycle_lines(report: Report) -> list[str]:
    return [
        f"cycle of {title(phase)}: "
        + ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in measures.items() if value is not None)
        for phase, measures in report["cycle"].items()
    ]


def _collapse_lines(part: Mapping[str, Any]) -> list[str]:
    found = part["collapse"]
    shares = ", ".join(f"{kind} {_percent(share)}" for kind, share in found["least_predicted"].items())
    verdict = f"COLLAPSED for {', '.join(found['kinds'])}" if found["is_collapsed"] else "no class collapses"
    return [f"the rarer prediction, in % of the graphs: {shares}: {verdict}"]
