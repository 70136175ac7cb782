"""The reasoner on natural images: a model and its evaluation per dataset."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.orders import DATA, MODEL
from nsmodels.layers.answers.config import STUDY_VERSION
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.config import EVALUATION_VERSION, Dataset, NaturalConfig, NaturalEvaluation
from nsmodels.systems.natural.evaluation.competition.config import BASELINE_PRESETS
from nsmodels.systems.natural.evaluation.studies.config import ABLATION_PRESETS
from nsmodels.systems.natural.presets import presets_of
from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.training import Training, study

STUDIES = "nsmodels.systems.natural.evaluation.studies"


def training(dataset: str) -> Training[NaturalConfig, NaturalEvaluation]:
    """Learning from a dataset of GQA's form."""
    return Training(
        name=dataset,
        system=SYSTEM,
        datasets=(dataset,),
        about_model=f"Perception of named objects and question parser trained on `{dataset}`; answers with proofs.",
        about_evaluation=f"`{dataset}_model` on held-out `{dataset}`: four rows, official metrics, baselines.",
    )


def on_answers(name: str, datasets: tuple[str, ...], dataset: Dataset) -> Training[Any, Any]:
    """Learning the answers of ten people, alone or beside questions with programs."""
    listed = ", ".join(f"`{key}`" for key in datasets)
    return Training(
        name=name,
        system=SYSTEM,
        datasets=datasets,
        about_model=f"Perception and chosen answers trained on {listed}; proved answers where programs are learnt too.",
        about_evaluation=f"`{name}_model` on held-out {listed}: official scores, baselines, people, pairs.",
        presets=presets_of(dataset),
    )


ON_PROGRAMS = [training("gqa_mini"), training("gqa")]
ON_ANSWERS = [
    on_answers("vqa_mini", ("vqa_mini",), "vqa"),
    on_answers("vqa", ("vqa",), "vqa"),
    on_answers("multi_dataset", ("gqa_mini", "vqa_mini", "clevr_mini"), "all"),
]
TRAININGS = [*ON_PROGRAMS, *ON_ANSWERS]
assets = [asset for each in TRAININGS for asset in each.assets()]
baselines = [
    study(
        f"{each.name}_baselines",
        {**dict.fromkeys(each.datasets, DATA), each.model_key: MODEL},
        "nsmodels.systems.natural.evaluation.competition.study:compare",
        BASELINE_PRESETS,
        STUDY_VERSION,
        f"Classifiers of answers trained on `{each.name}` over seeds, with equal epochs: the question alone, beside a "
        "small CNN, beside a ResNet, attention over perceived objects, and ViLT where a checkpoint is configured. A "
        "stopped study resumes.",
    )
    for each in (ON_PROGRAMS[0], ON_ANSWERS[0])
]
training_checks = [check for each in TRAININGS for check in each.checks()]

visual_ablations = study(
    "visual_ablations",
    dict.fromkeys(("gqa_mini", "vqa_mini"), DATA),
    f"{STUDIES}.ablations:ablate",
    ABLATION_PRESETS,
    EVALUATION_VERSION,
    "The reasoner on natural images without one part after the other, over several seeds: gains paired by item and "
    "seed with their intervals, what each part costs, and whether it helps. A finished trial is kept.",
)


def oracle_is_perfect(folder: Path) -> Verdict:
    """Judge the row of true graphs and true programs."""
    row = _report(folder)["rows"]["true_scene_true_program"]
    return Verdict(row["accuracy"] == 1.0, f"{row['accuracy']:.2%}", {"accuracy": row["accuracy"]})


def beats_priors(folder: Path) -> Verdict:
    """Judge the whole evaluation against guessers that never see an image."""
    report = _report(folder)
    baselines = {name: _score(row) for name, row in report["baselines"].items()}
    return checks.above(_score(report["rows"][report["headline"]]), baselines, "baseline")


def _score(row: Mapping[str, float]) -> float:
    """Accuracy on questions with programs, the official score on those of ten people."""
    return row["accuracy"] if "accuracy" in row else row["score"]


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
    if each not in ON_ANSWERS or name == "beats_baselines"
]
