"""Terminal table of an evaluation's report: every metric with its rivals, chance and ceiling, and 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nsmodels.evaluation.measure import Measure
from nsmodels.formats.clips.names import MODALITIES
from nsmodels.systems.world.evaluation.scores import WORLD

Report = Mapping[str, Any]
_FIRST = 34


def table(report: Report) -> str:
    """The report as text."""
    lines = _data_lines(report["data"])
    for name, each in report["metrics"].items():
        lines += ["", *_metric_lines(name, each, report["data"])]
    details = report["details"]
    for name, lines_of in (
        ("zero-shot", _combinations),
        ("dynamics", _horizons),
        ("properties", _properties),
        ("causal", _variables),
        ("modalities", _modalities),
    ):
        if details.get(name):
            lines += ["", *lines_of(details[name])]
    return "\n".join(lines)


def measure_of(name: str, each: Report) -> Measure:
    """Unit, bounds and direction of a metric in a report."""
    return Measure(name, each["unit"], tuple(each["bounds"]), each["direction"])


def _data_lines(data: Report) -> list[str]:
    clips = ", ".join(f"{number:,} of {split}" for split, number in data["num_clips"].items())
    return [
        f"{data['source']}, split {data['split']}; clips: {clips}",
        f"trained on {data['trained_on']}; checkpoint {data['checkpoint']}, seed {data['seed']}, "
        f"{data['num_parameters']:,} parameters",
        f"intervals: {data['intervals']}", *data["notes"],
    ]  # fmt: skip


def _metric_lines(name: str, each: Report, data: Report) -> list[str]:
    """A metric, the model first, then its rivals with how far the model is ahead, the ceiling last."""
    how = measure_of(name, each)
    lines = [f"{how.title}, {each['split']}, n = {each['n']:,}: {each['about']}"]
    lines += [data["twins"]] if each["family"] == "causal" else []
    lines.append(f"{'':<{_FIRST}}{'score':>9}{'95 %':>20}{'model ahead':>16}{'95 %':>24}")
    for rival in sorted(each["rows"], key=lambda row: (row != WORLD, row == each["ceiling"])):
        row, title = each["rows"][rival], f"ceiling: {rival}" if rival == each["ceiling"] else rival
        ahead: Report = row["ahead"] or {"difference": None, "interval": None}
        shown = "-" if ahead["difference"] is None else how.difference(ahead["difference"])
        own, other = _span(how, row["interval"]), _span(how, ahead["interval"])
        lines.append(f"{title:<{_FIRST}}{how.text(row['score']):>9}{own:>20}{shown:>16}{other:>24}")
    return lines


def _span(how: Measure, interval: Sequence[float] | None) -> str:
    return "-" if interval is None else " to ".join(how.text(end) for end in interval)


def _combinations(found: Report) -> list[str]:
    shown = ", ".join(f"{name} {100 * value:.0f}" for name, value in found["combinations"].items())
    return [f"zero-shot by combination, in %: {shown}; linear probe of the model {100 * found['linear_probe']:.1f}"]


def _horizons(found: Report) -> list[str]:
    heads = "".join(f"{h:>7}" for h in found["horizons"])
    lines = [f"{'NMSE by horizon, context ' + str(found['context']):<{_FIRST}}{heads}"]
    lines += [
        f"{name:<{_FIRST}}" + "".join(f"{value:>7.3f}" for value in values) for name, values in found["nmse"].items()
    ]
    lines += [
        f"{f'coverage of {level} % intervals':<{_FIRST}}" + "".join(f"{100 * value:>7.1f}" for value in values)
        for level, values in found["coverage"].items()
    ]
    lines.append("by state: " + ", ".join(f"{name} {each['nmse']:.2f}" for name, each in found["by_state"].items()))
    return lines


def _properties(found: Report) -> list[str]:
    """Correlations by subset; in brackets where no modality of the subset shows the property."""
    subsets = found["subsets"]
    lines = [f"Pearson's r by subset of the modalities; in brackets: not shown (forest below {found['limit']:g})"]
    short = [name.replace("vision", "v").replace("audio", "a").replace("proprio", "p") for name in subsets]
    heads = "".join(f"{name:>11}" for name in short)
    lines.append(
        f"{'v: vision, a: audio, p: proprio':<{_FIRST}}{heads}   forest:" + "".join(f"{name:>9}" for name in MODALITIES)
    )
    for name, shown in found["identifiability"].items():
        cells = "".join(f"{_correlation(rows[name]):>11}" for rows in subsets.values())
        lines.append(f"{name:<{_FIRST}}{cells}          " + "".join(f"{shown[each]:>9.2f}" for each in MODALITIES))
    lines.append(f"{'all':<{_FIRST}}{'r':>7}{'95 %':>16}{'Spearman':>10}{'MAE':>8}{'R²':>7}")
    for name, row in next(reversed(subsets.values())).items():
        span = f"{row['interval'][0]:.2f} to {row['interval'][1]:.2f}"
        figures = f"{row['r']:>7.2f}{span:>16}{row['spearman']:>10.2f}{row['mae']:>8.3f}{row['r2']:>7.2f}"
        lines.append(f"{name:<{_FIRST}}{figures}")
    return lines


def _correlation(row: Report) -> str:
    return f"{row['r']:.2f}" if row["is_shown"] else f"({row['r']:.2f})"


def _variables(found: Report) -> list[str]:
    rows = found["by_variable"]
    rivals = [name for name in next(iter(rows.values()), {}) if name != "n"]
    lines = [f"{'signs by variable, in %':<{_FIRST}}" + "".join(f"{name:>26}" for name in rivals) + f"{'effects':>9}"]
    for name, row in rows.items():
        lines.append(
            f"{name:<{_FIRST}}" + "".join(f"{100 * row[rival]:>26.1f}" for rival in rivals) + f"{row['n']:>9,}"
        )
    return lines


def _modalities(found: Report) -> list[str]:
    subsets = list(next(iter(found.values()))["rows"])
    lines = [f"{'with fewer modalities':<{_FIRST}}" + "".join(f"{name:>22}" for name in found)]
    for subset in subsets:
        cells = "".join(f"{each['rows'][subset]['score']:>22.4f}" for each in found.values())
        lines.append(f"{subset:<{_FIRST}}{cells}")
    for metric, each in found.items():
        steps = (
            f"{s['more']} over {s['fewer']} {s['ahead']:+.4f} [{s['interval'][0]:+.4f}, {s['interval'][1]:+.4f}]"
            for s in each["steps"]
        )
        lines.append(f"{metric}: best of each number: {'; '.join(steps)}")
    return lines
