"""The reasoner on natural images: a model and its evaluation per dataset."""

import json
from pathlib import Path

from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.config import NaturalConfig, NaturalEvaluation
from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.training import Training


def training(dataset: str) -> Training[NaturalConfig, NaturalEvaluation]:
    """Learning from a dataset of GQA's form."""
    return Training(
        name=dataset,
        system=SYSTEM,
        datasets=(dataset,),
        about_model=f"Perception of named objects and question parser trained on `{dataset}`; answers with proofs.",
        about_evaluation=f"`{dataset}_model` on held-out `{dataset}`: four rows, official metrics, baselines.",
    )


TRAININGS = [training("gqa_mini"), training("gqa")]
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]


def oracle_is_perfect(folder: Path) -> Verdict:
    """Judge the row of true graphs and true programs."""
    row = _report(folder)["rows"]["true_scene_true_program"]
    return Verdict(row["accuracy"] == 1.0, f"{row['accuracy']:.2%}", {"accuracy": row["accuracy"]})


def beats_priors(folder: Path) -> Verdict:
    """Judge the whole evaluation against guessers that never see an image."""
    report = _report(folder)
    priors = {name: row["accuracy"] for name, row in report["baselines"].items()}
    return checks.above(report["rows"][report["headline"]]["accuracy"], priors, "baseline")


def _report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


CHECKS: dict[str, tuple[str, Judge]] = {
    "oracle_is_perfect": ("True graphs and true programs give 100 %.", oracle_is_perfect),
    "beats_baselines": ("Better than every baseline, those without an image among them.", beats_priors),
}
natural_checks = [
    checks.check(each.evaluation_key, name, text, judge, is_warning=each.name == "gqa" and name == "oracle_is_perfect")
    for each in TRAININGS
    for name, (text, judge) in CHECKS.items()
]
