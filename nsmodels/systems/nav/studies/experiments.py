"""Scaling with the number of maps, with and without augmentation.

Seals `report.json`, `table.txt`, `figures/` and a folder per trial with the checkpoint of its best epoch.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.engine import runtime, tracking
from nsmodels.engine.tracking import Tracker
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.systems.nav.config import CODE_VERSION, NavConfig
from nsmodels.systems.nav.evaluation.validation import SCORES, SPLIT, ValMaps
from nsmodels.systems.nav.studies import figures, trials
from nsmodels.systems.nav.studies.config import DataScalingConfig
from nsmodels.systems.nav.studies.trials import Record, Trial

MAKER = "nsmodels.systems.nav"
TRIALS = "trials"
Report = dict[str, Any]


def data_scaling(order: Order[DataScalingConfig]) -> Manifest:
    """Train on nested subsets of the maps of an order, each for the same number of steps, and seal the study.

    A stopped study resumes; the trackers receive each finished trial as if it were an epoch.
    Raises `InputError` for a device or a tracker that is not there, for bad data, and when it was interrupted.
    """
    runtime.require_devices(order.config.training)
    tracking.require(order.config.training)

    def run(part: Part) -> StudyResult:
        report = _run(scaling_trials(order.config, order.data), order.data, part, order.trackers)
        caption = f"Data scaling, scored on {report['data']['num_maps']} {SPLIT} maps, with 95 % intervals"
        return StudyResult(report, table(report), figures.scaling(report), caption, _metrics(report))

    return seal_study(order, MAKER, "data scaling", CODE_VERSION, order.config.training.seed, run)


def scaling_trials(config: DataScalingConfig, data: Path) -> list[Trial]:
    """The trials of a data scaling; raise `InputError` when `data` has too few maps."""
    split = read_split(data, "train")
    if max(config.sizes) > len(split.index):
        raise InputError(
            f"sizes: {max(config.sizes)} maps requested, but {data} has {len(split.index)} training maps; "
            "use smaller sizes or generate more maps"
        )
    made = []
    for values in config.combinations:
        num, size = values["maps"], config.training.batch_size
        num_batches = sum(math.ceil((group.rows < num).sum() / size) for group in split.groups)
        chosen = config.data.with_values({"max_maps": num, "augment": values["augment"]})
        name = f"{num}_maps_{'with' if values['augment'] else 'without'}_augmentation"
        sections = {"model": config.model, "objective": config.objective, "data": chosen}
        made.append(Trial(name, values, NavConfig(training=config.trained_on(num_batches), **sections)))
    return made


def _run(listed: list[Trial], data: Path, part: Part, trackers: Sequence[Tracker]) -> Report:
    """Run the trials in order and report each on standard error and to the trackers."""
    val, records = ValMaps.read(data), []
    place = part.path / TRIALS
    for number, trial in enumerate(listed, 1):
        is_over = (place / trial.name / trials.RECORD).exists()
        records.append(trials.run(trial, data, val, place / trial.name))
        _report_trial(records[-1], number, len(listed), is_over, trackers)
    for tracker in trackers:
        tracker.close()
    return {
        "best": best(records)["name"],
        "baselines": val.baselines(),
        "trials": records,
        "data": {"source": part.source, "split": SPLIT, "num_maps": len(val), "path": str(data.resolve())},
    }


def best(records: Sequence[Record]) -> Record:
    """The trial with the highest success; of equals the one with more optimal cells, then the smallest network."""
    return max(records, key=lambda r: (r["success"]["value"], r["any_optimal"]["value"], -r["num_parameters"]))


def _report_trial(record: Record, number: int, total: int, is_over: bool, trackers: Sequence[Tracker]) -> None:
    shown = f"success {record['success']['value']:.1%}  cells {record['any_optimal']['value']:.2%}"
    seconds = "finished before" if is_over else f"{record['cpu_seconds']:.0f} CPU-s"
    line = f"trial {number}/{total}  {record['name']}  {shown}  {record['outcome']} after {record['epochs']} epochs"
    print(f"{line}  {seconds}", file=sys.stderr, flush=True)
    for tracker in trackers:
        tracker.epoch({"epoch": number, **_figures(record)})


def _figures(record: Record) -> dict[str, Any]:
    scores = {name: record[name]["value"] for name in SCORES}
    return scores | {name: record[name] for name in ("num_parameters", "cpu_seconds") if name in record}


def _metrics(report: Report) -> dict[str, Any]:
    """Figures for the manifest: the best trial, the baselines, numbers of trials by outcome, and CPU time."""
    chosen = next(record for record in report["trials"] if record["name"] == report["best"])
    found = {f"best/{name}": value for name, value in (chosen["settings"] | _figures(chosen)).items()}
    for name, row in report["baselines"].items():
        found |= {f"{name}/{metric}": value for metric, value in _figures(row).items()}
    outcomes = [record["outcome"] for record in report["trials"]]
    found |= {f"num_{kind}": outcomes.count(kind) for kind in ("finished", "early")}
    return found | {"trials/cpu_seconds": round(sum(record["cpu_seconds"] for record in report["trials"]), 1)}


# --- the table -------------------------------------------------------------------------------------------------------


def table(report: Report) -> str:
    """Table with a line per trial: settings, scores and cost, the best one starred; below them greedy and chance."""
    data = report["data"]
    rows = [_row(record, record["name"] == report["best"]) for record in report["trials"]]
    names = [
        "",
        *report["trials"][0]["settings"],
        "success",
        "SPL",
        "cells optimal",
        "parameters",
        "epochs",
        "outcome",
        "CPU-s",
    ]
    blank = [""] * (len(report["trials"][0]["settings"]) - 1)
    below = [["", name, *blank, *_scores(row), "", "", "", ""] for name, row in report["baselines"].items()]
    lines = _aligned([names, *rows, *below])
    head = f"{data['source']}, {data['num_maps']} {data['split']} maps; 95 % intervals; * best on these maps"
    return "\n".join([head, lines[0], "-" * len(lines[0]), *lines[1:]]) + "\n"


def _row(record: Record, is_best: bool) -> list[str]:
    settings = ["yes" if v is True else "no" if v is False else f"{v:,}" for v in record["settings"].values()]
    cost = [f"{record['num_parameters']:,}", str(record["epochs"]), record["outcome"], f"{record['cpu_seconds']:.0f}"]
    return ["*" if is_best else "", *settings, *_scores(record), *cost]


def _scores(row: dict[str, Any]) -> list[str]:
    return [_percent(row["success"], 1), f"{row['spl']['value']:.3f}", _percent(row["any_optimal"], 2)]


def _percent(score: dict[str, Any], digits: int) -> str:
    ends = ", ".join(f"{100 * end:.{digits}f}" for end in score["interval"] or ())
    return f"{100 * score['value']:.{digits}f} [{ends}]"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
