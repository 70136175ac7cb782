"""The domains side by side: their evaluations in one table, and transfer from one to another.

Seals `report.json`, `table.txt`, `figures/`, and a folder per training of the transfer.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.engine import runtime
from nsmodels.evaluation import plots
from nsmodels.evaluation.replication import student_interval
from nsmodels.systems.graph.config import CODE_VERSION, DATASETS, REASONER
from nsmodels.systems.graph.studies import transfer, trials
from nsmodels.systems.graph.studies.config import ComparisonConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAKER = "nsmodels.systems.graph"
TRIALS = "trials"
CORES = "cores"
DOMAINS = ("causal", "planning", "knowledge")
NETWORKS = (REASONER, "labels_only", "flat", "source")
Report = dict[str, Any]


def keys_of(domain: str) -> tuple[str, str, str]:
    """Asset keys of a domain: data, model, evaluation."""
    return DATASETS[domain], f"{domain}_model", f"{domain}_evaluation"


def compare(order: Order[ComparisonConfig]) -> Manifest:
    """Compare the domains whose data, model and evaluation are inputs of an order, by their asset keys.

    Raises `InputError` for an order without domains, bad inputs, and when it was interrupted.
    """
    runtime.resolve_device(order.config.device)
    domains = [name for name in DATASETS if all(key in order.inputs for key in keys_of(name))]
    if not domains:
        raise InputError(f"{order.key}: no domain; give data, model and evaluation of {', '.join(DOMAINS)}")
    recipe: Any = {"config": order.config.relevant(), "code_version": CODE_VERSION, "seed": order.config.seeds[0]}
    recipe |= {"inputs": order.inputs, "key": order.key, "maker": MAKER, "kind": "study: domains"}

    def write(part: Part) -> None:
        places = {domain: [order.inputs[key] for key in keys_of(domain)] for domain in domains}
        report: Report = {"domains": {name: row(*those[1:]) for name, those in places.items()}}
        report["transfer"] = _transfer(order, part, places) if order.config.has_transfer else {}
        disk.write_json(part.path / "report.json", report)
        disk.write_atomic(part.path / "table.txt", table(report))
        caption = "Both twins right, with 95 % intervals; " + _caption(report)
        plots.save_figure(figure(report), part.path / "figures" / order.key, caption, part.source)
        part.metrics |= _metrics(report)

    return artifact.made(order.folder, order.force, write, **recipe)


def row(model: Path, evaluation: Path) -> Report:
    """A domain: every network and baseline on test and ood, size, training time, and how the network was taught."""
    path = evaluation / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    metrics = artifact.read_manifest(model).metrics
    ood = report["splits"].get("ood", {"rows": {}, "baselines": {}})
    rows = {}
    for name, each in {**report["rows"], **report["baselines"]}.items():
        beyond = {**ood["rows"], **ood["baselines"]}.get(name, {})
        rows[name] = {
            "paired_accuracy": each.get("paired_accuracy"),
            "interval": each.get("paired_interval") or each.get("interval"),
            "accuracy": each.get("accuracy"),
            "ood_paired_accuracy": beyond.get("paired_accuracy"),
            "cpu_seconds": metrics.get(f"{name}/cpu_seconds"),
        }
    headline = report["rows"][REASONER]
    return {
        "rows": rows,
        "kinds": {kind: found[REASONER]["paired_accuracy"] for kind, found in report["kinds"].items()},
        "ece": headline.get("ece"),
        "graphs_per_cpu_second": headline.get("graphs_per_cpu_second"),
        "num_parameters": metrics.get("num_parameters"),
        "train_cpu_seconds": metrics.get("train_cpu_seconds"),
        "supervision": report["supervision"]["caption"],
        "source": report["data"]["source"],
    }


def _transfer(order: Order[ComparisonConfig], part: Part, places: Mapping[str, list[Path]]) -> Report:
    """Scores by target and start, over the seeds."""
    data, models = ({name: those[k] for name, those in places.items()} for k in (0, 1))
    listed = transfer.trials_of(order.config, models, data, part.path / CORES)
    found: dict[str, dict[str, list[Any]]] = {}
    for number, trial in enumerate(listed, 1):
        record = trials.run(trial, part.path / TRIALS / trial.name, trials.held_out(trial.data))
        value = record["scores"]["test"]["paired_accuracy"]
        found.setdefault(trial.settings["to"], {}).setdefault(trial.settings["from"], []).append(record)
        print(f"transfer {number}/{len(listed)}  {trial.name}  both right {value:.1%}", file=sys.stderr)
        for tracker in order.trackers:
            tracker.epoch({"epoch": number, "test/paired_accuracy": value})
    for tracker in order.trackers:
        tracker.close()
    scores = {to: {start: _over_seeds(records) for start, records in each.items()} for to, each in found.items()}
    return {"num_steps": order.config.num_steps, "seeds": list(order.config.seeds), "scores": scores}


def _over_seeds(records: list[Any]) -> Report:
    values = [record["scores"]["test"]["paired_accuracy"] for record in records]
    return {
        "mean": statistics.fmean(values),
        "interval": student_interval(values),
        "scores": values,
        "accuracy": statistics.fmean(record["scores"]["test"]["accuracy"] for record in records),
    }


def _metrics(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for domain, part in report["domains"].items():
        headline = part["rows"][REASONER]
        found |= {f"{domain}/{key}": headline[key] for key in ("paired_accuracy", "accuracy", "ood_paired_accuracy")}
    for to, starts in report["transfer"].get("scores", {}).items():
        found |= {f"transfer/{start}_to_{to}": each["mean"] for start, each in starts.items()}
    return {name: value for name, value in found.items() if value is not None}


def _caption(report: Report) -> str:
    return "; ".join(f"{domain}: {part['supervision']}" for domain, part in report["domains"].items())


def table(report: Report) -> str:
    """The domains by network and baseline, their size and cost, and the transfer matrix."""
    domains = report["domains"]
    names = list(dict.fromkeys(name for part in domains.values() for name in part["rows"]))
    lines = [["both twins right, % (test / ood)", *domains]]
    lines += [[name, *(_score(part["rows"].get(name)) for part in domains.values())] for name in names]
    facts = (
        ("accuracy of the reasoner, %", lambda part: _percent(part["rows"][REASONER]["accuracy"])),
        ("ECE", lambda part: "-" if part["ece"] is None else f"{part['ece']:.3f}"),
        ("parameters", lambda part: f"{part['num_parameters']:,}"),
        ("CPU-s of training", lambda part: f"{part['train_cpu_seconds']:.0f}"),
        ("graphs per CPU-s", lambda part: f"{part['graphs_per_cpu_second'] or 0:,.0f}"),
    )
    lines += [[name, *(fact(part) for part in domains.values())] for name, fact in facts]
    blocks = [
        _aligned(lines),
        "\n".join(f"{domain}: {part['source']}; {part['supervision']}" for domain, part in domains.items()),
    ]
    if report["transfer"]:
        blocks.append(_transfer_table(report["transfer"]))
    return "\n\n".join(blocks) + "\n"


def _transfer_table(found: Report) -> str:
    starts = list(dict.fromkeys(start for each in found["scores"].values() for start in each))
    lines = [["fine-tuned on", *(f"from {start}" for start in starts)]]
    lines += [
        [to, *(_mean(each[start]) if start in each else "-" for start in starts)]
        for to, each in found["scores"].items()
    ]
    seeds = ", ".join(map(str, found["seeds"]))
    about = f"core of one domain in another: both twins right in test, %, after {found['num_steps']:,} steps"
    return f"{about}; seeds {seeds}\n{_aligned(lines)}"


def _mean(each: Report) -> str:
    ends = f" [{', '.join(f'{100 * end:.1f}' for end in each['interval'])}]" if each["interval"] else ""
    return f"{100 * each['mean']:.1f}{ends}"


def _score(each: Report | None) -> str:
    return "-" if each is None else f"{_percent(each['paired_accuracy'])} / {_percent(each['ood_paired_accuracy'])}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in rows)


def figure(report: Report) -> Figure:
    """Bars of each network by domain on test, marks on ood; beside them the transfer by target and start."""
    import numpy as np

    domains, starts = report["domains"], report["transfer"].get("scores", {})
    drawn, axes = plots.make_figure(2 if starts else 1, width=4.6, height=3.4)
    names = [name for name in NETWORKS if any(name in part["rows"] for part in domains.values())]
    for number, name in enumerate(names):
        places = np.arange(len(domains)) + (number - (len(names) - 1) / 2) * 0.8 / len(names)
        own = [part["rows"].get(name) or {} for part in domains.values()]
        values = [100 * (each.get("paired_accuracy") or 0) for each in own]
        axes[0].bar(places, values, 0.75 / len(names), color=plots.COLOURS[number], label=name)
        beyond = [100 * (each.get("ood_paired_accuracy") or 0) for each in own]
        axes[0].plot(places, beyond, "kx", markersize=5, label="ood" if number == 0 else None)
    axes[0].set_xticks(range(len(domains)), list(domains))
    axes[0].axhline(25, color="grey", linewidth=0.8, linestyle=":")
    axes[0].set(ylabel="both twins right, %", ylim=(0, 103))
    axes[0].legend(frameon=False, fontsize=7)
    if starts:
        _draw_transfer(axes[1], starts, report["transfer"]["num_steps"])
    return drawn


def _draw_transfer(axis: Any, scores: Report, num_steps: int) -> None:
    import numpy as np

    starts = list(dict.fromkeys(start for each in scores.values() for start in each))
    image = np.array([[100 * each[s]["mean"] if s in each else np.nan for s in starts] for each in scores.values()])
    axis.imshow(image, cmap="Blues", vmin=0, vmax=100)
    for (line, column), value in np.ndenumerate(image):
        if np.isfinite(value):
            colour = "white" if value > 60 else "black"
            axis.text(column, line, f"{value:.1f}", ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(starts)), starts, rotation=20)
    axis.set_yticks(range(len(scores)), list(scores))
    axis.grid(visible=False)
    axis.set(xlabel="core from", ylabel=f"{num_steps:,} steps on")
