"""Checks of a trained graph reasoner, its evaluations and its studies, and a first look at the model for its page."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from nsmodels.systems.graph.config import DATASETS, REASONER
from nsmodels.systems.graph.studies.hyperparameters import CHANCE
from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.display import pictures, results

if TYPE_CHECKING:
    from nsmodels.systems.graph.pictures.look import Glance

DRIFT = 0.01  # of the headline score, by 12 more rounds
SHORTCUT = 0.57  # accuracy that counts and colours may reach on a kind of query
RULES = ("majority", "chance")  # baselines that read nothing of a graph


def first_look(folder: Path) -> results.Metadata:
    """Curves, and on the first validation pairs: the networks side by side, one answer round by round as a picture."""
    seen = look(folder)
    shown = {
        "first_look": results.text(f"{seen.text()}\n\n{seen.example.text()}"),
        "rounds": pictures.markdown(seen.picture, "an answer round by round"),
    }
    return {**results.first_look(seen.paired, "paired_accuracy"), **shown, **results.pages(folder)}


@checks.looks
def look(folder: Path, data: Path) -> "Glance":
    """The networks of a model on the first validation pairs of the data it was trained on."""
    from nsmodels.systems.graph.pictures.look import glance

    return glance(folder, data)


def beats_chance(folder: Path) -> Verdict:
    """Judge both twins right on the first validation pairs against guessing."""
    seen = look(folder)
    return checks.above(seen.paired[REASONER], {"chance": seen.paired["chance"]}, "guess")


def beats_baselines(folder: Path) -> Verdict:
    """Judge the whole evaluation against classifiers of counts and colours, the majority and chance."""
    report, metric = _report(folder), _report(folder)["metric"]
    scores = {name: row[metric] for name, row in report["baselines"].items() if row.get(metric) is not None}
    return checks.above(report["rows"][REASONER][metric], scores, "baseline")


def no_class_collapse(folder: Path) -> Verdict:
    """Judge the share of the rarer prediction in each split and kind of query."""
    splits = {name: part["collapse"] for name, part in _report(folder)["splits"].items()}
    found = [f"{name}: {', '.join(each['kinds'])}" for name, each in splits.items() if each["is_collapsed"]]
    least = {
        f"{name}/{kind}": share for name, each in splits.items() for kind, share in each["least_predicted"].items()
    }
    line = "; ".join(found) or f"the rarest prediction is {min(least.values()):.1%} of its kind"
    return Verdict(not found, line, least)


def more_rounds_are_safe(folder: Path) -> Verdict:
    """Judge what more rounds than needed change of the headline score."""
    found = _report(folder)["stability"]
    if not found:
        return Verdict(True, "this network has a fixed number of rounds")
    changes = {split: each["difference"] for split, each in found["splits"].items() if each["difference"] is not None}
    line = ", ".join(f"{split} {100 * change:+.2f} points" for split, change in changes.items())
    is_safe = all(abs(change) < DRIFT for change in changes.values())
    return Verdict(is_safe, f"{found['rounds']} more rounds: {line}", changes)


def no_shortcut(folder: Path) -> Verdict:
    """Judge the classifiers of counts and colours on each kind of query: above the limit there is a shortcut."""
    report = _report(folder)
    found = {
        f"{kind}/{name}": row["accuracy"]
        for kind, rows in report["kinds"].items()
        for name, row in rows.items()
        if name in report["baselines"] and name not in RULES
    }
    if not found:
        return Verdict(True, "no classifier was trained")
    worst = max(found, key=lambda name: found[name])
    return Verdict(found[worst] <= SHORTCUT, f"at most {found[worst]:.1%} ({worst}), limit {SHORTCUT:.0%}", found)


def best_beats_chance(folder: Path) -> Verdict:
    """Judge the best trial of a search against guessing."""
    report = _report(folder)
    return checks.above(report["trials"][report["best"]]["value"], {"chance": CHANCE}, "guess")


def transfer_is_measured(folder: Path) -> Verdict:
    """Judge whether every domain was reached from scratch and from each other one."""
    report = _report(folder)
    scores = report["transfer"].get("scores", {})
    numbers = {f"{start}_to_{to}": each["mean"] for to, starts in scores.items() for start, each in starts.items()}
    expected = len(report["domains"]) ** 2
    return Verdict(len(numbers) == expected, f"{len(numbers)} of {expected} pairs of domains", numbers)


def _report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


NAMES = [dataset if domain == "chains" else domain for domain, dataset in DATASETS.items()]
OF_MODEL: dict[str, tuple[str, Judge]] = {
    "beats_chance": ("Both twins right more often than by guessing, on the first validation pairs.", beats_chance)
}
OF_EVALUATION: dict[str, tuple[str, Judge]] = {
    "beats_baselines": ("Better than classifiers of counts and colours, the majority and chance.", beats_baselines),
    "no_class_collapse": ("Each class is predicted for 5 % of the graphs of each kind, or more.", no_class_collapse),
    "more_rounds_are_safe": ("12 more rounds change the score by less than a point.", more_rounds_are_safe),
    "no_shortcut": ("Counts and colours reach 57 % at most on each kind of query.", no_shortcut),
}
OF_REAL_DATA = {name: OF_EVALUATION[name] for name in ("no_class_collapse", "more_rounds_are_safe")}
CHECKS: dict[str, dict[str, tuple[str, Judge]]] = {
    **{f"{name}_model": OF_MODEL for name in NAMES},
    **{f"{name}_evaluation": OF_EVALUATION for name in NAMES},
    **{f"{name}_evaluation": OF_REAL_DATA for name in ("causal_networks", "planning_problems")},
    "graph_hyperparameters": {"best_beats_chance": ("The best trial is above guessing.", best_beats_chance)},
    "cross_domain_comparison": {
        "transfer_is_measured": ("From scratch and from each domain to each other one.", transfer_is_measured)
    },
}
# A network that does not beat a rule, or drifts, may be what one looks for.
WARNINGS = {"more_rounds_are_safe", "no_shortcut", "transfer_is_measured"}
graph_checks: list[dg.AssetChecksDefinition] = [
    checks.check(key, name, text, judge, is_warning=name in WARNINGS)
    for key, those in CHECKS.items()
    for name, (text, judge) in those.items()
]
