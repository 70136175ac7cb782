"""Checks of a trained navigator, its evaluation and its studies, and a first look at the model for its page."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.display import pictures, results

if TYPE_CHECKING:
    from nsmodels.systems.nav.pictures.look import Glance

LEGEND = (
    "Green disc: start; pink star: goal; dark: walls. Arrows: the step that the network chooses, darker the surer; "
    "blue: on a shortest way; orange, on an orange cell: not on one; grey: it does not decide."
)


def first_look(folder: Path) -> results.Metadata:
    """Curves, and on the first validation maps: walks beside greedy and chance, and policies drawn over their maps."""
    seen = look(folder)
    shown = {"first_look": results.text(seen.text()), "gallery": pictures.markdown(seen.gallery, "policies", LEGEND)}
    return {**results.first_look(seen.success, "success"), **shown, **results.pages(folder)}


@checks.looks
def look(folder: Path, data: Path) -> "Glance":
    """Walks of a model on the first validation maps of the data it was trained on."""
    from nsmodels.systems.nav.pictures.look import glance

    return glance(folder, data)


def beats_greedy(folder: Path) -> Verdict:
    """Judge the walks on the first validation maps against rules that need no learning."""
    success = dict(look(folder).success)
    return checks.above(success.pop("navigator"), success, "rule")


def evaluation_beats_greedy(folder: Path) -> Verdict:
    """Judge the whole evaluation likewise."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rules = {name: report["baselines"][name]["success"] for name in ("greedy", "random")}
    return checks.above(report["success"]["value"], rules, "rule")


def search_is_perfect(folder: Path) -> Verdict:
    """Judge the row of A*: anything but 100 % is a broken search or broken data."""
    row = json.loads((folder / "report.json").read_text(encoding="utf-8"))["baselines"]["astar"]
    line = f"success {row['success']:.2%}, optimal {row['optimal']:.2%}"
    return Verdict(row["success"] == row["optimal"] == 1.0, line, {name: row[name] for name in ("success", "optimal")})


def thinking_longer_is_safe(folder: Path) -> Verdict:
    """Judge what twice the trained number of recursion steps costs, in points."""
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))["steps"]["thinking_longer"]
    names = ("any_optimal", "success")
    line = ", ".join(f"{name} {found[name]:+.2f} points" for name in names)
    return Verdict(found["is_safe"], f"{found['factor']:.3g} x the steps: {line}", {n: found[n] for n in names})


def best_beats_greedy(folder: Path) -> Verdict:
    """Judge the best trial of a study against the rules, on the validation maps."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    chosen = next(trial for trial in report["trials"] if trial["name"] == report["best"])
    rules = {name: row["success"]["value"] for name, row in report["baselines"].items()}
    return checks.above(chosen["success"]["value"], rules, "rule")


CHECKS: dict[str, dict[str, tuple[str, Judge]]] = {
    "nav_model": {
        "beats_greedy": ("Reaches the goal more often than the greedy rule, on validation maps.", beats_greedy),
    },
    "nav_evaluation": {
        "beats_greedy": ("Reaches the goal more often than the greedy rule.", evaluation_beats_greedy),
        "search_is_perfect": ("A* reaches every goal on a shortest path.", search_is_perfect),
        "thinking_longer_is_safe": ("Twice the trained steps cost at most 0.2 points.", thinking_longer_is_safe),
    },
    "nav_data_scaling": {"best_beats_greedy": ("The best trial is above the greedy rule.", best_beats_greedy)},
}
WARNINGS = {"thinking_longer_is_safe"}
# What follows a failure of these would be meaningless. A network that does not beat a rule may be what one looks for.
BLOCKING = {"search_is_perfect"}
nav_checks: list[dg.AssetChecksDefinition] = [
    checks.check(key, name, text, judge, is_warning=name in WARNINGS, is_blocking=name in BLOCKING)
    for key, those in CHECKS.items()
    for name, (text, judge) in those.items()
]
