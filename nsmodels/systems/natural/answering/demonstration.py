"""Questions with programs, drawn by chance, for a model at work."""

from __future__ import annotations

from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.evaluation.demonstration import drawn
from nsmodels.formats.images.demonstration import AnswerDemonstration, Asked
from nsmodels.systems.natural.answering.functions import FunctionReasoner
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.answering.respondent import Respondent
from nsmodels.systems.natural.answering.sessions import session_of
from nsmodels.systems.natural.folders import NAMES, kind_of
from nsmodels.systems.natural.language.asking import READERS, each_question, places_of

SPLIT = "val"


def demonstrate(
    loaded: Reasoner | Respondent | FunctionReasoner, data: Path, num: int, seed: int
) -> AnswerDemonstration:
    """Answers to `num` questions of the validation split; raise `InputError` for other data than GQA and CLEVR."""
    if kind_of(data) not in READERS:
        known = " or ".join(NAMES[kind] for kind in READERS)
        raise InputError(f"{data}: has several answers to each question; a demonstration needs data of {known}")
    questions = list(each_question(data, SPLIT))
    chosen = [questions[place] for place in drawn(len(questions), num, seed)]
    images = places_of(data, [each.image for each in chosen])
    asked = [Asked(image, each.text, each.answer) for image, each in zip(images, chosen, strict=True)]
    return AnswerDemonstration(session_of(loaded), asked, "natural")
