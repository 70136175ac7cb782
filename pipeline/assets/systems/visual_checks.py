"""Checks of a trained visual reasoner and its evaluation, and a first look at the model for its page."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipeline.lib import checks
from pipeline.lib.checks import Judge, Verdict
from pipeline.lib.display import pictures, results

if TYPE_CHECKING:
    from nsmodels.systems.visual.look import Glance, Proved

NUM_PROOFS = 3


def first_look(folder: Path) -> results.Metadata:
    """Curves, and on the first validation images: the table and some proofs over their images."""
    seen = look(folder)
    from nsmodels.systems.visual.evaluation.report import table

    scores = results.first_look({"accuracy": seen.accuracy, **seen.priors}, "accuracy")
    shown = {f"proof_{number}": picture(proved) for number, proved in enumerate(examples(seen.proofs))}
    return {**scores, "first_look": results.text(table(seen.report)), **shown, **results.pages(folder)}


@checks.looks
def look(folder: Path, data: Path) -> "Glance":
    """Answers and proofs of a model on the first images of the data it was trained on."""
    from nsmodels.systems.visual.look import glance

    return glance(folder, data)


def examples(proofs: list["Proved"]) -> list["Proved"]:
    """Some right and some wrong ones, from different images."""
    by_image = list({proved.image: proved for proved in proofs}.values())
    right, wrong = ([p for p in by_image if p.is_right is kind] for kind in (True, False))
    return [*right[: NUM_PROOFS - min(1, len(wrong))], *wrong[:1]][:NUM_PROOFS]


def picture(proved: "Proved") -> dg.MarkdownMetadataValue:
    """The proof in words, below it drawn over the image."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proof.png"
        proved.draw(path)
        return dg.MetadataValue.md(f"```\n{proved.text()}\n```\n\n{pictures.inline(path).value}")


def beats_priors(folder: Path) -> Verdict:
    """Judge the model's first look against what a guesser would score that never sees an image."""
    seen = look(folder)
    return checks.above(seen.accuracy, seen.priors, "prior")


def evaluation_beats_priors(folder: Path) -> Verdict:
    """Judge the whole evaluation likewise."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    priors = {name: row["accuracy"] for name, row in report["baselines"].items()}
    return checks.above(report["rows"][report["headline"]]["accuracy"], priors, "prior")


def proofs_replay(folder: Path) -> Verdict:
    """Replay every proof of the first look without the networks."""
    from nsmodels.systems.visual.reasoning.replay import ProofError, check

    proofs, problems = look(folder).proofs, []
    for proved in proofs:
        try:
            check(proved.proof)
        except ProofError as error:
            problems.append(f"{proved.question['question']} {error}")
    return Verdict(bool(proofs) and not problems, "; ".join(problems[:3]), {"num_proofs": len(proofs)})


def oracle_is_perfect(folder: Path) -> Verdict:
    """Judge the row of true scenes and true programs: anything but 100 % is a broken executor or broken data."""
    row = json.loads((folder / "report.json").read_text(encoding="utf-8"))["rows"]["true_scene_true_program"]
    return Verdict(row["accuracy"] == 1.0, f"{row['accuracy']:.2%}", {"accuracy": row["accuracy"]})


MODEL_CHECKS: dict[str, tuple[str, Judge]] = {
    "beats_priors": ("Better than the majority and question-type priors, on the first images.", beats_priors),
    "proofs_replay": ("Every proof holds without the networks.", proofs_replay),
}
EVALUATION_CHECKS: dict[str, tuple[str, Judge]] = {
    "oracle_is_perfect": ("True scenes and true programs give 100 %.", oracle_is_perfect),
    "beats_priors": ("Better than the majority and question-type priors.", evaluation_beats_priors),
}
# What follows a failure of these would be meaningless. A model that does not beat a prior may be what one looks for.
BLOCKING = {"oracle_is_perfect"}
visual_checks = [
    checks.check(f"{dataset}_{kind}", name, text, judge, is_blocking=name in BLOCKING)
    for dataset in ("clevr_mini", "clevr")
    for kind, those in (("model", MODEL_CHECKS), ("evaluation", EVALUATION_CHECKS))
    for name, (text, judge) in those.items()
]
