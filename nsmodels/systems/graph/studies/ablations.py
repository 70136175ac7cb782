"""The ablations: the network without one thing after the other, each over the same seeds, on one or several datasets.

Seals `report.json`, `table.txt`, `figures/` and a folder per trial with the checkpoint of its best epoch.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.orders import Order
from nsmodels.engine import runtime
from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.replication import student_interval
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import CODE_VERSION, REASONER, GraphConfig
from nsmodels.systems.graph.studies import figures, trials
from nsmodels.systems.graph.studies.config import AblationConfig
from nsmodels.systems.graph.studies.trials import Record, Trial

MAKER = "nsmodels.systems.graph"
TRIALS = "trials"
FULL = "full"
# A difference of two shares lies between -1 and 1.
DIFFERENCE = Measure("difference", unit="", bounds=(-1.0, 1.0))


class Variant(NamedTuple):
    """What is removed or replaced, in words; the phase that is trained; the values that differ."""

    removed: str
    phase: str
    values: dict[str, Any]


ONE_LEVEL = {
    FULL: Variant("nothing", REASONER, {}),
    "source": Variant("all of it, for the source document's network", "source", {}),
    "flat": Variant("tied rounds, for an R-GCN of own layers", "flat", {}),
    "no_trace": Variant("the oracle's trace", "labels_only", {}),
    "no_short": Variant("short graphs first", REASONER, {"training.curriculum": False}),
    "no_gate": Variant("the gate", REASONER, {"model.use_gate": False}),
    "one_layer": Variant("the hidden layer of the update", REASONER, {"model.cell_layers": 1}),
    "no_norm": Variant("the normalisation of the sender", REASONER, {"model.use_norm": False}),
    "other_aggregation": Variant("the aggregation of the data, for the other one", REASONER, {}),
    "bases": Variant("diagonal relations, for 4 bases", REASONER, {"model.num_bases": 4}),
}
TWO_LEVELS = {
    FULL: Variant("nothing", REASONER, {}),
    "one_level": Variant("the level of clusters, at 12 rounds over nodes", "budget", {}),
    "no_cycle": Variant("the cycle loss", REASONER, {"objective.cycle_weight": 0.0}),
    "no_trace": Variant("the oracle's trace of both levels", "labels_only", {}),
}


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train every variant over all seeds on the datasets of an order, and seal the study.

    A stopped study resumes; the trackers receive each finished trial as if it were an epoch.
    Raises `InputError` for bad data, and when it was interrupted.
    """
    runtime.require_devices(order.config.training)

    def run(part: Part) -> StudyResult:
        report = _run(order, part)
        caption = f"What is removed or replaced; bars: means over {len(order.config.seeds)} seeds, ticks: single seeds"
        return StudyResult(report, table(report), figures.ablations(report), caption, _metrics(report))

    return seal_study(order, MAKER, "ablations", CODE_VERSION, order.config.seeds[0], run)


def trials_of(config: AblationConfig, key: str, data: Path) -> list[Trial]:
    """The trials on one dataset, by seed."""
    graphs = files.read_split(data, "val")
    variants, found = variants_of(config, graphs), []
    for seed in config.seeds:
        for name, variant in variants.items():
            whole = GraphConfig.model_validate({n: getattr(config, n) for n in GraphConfig.model_fields})
            whole = whole.with_values({"training.seed": seed, **variant.values})
            whole = whole.with_values({"baseline_training": whole.training.model_dump()})
            found.append(Trial(f"{key}/{name}_{seed}", {"variant": name}, variant.phase, whole, data))
    return found


def variants_of(config: AblationConfig, graphs: Graphs) -> dict[str, Variant]:
    """The variants for such graphs, the full network first."""
    if (graphs.clusters >= 0).any():
        shared = {"model.kind": "levels", "training.epochs": config.level_epochs}
        chosen = {name: TWO_LEVELS[name] for name in (FULL, *config.level_variants)}
        return {name: each._replace(values={**shared, **each.values}) for name, each in chosen.items()}
    other = "max" if graphs.vocabulary.aggregation == "sum" else "sum"
    chosen = {name: ONE_LEVEL[name] for name in (FULL, *config.variants)}
    if "other_aggregation" in chosen:
        swapped = ONE_LEVEL["other_aggregation"]._replace(values={"model.aggregation": other})
        chosen["other_aggregation"] = swapped._replace(
            removed=f"{graphs.vocabulary.aggregation} of messages, for {other}"
        )
    return chosen


