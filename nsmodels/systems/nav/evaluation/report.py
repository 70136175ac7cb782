"""Headline and terminal table of an evaluation's report, which `summary` computes.

The table gives shares in percent, with 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.systems.nav.evaluation.speed import SEARCH

Report = dict[str, Any]
COLUMNS = ("success", "spl", "optimal", "any_optimal")
_FIRST = 28
_RATES = {
    True: ("maps_per_cpu_second", "maps/CPU-s"),
    False: ("maps_per_second", "maps/s"),
}  # key: CPU
_CURVES = ("any_optimal", "success", "raw_any_optimal", "raw_success")
_BUCKETS = {
    "by_map": "map",
    "by_length": "optimal cost",
    "by_detour": "path length / distance",
    "by_kind": "kind",
    "by_density": "density",
    "by_size": "size",
}


def headline(result: Report) -> dict[str, float]:
    """The most important figures, by name."""
    named = {name: result[name]["value"] for name in ("success", "spl", "optimal", "any_optimal", "match_astar")}
    named |= {"match_astar_ceiling": result["match_astar"]["ceiling"], "accuracy": named["success"]}
    named |= {f"{_rank(name)}/{name}": entry["accuracy"] for name, entry in result["baselines"].items()}
    named |= {f"size/{name}": entry["success"] for name, entry in result["by_size"].items()}
    named |= {
        f"thinking_longer/{name}": result["steps"]["thinking_longer"][name] for name in ("any_optimal", "success")
    }
    named |= {"halting/ece": result["halting"]["ece"], "unreachable/recognised": result["unreachable"]["value"]}
    return {name: float(value) for name, value in named.items() if value is not None}


def _rank(name: str) -> str:
    """Exact search is optimal, hence a ceiling and no baseline."""
    return "ceiling" if name in SEARCH else "baseline"


def table(result: Mapping[str, Any]) -> str:
    """The report as text."""
    lines = [*_data_lines(result["data"]), "", *_comparison(result), "", *_match_lines(result), ""]
    for key, title in _BUCKETS.items():
        lines += [*_bucket_lines(title, result[key]), ""] if key in result and not _is_repeated(key, result) else []
    lines += [
        *_steps_lines(result["steps"]),
        *_calibration_lines(result),
        *_unreachable_lines(result["unreachable"]),
        "",
    ]
    lines += [*_exact_lines(result["exact_path"]), *_expansion_lines(result["expansions"])]
    lines += _speed_lines(result["speed"])
    return "\n".join(lines)


def _is_repeated(key: str, result: Mapping[str, Any]) -> bool:
    """Whether the rows of a table would only repeat those by map."""
    return "by_map" in result and key in ("by_kind", "by_size", "by_density")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' if number != 1 else ''}"


def _interval(entry: Mapping[str, Any]) -> str:
    return "-" if entry.get("interval") is None else "–".join(_percent(bound) for bound in entry["interval"])


def _cells(entry: Mapping[str, Any]) -> str:
    spans = f"{_percent(entry['success']):>9}{_interval(entry):>14}"
    return f"{entry['n']:>7,}{spans}" + "".join(f"{_percent(entry[name]):>12}" for name in COLUMNS[1:])


def _heading(first: str, *more: str) -> str:
    names = "".join(f"{name.replace('_', '-'):>12}" for name in COLUMNS[1:])
    return f"{first:<{_FIRST}}{'n':>7}{'success':>9}{'95 %':>14}{names}" + "".join(f"{name:>12}" for name in more)


def _data_lines(data: Mapping[str, Any]) -> list[str]:
    counts = f"{_count(data['num_problems'], 'problem')} on {_count(data['num_maps'], 'map')}"
    lines = [
        f"{data['source']}, split {data['split']}: {counts}, {data['rule']}",
        f"intervals: {data['intervals']}",
    ]
    lines += [f"trained on {data['trained_on']}; checkpoint {data['checkpoint']}, seed {data['seed']}"]
    lines += _familiarity_lines(data)
    lines += [f"{size}: not scored, {why}" for size, why in data.get("skipped", {}).items()]
    return lines + list(data.get("notes", []))


def _familiarity_lines(data: Mapping[str, Any]) -> list[str]:
    seen, num = data["num_trained_on"], data["num_problems"]
    if seen is None:
        return ["number of problems on training maps: unknown, the training data are missing"]
    line = f"{seen:,} of {num:,} problems are on training maps (rotated or mirrored ones included)"
    return [line] if seen else []


def _comparison(result: Mapping[str, Any]) -> list[str]:
    rate, head = _RATES[result["speed"]["device"] == "cpu"]
    lines = [_heading("in %", "parameters", "train CPU-s", head)]
    for name, entry in (result["rows"] | result["baselines"]).items():
        columns = (entry.get("num_parameters"), entry.get("train_cpu_seconds"), entry[rate])
        more = ("-" if value is None else f"{value:,.0f}" for value in columns)
        lines.append(f"{name:<{_FIRST}}{_cells(entry)}" + "".join(f"{text:>12}" for text in more))
    return lines


def _match_lines(result: Mapping[str, Any]) -> list[str]:
    found, match = result["any_optimal"], result["match_astar"]
    lines = [f"cells with an optimal action: {_percent(found['value'])} ({_interval(found)}), n {found['n']:,}"]
    drawn = f"a perfect policy that draws among equal actions: {_percent(match['ceiling'])}"
    lines += [f"cells with the action of A*: {_percent(match['value'])} ({_interval(match)}); {drawn}"]
    ends = ", ".join(
        f"{name} {_percent(result[name]['value'])} ({_interval(result[name])})" for name in ("collided", "looped")
    )
    return [*lines, f"failed rollouts: {ends}"]


def _bucket_lines(title: str, buckets: Mapping[str, Any]) -> list[str]:
    lines = [_heading(title, "greedy", "random")]
    several = len({entry.get("split") for entry in buckets.values()}) > 1
    for name, entry in buckets.items():
        baselines = "".join(f"{_percent(entry[key]):>12}" for key in ("greedy_success", "random_success"))
        label = f"{name}, {entry['split']}" if several and "(" not in name else name
        lines.append(f"{label:<{_FIRST}}{_cells(entry)}{baselines}")
    return lines


def _steps_lines(steps: Mapping[str, Any]) -> list[str]:
    head = (
        f"recursion steps (trained with {steps['trained']}; {_count(steps['points'][0]['n'], 'problem')}, no halting)"
    )
    titles = "".join(f"{name.replace('_', '-').replace('raw-', 'raw '):>17}" for name in _CURVES)
    held = "each cell holds its surest readout for a few segments (raw: the last readout)"
    lines = [head, held if steps["is_holding"] else "the last readout; values only improve, so nothing is held"]
    lines += [f"{'steps':>8}{'x trained':>12}{titles}"]
    for point in steps["points"]:
        shares = "".join(f"{_percent(point[name]):>17}" for name in _CURVES)
        lines.append(f"{point['steps']:>8}{point['factor']:>12.2f}{shares}")
    longer = steps["thinking_longer"]
    gains = f"any-optimal {longer['any_optimal']:+.2f}, success {longer['success']:+.2f} points"
    verdict = "safe" if longer["is_safe"] else "NOT safe"
    more = f"worst of all longer {longer['worst']:+.2f}"
    more += f"; raw {longer['raw_any_optimal']:+.2f}, {longer['raw_success']:+.2f}"
    return [*lines, f"{longer['factor']:g}x the trained steps: {gains}: {verdict}; {more}"]


def _calibration_lines(result: Mapping[str, Any]) -> list[str]:
    halting, cells = result["halting"], result["confidence"]
    steps = ", ".join(f"{size} {value:.1f}" for size, value in halting["steps_by_size"].items())
    means = f"predicted {_percent(halting['mean_confidence'])}, observed {_percent(halting['accuracy'])}"
    lines = [f"halting head, whole policy right: ECE {_percent(halting['ece'])} ({means}); mean steps used: {steps}"]
    return lines + ([f"confidence per cell: ECE {_percent(cells['ece'])}, n {cells['n']:,}"] if cells else [])


def _unreachable_lines(found: Mapping[str, Any]) -> list[str]:
    alarms = found["false_alarms"]
    recognised = f"{_percent(found['value'])} recognised ({_interval(found)})" if found["n"] else "there are none"
    alarm_share = f"false alarms {_percent(alarms['value'])} of {alarms['n']:,} reachable cells"
    undecided = f"; undecided at the limit of steps: {_count(found['undecided'], 'cell')}" if found["undecided"] else ""
    return [f"cells from which the goal cannot be reached ({found['n']:,}): {recognised}; {alarm_share}{undecided}"]


def _exact_lines(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    lines = ["exact path, as in Maze-Hard"]
    titles = {"all": "all", "unique": "a single shortest path", "long": "more than 110 moves"}
    for name, title in titles.items():
        if name in found:
            pair = {key: found[name][key] for key in ("exact_path", "valid_and_optimal")}
            shares = ", ".join(
                f"{key.replace('_', ' ')} {_percent(e['value'])} ({_interval(e)})" for key, e in pair.items()
            )
            lines.append(f"  {title} (n {found[name]['n']}): {shares}")
    published = [f"    {_percent(row['accuracy'])}  {row['name']} ({row['source']})" for row in found["published"]]
    return [*lines, f"  {found['target']}", f"  {found['note']}", *published, ""]


def _expansion_lines(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    lines = ["cells that A* expands, with the distance on an empty map and with the network's cost-to-go as heuristic"]
    lines += [
        f"{'':<{_FIRST}}{'n':>7}{'distance':>12}{'network':>12}{'% saved':>12}{'% optimal':>12}{'worst cost':>12}"
    ]
    for size, entry in found.items():
        shares = f"{_percent(entry['saved']):>12}{_percent(entry['optimal']):>12}{entry['worst_cost']:>11.3f}x"
        lines.append(f"{size:<{_FIRST}}{entry['n']:>7}{entry['astar']:>12,.0f}{entry['network']:>12,.0f}{shares}")
    return [*lines, ""]


def _speed_lines(speed: Mapping[str, Any]) -> list[str]:
    lines = [
        f"maps per second on {speed['device']}, {_count(speed['num_threads'], 'thread')} (in brackets per CPU-second)"
    ]
    searched = {size: timings for size, timings in speed["by_size"].items() if SEARCH[0] in timings}
    for size, timings in searched.items():
        rates = [f"{name} {t['maps_per_second']:,.0f} ({t['maps_per_cpu_second']:,.0f})" for name, t in timings.items()]
        lines.append(f"  {size}: {', '.join(rates)}")
    return [*lines, f"  {speed['note']}"]
