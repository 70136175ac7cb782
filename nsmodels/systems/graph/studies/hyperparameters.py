"""The source document's search: learning rate times cycle weight of its network, and the reasoner at each rate.

Seals `report.json`, `table.txt`, `figures/` and a folder per trial with the checkpoint of its best epoch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.orders import Order
from nsmodels.engine import runtime
from nsmodels.evaluation import plots
from nsmodels.evaluation.metrics import wilson_interval
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.formats.graphs import files
from nsmodels.systems.graph.config import CODE_VERSION, REASONER, GraphConfig
from nsmodels.systems.graph.studies import trials
from nsmodels.systems.graph.studies.config import SearchConfig
from nsmodels.systems.graph.studies.trials import Record, Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "nsmodels.systems.graph"
TRIALS = "trials"
SOURCE = "source"
SPLIT = "val"
CHANCE = 0.25  # both twins right by guessing
Report = dict[str, Any]


def search(order: Order[SearchConfig]) -> Manifest:
    """Train every combination on the data of an order and seal the study; a stopped one resumes.

    The trackers receive each finished trial as if it were an epoch. Raises `InputError` for bad data, and when it was
    interrupted.
    """
    runtime.require_devices(order.config.training)

    def run(part: Part) -> StudyResult:
        report = _run(order, part)
        caption = f"Both twins right in {report['data']['num_pairs']:,} {SPLIT} pairs, by learning rate"
        return StudyResult(report, table(report), figure(report), caption, _metrics(report))

    return seal_study(order, MAKER, "hyperparameters", CODE_VERSION, order.config.training.seed, run)


def trials_of(config: SearchConfig, data: Path) -> list[Trial]:
    """The trials in running order: the source's network by rate and weight, then the reasoner by rate."""
    whole = GraphConfig.model_validate({name: getattr(config, name) for name in GraphConfig.model_fields})
    found = []
    for lr in config.lrs:
        for weight in config.cycle_weights:
            values = {"baselines.cycle_weight": weight, "baseline_training": {**whole.training.model_dump(), "lr": lr}}
            settings = {"network": SOURCE, "lr": lr, "cycle_weight": weight}
            found.append(Trial(f"{SOURCE}_{lr:g}_{weight:g}", settings, SOURCE, whole.with_values(values), data))
    for lr in config.lrs:
        settings = {"network": REASONER, "lr": lr, "cycle_weight": None}
        chosen = whole.with_values({"training.lr": lr})
        found.append(Trial(f"{REASONER}_{lr:g}", settings, REASONER, chosen, data))
    return found


def _run(order: Order[SearchConfig], part: Part) -> Report:
    """Run the trials in order and report each on standard error and to the trackers."""
    listed, records = trials_of(order.config, order.data), []
    graphs = files.read_split(order.data, SPLIT)
    num_pairs = len(set(graphs.pairs.tolist()))
    for number, trial in enumerate(listed, 1):
        place = part.path / TRIALS / trial.name
        is_over = (place / trials.RECORD).exists()
        record = trials.run(trial, place, {SPLIT: graphs})
        value = record["scores"][SPLIT]["paired_accuracy"]
        record["interval"] = wilson_interval(round(value * num_pairs), num_pairs)
        records.append(record)
        seconds = "finished before" if is_over else f"{record['cpu_seconds']:.0f} CPU-s"
        print(f"trial {number}/{len(listed)}  {trial.name}  both right {value:.1%}  {seconds}", file=sys.stderr)
        for tracker in order.trackers:
            tracker.epoch({"epoch": number, "val/paired_accuracy": value})
    for tracker in order.trackers:
        tracker.close()
    names = dict.fromkeys(record["settings"]["network"] for record in records)
    return {
        "best": {name: best(records, name)["name"] for name in names},
        "trials": records,
        "chance": CHANCE,
        "data": {"source": part.source, "split": SPLIT, "num_pairs": num_pairs, "path": str(order.data.resolve())},
    }


def best(records: Sequence[Record], network: str) -> Record:
    """The trial of a network with the most right validation pairs; of equals the one with more right graphs."""
    own = [record for record in records if record["settings"]["network"] == network]
    return max(own, key=lambda r: (r["scores"][SPLIT]["paired_accuracy"], r["scores"][SPLIT]["accuracy"]))


def _metrics(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for network, name in report["best"].items():
        chosen = next(record for record in report["trials"] if record["name"] == name)
        found |= {f"best/{network}/{key}": chosen["scores"][SPLIT][key] for key in ("paired_accuracy", "accuracy")}
        known = {key: value for key, value in chosen["settings"].items() if isinstance(value, float)}
        found |= {f"best/{network}/{key}": value for key, value in known.items()}
    total = sum(record["cpu_seconds"] for record in report["trials"])
    return found | {"chance/paired_accuracy": report["chance"], "trials/cpu_seconds": round(total, 1)}


def table(report: Report) -> str:
    """A line per trial: network, rate, weight, scores on the validation pairs, cost; the best of a network starred."""
    data = report["data"]
    head = ("", "network", "lr", "cycle weight", "both twins right, %", "accuracy, %", "best epoch", "CPU-s")
    cells = [list(head), *(_cells(record, report["best"].values()) for record in report["trials"])]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    about = f"{data['source']}, {data['num_pairs']:,} {data['split']} pairs; 95 % intervals (Wilson); chance 25 %"
    return "\n".join([about, lines[0], "-" * len(lines[0]), *lines[1:]]) + "\n"


def _cells(record: Record, best: Any) -> list[str]:
    settings, scores = record["settings"], record["scores"][SPLIT]
    low, high = record["interval"]
    weight = settings["cycle_weight"]
    return [
        "*" if record["name"] in best else "",
        settings["network"],
        f"{settings['lr']:g}",
        "-" if weight is None else f"{weight:g}",
        f"{100 * scores['paired_accuracy']:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{100 * scores['accuracy']:.1f}",
        str(record["best_epoch"]),
        f"{record['cpu_seconds']:.0f}",
    ]


def figure(report: Report) -> Figure:
    """Both twins right by learning rate: a line per cycle weight of the source's network, and the reasoner."""
    drawn, (axis,) = plots.make_figure(width=5.2, height=3.4)
    lines = dict.fromkeys((r["settings"]["network"], r["settings"]["cycle_weight"]) for r in report["trials"])
    for colour, (network, weight) in zip(plots.COLOURS * 3, lines, strict=False):
        own = [
            r
            for r in report["trials"]
            if (r["settings"]["network"], r["settings"]["cycle_weight"]) == (network, weight)
        ]
        own.sort(key=lambda record: record["settings"]["lr"])
        label = network if weight is None else f"{network}, cycle {weight:g}"
        rates = [record["settings"]["lr"] for record in own]
        axis.plot(rates, [100 * r["scores"][SPLIT]["paired_accuracy"] for r in own], "o-", color=colour, label=label)
    axis.axhline(100 * report["chance"], color="grey", linewidth=0.8, linestyle=":", label="chance")
    axis.set(xlabel="learning rate", ylabel="both twins right, %", xscale="log", ylim=(-3, 103))
    axis.legend(frameon=False, fontsize=8)
    return drawn
