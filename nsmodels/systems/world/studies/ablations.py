"""The study of modalities: each alone, in pairs, and all, over several seeds of the whole chain of stages.

Three modalities are to be better than the best two, and two better than the best one. Both differences are paired: over
seeds, with Student's interval, and over objects, with the scores of each clip averaged over the seeds. Seals
`report.json`, `table.txt`, `figures/` and a folder per seed.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.engine import runtime
from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.replication import student_interval
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.systems.world.config import CODE_VERSION
from nsmodels.systems.world.evaluation.ablation import Scored, best_by_size, paired
from nsmodels.systems.world.studies import figures, trials
from nsmodels.systems.world.studies.config import AblationConfig

MAKER = "nsmodels.systems.world"
TRIALS = "trials"
ANY = Measure("difference", unit="", bounds=(None, None))


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train the chain over all seeds, score every subset of the modalities, and seal the study.

    A stopped study resumes; the trackers receive each finished trial as if it were an epoch.
    Raises `InputError` for bad data, and when it was interrupted.
    """
    runtime.require_devices(order.config.full.training)

    def run(part: Part) -> StudyResult:
        report = _run(order, part)
        caption = (
            f"Each subset of the modalities; bars: means over {len(order.config.seeds)} seeds, ticks: single seeds"
        )
        return StudyResult(report, table(report), figures.ablations(report), caption, _metrics(report))

    return seal_study(order, MAKER, "modalities", CODE_VERSION, order.config.seeds[0], run)


def _run(order: Order[AblationConfig], part: Part) -> dict[str, Any]:
    """Run the trials in order and report each on standard error and to the trackers."""
    found, seconds, seeds = [], 0.0, order.config.seeds
    for number, seed in enumerate(seeds, 1):
        record, scored = trials.run(seed, order.config, order.data, part.path / TRIALS / str(seed))
        found.append(scored)
        seconds += record["cpu_seconds"]
        _report_trial(record, scored, number, len(seeds), order.trackers)
    for tracker in order.trackers:
        tracker.close()
    if not found[0]:
        raise InputError(
            f"{order.data}: the clips have no properties, states or concepts to score; give simulated ones"
        )
    about = {"source": artifact.describe_input(order.data).source, "cpu_seconds": round(seconds, 1)}
    rows = {name: compared([each[name] for each in found]) for name in found[0]}
    return {"seeds": list(seeds), "metrics": rows, "data": about}


def compared(scored: Sequence[Scored]) -> dict[str, Any]:
    """One metric over seeds: a row for each subset, and how far the best of three, two and one are apart."""
    first, means = scored[0], {}
    for subset in first.scores:
        values = [float(each.scores[subset].mean()) for each in scored]
        means[subset] = {
            "mean": statistics.fmean(values),
            "interval": student_interval(values, measure=ANY),
            "scores": values,
        }
    pooled = Scored(
        {s: np.mean([each.scores[s] for each in scored], 0) for s in first.scores},
        first.clusters,
        first.direction,
        first.split,
    )
    best = best_by_size(pooled)
    steps = [_step(best[size], best[size - 1], scored, pooled) for size in (2, 3) if size in best]
    return {"direction": first.direction, "split": first.split, "rows": means, "steps": steps}


def _step(more: str, fewer: str, scored: Sequence[Scored], pooled: Scored) -> dict[str, Any]:
    """How far a subset is ahead of a smaller one: by seed, over seeds, and over objects."""
    gaps = [each.sign * float((each.scores[more] - each.scores[fewer]).mean()) for each in scored]
    by_object = paired(pooled, more, fewer)
    return {
        "more": more, "fewer": fewer, "ahead": statistics.fmean(gaps), "by_seed": gaps,
        "interval_over_seeds": student_interval(gaps, measure=ANY), "interval_over_objects": by_object.interval,
    }  # fmt: skip


def _report_trial(
    record: Mapping[str, Any], scored: Mapping[str, Scored], number: int, total: int, trackers: Sequence[Any]
) -> None:
    whole = {name: float(list(each.scores.values())[-1].mean()) for name, each in scored.items()}
    shown = "  ".join(f"{name} {value:.4g}" for name, value in whole.items())
    print(
        f"seed {record['seed']} ({number}/{total})  all modalities: {shown}  {record['cpu_seconds']:.0f} CPU-s",
        file=sys.stderr,
        flush=True,
    )
    for tracker in trackers:
        tracker.epoch({"epoch": number, **whole})


def _metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Figures for the manifest: the mean of every subset, and CPU time."""
    found = {
        f"{name}/{subset.replace(' + ', '_')}": row["mean"]
        for name, each in report["metrics"].items()
        for subset, row in each["rows"].items()
    }
    return found | {"trials/cpu_seconds": report["data"]["cpu_seconds"]}


def table(report: Mapping[str, Any]) -> str:
    """Tables with a line per subset and metric, and the steps from one to two to three."""
    metrics = report["metrics"]
    lines = [f"{report['data']['source']}; means over seeds {', '.join(map(str, report['seeds']))}", ""]
    lines.append(f"{'':<28}" + "".join(f"{name:>32}" for name in metrics))
    for subset in next(iter(metrics.values()))["rows"]:
        cells = "".join(f"{_cell(each['rows'][subset]):>32}" for each in metrics.values())
        lines.append(f"{subset:<28}{cells}")
    for name, each in metrics.items():
        better = "higher is better" if each["direction"] == "higher" else "lower is better"
        lines += [
            "",
            f"{name} ({each['split']}, {better}), how far the best of a size is ahead of the best of one fewer",
        ]
        for step in each["steps"]:
            spans = (
                f"over seeds {_span(step['interval_over_seeds'])}, over objects {_span(step['interval_over_objects'])}"
            )
            lines.append(f"  {step['more']} over {step['fewer']}: {step['ahead']:+.4f}; 95 %: {spans}")
    return "\n".join(lines) + "\n"


def _cell(row: Mapping[str, Any]) -> str:
    return f"{row['mean']:.4f} {_span(row['interval'])}"


def _span(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"[{interval[0]:.4f}, {interval[1]:.4f}]"
