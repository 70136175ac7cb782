"""Link prediction: a model and its evaluation for each of the knowledge bases."""

import json
from pathlib import Path

from nsmodels.systems.links import SYSTEM
from nsmodels.systems.links.config import BASES, presets_of
from pipeline.lib import checks
from pipeline.lib.checks import Verdict
from pipeline.lib.training import Training

TRAININGS = [
    Training(
        name=base,
        system=SYSTEM,
        datasets=("knowledge_bases",),
        about_model=f"ComplEx, a relational network and the hybrid of both, trained on the triples of {base}.",
        about_evaluation=f"`{base}_model` on held-out triples of {base}: filtered ranks both ways and matched pairs, "
        "beside frequency and chance.",
        presets=presets_of(base),
    )
    for base in BASES
]
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]
SMALL = ("nations",)  # 14 entities, 201 test triples: reported, and held to nothing


def beats_frequency(folder: Path) -> Verdict:
    """Judge mean reciprocal rank against the frequency of (relation, tail): the intervals must not touch."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    own, rule = report["rows"][report["headline"]]["mrr"], report["baselines"]["frequency"]["mrr"]
    least, most = own["interval"][0], rule["interval"][1]
    line = f"MRR {own['value']:.1%}, at least {least:.1%}, against {rule['value']:.1%}, at most {most:.1%}"
    return Verdict(least > most, line, {"mrr": own["value"], "frequency": rule["value"]})


def is_not_below_complex(folder: Path) -> Verdict:
    """Judge the difference to ComplEx alone on the same queries: its interval must not lie below 0."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = report["differences"]["complex"]
    points, low, high = (100 * value for value in (found["value"], *found["interval"]))
    return Verdict(high >= 0, f"MRR {points:+.1f} points ({low:+.1f} to {high:+.1f})", {"points": points})


CHECKS = {
    "beats_frequency": ("Ranks better than frequency, intervals apart.", beats_frequency),
    "is_not_below_complex": ("Ranks no worse than ComplEx alone.", is_not_below_complex),
}
links_checks = [
    checks.check(each.evaluation_key, name, text, judge, is_warning=name == "is_not_below_complex")
    for each in TRAININGS
    if each.name not in SMALL
    for name, (text, judge) in CHECKS.items()
]