def _run(order: Order[AblationConfig], part: Part) -> dict[str, Any]:
    """Run the trials in order and report each on standard error and to the trackers."""
    listed = {key: trials_of(order.config, key, data) for key, data in order.inputs.datasets.items()}
    total, number, parts = sum(map(len, listed.values())), 0, {}
    for key, some in listed.items():
        data, records = order.inputs[key], []
        splits = trials.held_out(data)
        for trial in some:
            number += 1
            is_over = (part.path / TRIALS / trial.name / trials.RECORD).exists()
            records.append(trials.run(trial, part.path / TRIALS / trial.name, splits))
            _report_trial(records[-1], number, total, is_over, order.trackers)
        words = variants_of(order.config, files.read_split(data, "val"))
        about = {"source": artifact.describe_input(data).source, "splits": {n: len(g) // 2 for n, g in splits.items()}}
        parts[key] = {"rows": {name: row(name, each, records) for name, each in words.items()}, "data": about}
    for tracker in order.trackers:
        tracker.close()
    return {"seeds": list(order.config.seeds), "datasets": parts}


def row(name: str, variant: Variant, records: Sequence[Record]) -> dict[str, Any]:
    """A variant over its seeds: by split mean, interval, scores, and the difference to the full network, by seed."""
    own, full = (
        {record["seed"]: record for record in records if record["settings"]["variant"] == each} for each in (name, FULL)
    )
    found: dict[str, Any] = {"removed": variant.removed, "splits": {}}
    for split in next(iter(own.values()))["scores"]:
        values = [own[seed]["scores"][split]["paired_accuracy"] for seed in own]
        gaps = [
            own[seed]["scores"][split]["paired_accuracy"] - full[seed]["scores"][split]["paired_accuracy"]
            for seed in own
        ]
        found["splits"][split] = {
            "mean": statistics.fmean(values),
            "interval": student_interval(values),
            "scores": values,
            "difference": statistics.fmean(gaps),
            "difference_interval": student_interval(gaps, measure=DIFFERENCE),
        }
    found["num_parameters"] = next(iter(own.values()))["num_parameters"]
    found["cpu_seconds"] = round(statistics.fmean(record["cpu_seconds"] for record in own.values()), 1)
    return found


def _report_trial(record: Record, number: int, total: int, is_over: bool, trackers: Sequence[Any]) -> None:
    shown = "  ".join(f"{split} {each['paired_accuracy']:.1%}" for split, each in record["scores"].items())
    seconds = "finished before" if is_over else f"{record['cpu_seconds']:.0f} CPU-s"
    print(f"trial {number}/{total}  {record['name']}  {shown}  {seconds}", file=sys.stderr, flush=True)
    for tracker in trackers:
        scores = {f"{split}/paired_accuracy": each["paired_accuracy"] for split, each in record["scores"].items()}
        tracker.epoch({"epoch": number, **scores})


def _metrics(report: dict[str, Any]) -> dict[str, Any]:
    """Figures for the manifest: the mean of every variant by dataset and split, and CPU time."""
    found, seconds = {}, 0.0
    for key, part in report["datasets"].items():
        for name, each in part["rows"].items():
            found |= {f"{key}/{name}/{split}": score["mean"] for split, score in each["splits"].items()}
            seconds += each["cpu_seconds"] * len(report["seeds"])
    return found | {"trials/cpu_seconds": round(seconds, 1)}


def table(report: dict[str, Any]) -> str:
    """Tables with a line per variant: both twins right in %, the difference to the full network, cost."""
    lines = []
    for key, part in report["datasets"].items():
        pairs = ", ".join(f"{number:,} pairs of {split}" for split, number in part["data"]["splits"].items())
        lines += [f"{key}: {part['data']['source']}, {pairs}; both twins right in %, means over seeds", ""]
        names = [n for split in part["data"]["splits"] for n in (split, "difference")]
        cells = [["removed", *names, "parameters", "CPU-s"]]
        for each in part["rows"].values():
            scores = [cell for score in each["splits"].values() for cell in _cells(score)]
            cells.append([each["removed"], *scores, f"{each['num_parameters']:,}", f"{each['cpu_seconds']:.0f}"])
        lines += [*_aligned(cells), ""]
    return (
        "\n".join([*lines, f"seeds {', '.join(map(str, report['seeds']))}; 95 % intervals over them (Student)"]) + "\n"
    )


def _cells(score: dict[str, Any]) -> list[str]:
    return [
        f"{100 * score['mean']:.1f}{_ends(score['interval'])}",
        f"{100 * score['difference']:+.1f}{_ends(score['difference_interval'])}",
    ]


def _ends(interval: Sequence[float] | None) -> str:
    return f" [{', '.join(f'{100 * end:.1f}' for end in interval)}]" if interval else ""


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(each, widths, strict=True)).rstrip() for each in rows]
