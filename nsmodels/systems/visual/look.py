"""Quick check of a checkpoint, in seconds: score and proofs on the first images of a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.datasets.clevr.files.format import image_path, read_questions, read_scenes
from nsmodels.datasets.clevr.validation import require_valid
from nsmodels.formats.images.cache import read_pixels
from nsmodels.systems.visual.evaluate import find_prior, read_programs
from nsmodels.systems.visual.evaluation.report import HEADLINE, Report, report
from nsmodels.systems.visual.evaluation.scoring import Predictions
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.drawing import draw_proof
from nsmodels.systems.visual.reasoning.proof import NoProof, Proof, prove

NUM_SCENES = 60


@dataclass(frozen=True)
class Proved:
    """A question about an image with its proof, and the belief that was proved from."""

    question: dict[str, Any]
    image: Path
    proof: Proof
    belief: SceneBelief

    @property
    def is_right(self) -> bool:
        """Whether the proved answer is the recorded one."""
        return self.proof.answer == self.question["answer"]

    def text(self) -> str:
        """Question, true answer and proof as text."""
        question = f"{self.image.name}: {self.question['question']}\ntrue answer: {self.question['answer']}"
        return f"{question}\n{self.proof.text(has_negative=False)}"

    def draw(self, path: Path) -> None:
        """Draw the proof over its image to `path`; raise `InputError` for a suffix other than .png, .svg and .pdf."""
        caption = f"{self.question['question']} (true answer: {self.question['answer']})"
        draw_proof(read_pixels(self.image), self.proof, self.belief, path, caption)


@dataclass(frozen=True)
class Glance:
    """The report on the first images of a split, and a proof per question that has one."""

    report: Report
    proofs: list[Proved]

    @property
    def accuracy(self) -> float:
        """Share of questions answered correctly from the image and the question alone."""
        return self.report["rows"][HEADLINE]["accuracy"]

    @property
    def priors(self) -> dict[str, float]:
        """Accuracy of the baselines that ignore the image, by name."""
        return {name: row["accuracy"] for name, row in self.report["baselines"].items()}


def glance(
    checkpoint: Path, data: Path, split: str = "val", num_scenes: int = NUM_SCENES, device: str = "auto"
) -> Glance:
    """Load the checkpoint and score it on the first `num_scenes` scenes; raise `InputError` when either is broken."""
    model = VisualReasoner.load(checkpoint, device)
    require_valid(data, [split])
    scenes = read_scenes(data, split)[:num_scenes]
    shown = {scene["image_index"] for scene in scenes}
    questions = [question for question in read_questions(data, split) if question["image_index"] in shown]
    beliefs = model.perceive_split(data, split, scenes)
    predictions = Predictions(scenes, beliefs, questions, read_programs(model, [q["question"] for q in questions]))
    source = {"split": split, "first_images": len(scenes)}
    prior = find_prior(checkpoint, data, predictions)
    found = report(predictions, prior, num_parameters=model.num_parameters, source=source)
    return Glance(found, _proofs(predictions, data, split))


def _proofs(predictions: Predictions, data: Path, split: str) -> list[Proved]:
    proofs = []
    for question, program, place in zip(predictions.questions, predictions.programs, predictions.places, strict=True):
        belief = predictions.beliefs[place]
        try:
            proof = prove(program, belief) if program else None
        except NoProof:
            continue
        if proof:
            proofs.append(Proved(question, image_path(data, split, predictions.scenes[place]), proof, belief))
    return proofs
