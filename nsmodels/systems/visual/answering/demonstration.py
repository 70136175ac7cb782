"""Questions of a CLEVR tree, drawn by chance, for a reasoner at work."""

from __future__ import annotations

from pathlib import Path

from nsmodels.datasets.clevr.files.format import image_path, read_questions, training_splits
from nsmodels.evaluation.demonstration import drawn
from nsmodels.formats.images.demonstration import AnswerDemonstration, Asked
from nsmodels.systems.visual.answering.reasoner import Reasoner
from nsmodels.systems.visual.answering.session import Session


def demonstrate(reasoner: Reasoner, data: Path, num: int, seed: int) -> AnswerDemonstration:
    """Answers to `num` questions of the validation split; raise `InputError` for broken data."""
    _, split = training_splits(data)
    questions = read_questions(data, split)
    chosen = [questions[place] for place in drawn(len(questions), num, seed)]
    asked = [Asked(image_path(data, split, each), each["question"], each["answer"]) for each in chosen]
    return AnswerDemonstration(Session(reasoner), asked, "visual")
