"""The report of the study as a table, lines and figures for the manifest."""

from __future__ import annotations

from typing import Any

from nsmodels.scenery.rule_learning.points import PERCEIVED, SCENES, WRONG
from nsmodels.scenery.rule_learning.questions import KINDS


def metrics_of(report: dict[str, Any]) -> dict[str, Any]:
    """Figures for the manifest."""
    last = report["by_scenes"][-1]
    found = {name: last[name] for name in ("rule_precision", "rule_recall", "labels_precision", "labels_recall")}
    for each in report["by_wrong_facts"]:
        found |= {f"wrong_{each['wrong']:g}/{name}": each[name] for name in ("rule_precision", "rule_recall")}
    for each in report["by_perceived"][-1:]:
        kinds = ("rule_precision", "rule_recall", "perceived_precision", "perceived_recall")
        found |= {f"by_model/{name}": each[name] for name in kinds}
    for name, row in report.get("questions", {}).get("rows", {}).items():
        found |= {f"questions/{name}/{kind}": value for kind, value in row.items()}
    return found


def line_of(point: dict[str, Any]) -> str:
    """A point in a line, for the terminal."""
    what = f"{point[WRONG]:.0%} wrong facts" if WRONG in point else ""
    what = what or (f"{point[SCENES]:,} scenes" if SCENES in point else f"{point[PERCEIVED]:,} perceived scenes")
    rules = f"rules {point['rule_precision']:.2f} right, {point['rule_recall']:.2f} found"
    return f"{what}: {rules}; {point['cpu_seconds']} CPU-s"


def table_of(report: dict[str, Any]) -> str:
    """Tables by number of scenes and by share of wrong facts, in %."""
    head = (
        f"{'':>12} {'rules':>15} {'labels':>15} {'as perceived':>15} {'one literal':>15} {'literals':>9} {'CPU-s':>7}"
    )
    kinds = f"{'':>12}" + f" {'prec.':>7} {'recall':>7}" * 4
    lines = [f"planted: {report['rules']}, {sum(report['targets'].values())} rules for {len(report['targets'])} labels"]
    for key, title in (("by_scenes", SCENES), ("by_wrong_facts", WRONG), ("by_perceived", PERCEIVED)):
        lines += ["", head, f"{title:>12}{kinds[12:]}"] if report[key] else []
        for each in report[key]:
            value = f"{each[title]:.0%}" if title == WRONG else f"{each[title]:,}"
            names = ("rule", "labels", "perceived", "baseline")
            cells = "".join(
                f" {100 * each[f'{name}_{kind}']:>7.1f}" for name in names for kind in ("precision", "recall")
            )
            lines.append(f"{value:>12}{cells} {each['num_literals']:>9,} {each['cpu_seconds']:>7}")
    about = f"{report['num_held_out_scenes']:,} held-out scenes, seeds {', '.join(map(str, report['seeds']))}"
    lines += ["", f"{about}; chance: precision {100 * report['chance_precision']:.1f}"]
    lines.append(
        "rules: learnt ones that hold for the same held-out objects as a planted one, planted ones found again"
    )
    lines.append(
        "labels, one literal: by true facts of held-out scenes; as perceived: by facts as wrong as those learnt from"
    )
    lines += [*_facts_lines(report), *_question_lines(report)]
    return "\n".join(lines) + "\n"


def _facts_lines(report: dict[str, Any]) -> list[str]:
    if not report["by_perceived"]:
        return []
    facts = report["perceived_facts"]
    return [
        f"perceived: by {report['model']}; of its likely facts {100 * facts['precision']:.1f} % are true, of the true "
        f"ones it finds {100 * facts['recall']:.1f} %; a missed object misses its label"
    ]


def _question_lines(report: dict[str, Any]) -> list[str]:
    if "questions" not in report:
        return []
    num, rows = report["questions"]["num"], report["questions"]["rows"]
    lines = ["", f"{'questions that only rules answer':>40} {'Is the dog wet?':>17} {'What is wet?':>14}"]
    cells = {name: [f"{100 * row[kind]:.1f}" if kind in row else "" for kind in KINDS] for name, row in rows.items()}
    lines += [f"{name:>40} {one:>17} {two:>14}" for name, (one, two) in cells.items()]
    return [*lines, f"{'number':>40} {num.get(KINDS[0], 0):>17,} {num.get(KINDS[1], 0):>14,}"]
