"""Checks of a trained world model, its evaluation and its ablations, and a first look at the model for its page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.display import pictures, results

if TYPE_CHECKING:
    from nsmodels.systems.world.imagination.look import Glance

WORLD = "world"  # the row of the model among its rivals
COVERED = (0.85, 0.95)  # share of simulated states that 90 % intervals may have


def first_look(folder: Path) -> results.Metadata:
    """Curves, and on the first validation clips: errors of imagined states, properties, one clip imagined."""
    seen = look(folder)
    shown = {
        "first_look": results.text(seen.text()),
        "imagined": pictures.markdown(seen.picture, "a clip imagined beside the simulator"),
    }
    numbers = results.first_look({"nmse": seen.nmse, **seen.correlation})
    return {**numbers, **shown, **results.pages(folder)}


@checks.looks
def look(folder: Path, data: Path) -> "Glance":
    """A model on the first validation clips of the data it was trained on."""
    from nsmodels.systems.world.imagination.look import glance

    return glance(folder, data)


def beats_persistence(folder: Path) -> Verdict:
    """Judge the imagined states of the first validation clips against states that stay as they were last."""
    error = look(folder).nmse
    return Verdict(error < 1, f"squared error {error:.3f} of that of persistence", {"nmse": error})


def beats_baselines(folder: Path) -> Verdict:
    """Judge every metric against chance and simple baselines; nothing beats the ceiling."""
    metrics = _report(folder)["metrics"]
    behind = [line for name, each in metrics.items() if (line := _is_behind(name, each))]
    line = "; ".join(behind) or f"all {len(metrics)} metrics are level with or ahead of chance and baselines"
    return Verdict(not behind, line, {name: each["rows"][WORLD]["score"] for name, each in metrics.items()})


def _is_behind(name: str, metric: Mapping[str, Any]) -> str:
    """The best rival that is not behind the model, in words."""
    sign = 1 if metric["direction"] == "higher" else -1
    rivals = {
        name: sign * row["score"] for name, row in metric["rows"].items() if name not in (WORLD, metric["ceiling"])
    }
    own = metric["rows"][WORLD]["score"]
    if not rivals or sign * own >= max(rivals.values()):
        return ""
    best = max(rivals, key=lambda rival: rivals[rival])
    return f"{name}: {own:.4g}, {best} {sign * rivals[best]:.4g}"


def colour_changes_nothing(folder: Path) -> Verdict:
    """Judge the placebo: predicted effects of a change of the colour."""
    found = _report(folder)["metrics"].get("placebo_invariance")
    if found is None:
        return Verdict(True, "no placebo among the twins")
    share = found["rows"][WORLD]["score"]
    return Verdict(share >= 0.99, f"no effect in {share:.1%} of the placebos", {"share": share})


def intervals_cover(folder: Path) -> Verdict:
    """Judge the coverage of 90 % intervals of imagined states, over all horizons."""
    shares = _report(folder)["details"]["dynamics"]["coverage"]["90"]
    least, most = min(shares), max(shares)
    is_covered = COVERED[0] <= least and most <= COVERED[1]
    return Verdict(is_covered, f"{least:.1%} to {most:.1%} of the states, by horizon", {"least": least, "most": most})


def _report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


CHECKS: dict[str, dict[str, tuple[str, Judge]]] = {
    "world_model": {
        "beats_persistence": ("Imagines better than states that stay, on validation clips.", beats_persistence)
    },
    "world_evaluation": {
        "beats_baselines": ("No metric is behind chance and simple baselines.", beats_baselines),
        "colour_changes_nothing": ("At most 1 % of the placebos have an effect.", colour_changes_nothing),
        "intervals_cover": ("90 % intervals cover 85 to 95 % at every horizon.", intervals_cover),
    },
}
# A model that loses to a baseline, or whose intervals are off, may be what one looks for.
WARNINGS = {"intervals_cover", "colour_changes_nothing"}
world_checks: list[dg.AssetChecksDefinition] = [
    checks.check(key, name, text, judge, is_warning=name in WARNINGS)
    for key, those in CHECKS.items()
    for name, (text, judge) in those.items()
]
