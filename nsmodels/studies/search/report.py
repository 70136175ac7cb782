"""The report of a search: trials, the best one, what it gains with fresh seeds; as a table and as a frame."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nsmodels.core.config import as_yaml
from nsmodels.evaluation.comparison.table import aligned
from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.replication import student_interval
from nsmodels.studies.search import fitting
from nsmodels.studies.search.job import Job
from nsmodels.studies.search.storage import COMPLETE, Journal
from nsmodels.studies.search.worker import BEST, RESULT, UNCHANGED, best_of, confirmations

if TYPE_CHECKING:
    from pandas import DataFrame

Report = dict[str, Any]
FEWEST = 4  # finished trials from which importance is estimated
UNBOUNDED = Measure("difference", unit="", bounds=(None, None))


def report_of(job: Job, journal: Journal, axes: Mapping[str, Any], source: str) -> Report:
    """Everything that a search has found, as plain values."""
    target, trials = job.target, journal.trials
    best, space = best_of(trials, job.target.space.mode), job.target.space
    rows = [row_of(trial) for trial in trials]
    confirmation = _confirmation(job, journal)
    return {
        "system": target.system.name,
        "phase": space.phase,
        "metric": space.metric,
        "mode": space.mode,
        "how": _how(job.config),
        "seed": job.config.model.training.seed,
        "space": {name: str(axis) for name, axis in axes.items()},
        "is_log": [name for name, axis in axes.items() if getattr(axis, "is_log", False)],
        "trials": rows,
        "best": best.number,
        "confirmation": confirmation,
        "importance": _importance(journal),
        "cpu_seconds": round(sum(row["cpu_seconds"] for row in rows) + confirmation.get("cpu_seconds", 0.0), 1),
        "data": {"source": source},
    }


def best_yaml(job: Job, report: Report) -> str:
    """The configuration of the best trial as a file that `--config` of the training takes."""
    chosen = report["trials"][report["best"]]
    config = job.target.trained(job.config, chosen["values"])
    head = f"# trial {chosen['number']} of {len(report['trials'])}: {report['metric']} {chosen['value']:.5g}"
    about = _confirmed(report)[0 if report["best"] == 0 else 1 :]
    lines = [f"{head} ({report['data']['source']})", *(f"# {line}" for line in about)]
    return "\n".join([*lines, as_yaml(config.model_dump(mode="json"))])


def frame(report: Report) -> DataFrame:
    """A line per trial: number, searched fields, value, outcome, cost, and its curve as JSON."""
    import pandas as pd

    lines = []
    for row in report["trials"]:
        rest = {name: value for name, value in row.items() if name not in ("values", "curve")}
        lines.append({**rest, **row["values"], "curve": json.dumps(row["curve"])})
    return pd.DataFrame(lines).astype({"value": "float64", "best_epoch": "Int64", "reason": "string"})


def metrics(report: Report) -> dict[str, Any]:
    """Figures for the manifest: value and fields of the best trial, the unchanged one, the gain, trials by outcome."""
    rows, chosen, confirmed = report["trials"], report["trials"][report["best"]], report["confirmation"]
    found: dict[str, Any] = {"best/value": chosen["value"], "unchanged/value": rows[0]["value"]}
    found |= {f"best/{name}": value for name, value in chosen["values"].items()}
    found |= {f"confirmation/{name}": confirmed[name] for name in ("gain", "low", "high") if name in confirmed}
    outcomes = [row["outcome"] for row in rows]
    kinds = (fitting.FINISHED, fitting.EARLY, fitting.STOPPED, fitting.FAILED)
    found |= {f"num_{kind}": outcomes.count(kind) for kind in kinds}
    found["trials/cpu_seconds"] = report["cpu_seconds"]
    return {name: value for name, value in found.items() if value is not None}


def line(row: Mapping[str, Any], report_metric: str, total: int) -> str:
    """A finished trial in a line for the terminal."""
    values = "  ".join(f"{name}={number(value)}" for name, value in row["values"].items())
    value = "" if row["value"] is None else f"  {report_metric} {number(row['value'])}"
    ended = f"{row['outcome']} after {row['epochs']} epochs  {row['cpu_seconds']:.0f} CPU-s"
    return f"trial {row['number']}/{total - 1}  {values}{value}  {ended}{_reason(row)}"


def number(value: Any) -> str:
    """A value of a field, or of the metric, for people."""
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


# --- the table -------------------------------------------------------------------------------------------------------


def table(report: Report) -> str:
    """A line per trial, the best one starred; then what the best one gains with fresh seeds."""
    better = "higher" if report["mode"] == "max" else "lower"
    head = f"{report['system']}, {report['phase']}: {report['metric']}, {better} is better; {report['data']['source']}"
    names = ["", "trial", *report["space"], report["metric"], "epochs", "outcome", "CPU-s"]
    lines = aligned([names, *(_cells(row, row["number"] == report["best"]) for row in report["trials"])])
    how = f"{report['how']}; every trial with seed {report['seed']}; trial 0: the configuration as it is"
    reasons = [f"trial {row['number']}: {row['reason']}" for row in report["trials"] if row["reason"]]
    body = [head, how, lines[0], "-" * len(lines[0]), *lines[1:], *reasons, "", *_confirmed(report)]
    return "\n".join(body) + "\n"


def _cells(row: Mapping[str, Any], is_best: bool) -> list[str]:
    value = "-" if row["value"] is None else f"{row['value']:.5g}"
    cost = [str(row["epochs"]), row["outcome"], f"{row['cpu_seconds']:.0f}"]
    return ["*" if is_best else "", str(row["number"]), *map(number, row["values"].values()), value, *cost]


def _confirmed(report: Report) -> list[str]:
    num, found = len(report["trials"]), report["confirmation"]
    best, first = (report["trials"][number]["value"] for number in (report["best"], 0))
    if report["best"] == 0:
        others = {row["value"] for row in report["trials"][1:] if row["value"] is not None}
        same = "; all that ended have it: at this budget the value tells nothing apart" if others == {first} else ""
        return [f"no trial of {num} is better than the configuration as it is ({first:.5g}){same}"]
    lines = [f"best: trial {report['best']} with {best:.5g}, trial 0 has {first:.5g}; the best of {num} is optimistic:"]
    if not found:
        return [*lines, "it was not confirmed (confirmation_seeds is empty)"]
    ends = f" [{found['low']:+.3g}, {found['high']:+.3g}]" if found["low"] is not None else ", no interval"
    seeds, failed = ", ".join(map(str, found["seeds"])), _failures(found)
    if found["gain"] is None:
        return [*lines, f"trained again with seeds {seeds}: no pair came to an end", *failed]
    pairs = [pair for pair in zip(found[BEST], found[UNCHANGED], strict=True) if None not in pair]
    means = [statistics.fmean(values) for values in zip(*pairs, strict=True)]
    lines += [
        f"trained again with fresh seeds ({seeds}): best {means[0]:.5g}, unchanged {means[1]:.5g}",
        f"gain, paired by seed, with its 95 % interval (Student): {found['gain']:+.3g}{ends}{_verdict(found)}",
        *failed,
        "seeds are fresh, the validation items are those by which the trial was chosen",
    ]
    return lines


def _verdict(found: Mapping[str, Any]) -> str:
    """What the interval says; nothing is confirmed by a configuration that failed with a seed, whatever the others."""
    if None in found[BEST]:
        return ": not confirmed"
    if found["low"] is None:
        return ""
    return ": confirmed" if found["low"] > 0 else ": worse with fresh seeds" if found["high"] < 0 else ": not shown"


def _failures(found: Mapping[str, Any]) -> list[str]:
    """A line about the trainings of the confirmation that came to no end, which the gain leaves out."""
    failed = {
        name: [str(seed) for seed, value in zip(found["seeds"], found[name], strict=True) if value is None]
        for name in (BEST, UNCHANGED)
    }
    return [f"{name}: failed with seed {', '.join(seeds)}" for name, seeds in failed.items() if seeds]


def _how(config: Any) -> str:
    drawn = "every combination" if config.sampler == "grid" else f"{config.sampler}, sampler seed {config.sampler_seed}"
    return f"{drawn}; pruner {config.pruner}"


def _reason(row: Mapping[str, Any]) -> str:
    return f": {row['reason']}" if row["reason"] else ""


# --- from the study --------------------------------------------------------------------------------------------------


def row_of(trial: Any) -> dict[str, Any]:
    """A trial that has ended, as plain values."""
    found = trial.user_attrs
    return {
        "number": trial.number,
        "values": dict(trial.params),
        "value": trial.value if trial.state == COMPLETE else None,
        "outcome": found["outcome"],
        "epochs": found["epochs"],
        "best_epoch": found.get("best_epoch"),
        "cpu_seconds": found["cpu_seconds"],
        "reason": found.get("reason"),
        "curve": sorted(trial.intermediate_values.items()),
    }


def _confirmation(job: Job, journal: Journal) -> dict[str, Any]:
    """Values by seed, and the gain of the best configuration over the unchanged one; empty without a confirmation."""
    places = confirmations(job, journal.trials)
    if not places:
        return {}
    found = {(place.name, place.seed): fitting.read_result(place.folder / RESULT) or {} for place in places}
    seeds = job.config.confirmation_seeds
    values = {name: [found[name, seed].get("value") for seed in seeds] for name in (BEST, UNCHANGED)}
    sign = 1 if job.target.space.mode == "max" else -1
    pairs = zip(values[BEST], values[UNCHANGED], strict=True)
    gains = [sign * (best - unchanged) for best, unchanged in pairs if best is not None and unchanged is not None]
    # Of those seeds alone with which the best configuration does not fail there is no interval.
    low, high = (None not in values[BEST] and student_interval(gains, measure=UNBOUNDED)) or (None, None)
    return {
        "seeds": list(seeds),
        **values,
        "gains": gains,
        "gain": statistics.fmean(gains) if gains else None,
        "low": low,
        "high": high,
        "cpu_seconds": round(sum(each["cpu_seconds"] for each in found.values()), 1),
    }


def _importance(journal: Journal) -> dict[str, float]:
    """Share of each field in the variance of the metric over finished trials (f-ANOVA); may be empty."""
    import optuna

    values = [trial.value for trial in journal.trials if trial.state == COMPLETE]
    if len(values) < FEWEST or len(set(values)) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(journal.study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}


def ended(trials: Sequence[Any]) -> list[dict[str, Any]]:
    """The trials that have ended, by number."""
    return [row_of(trial) for trial in trials if trial.state.is_finished()]
