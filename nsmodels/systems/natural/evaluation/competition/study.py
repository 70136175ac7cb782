"""The study of baselines on natural images: networks over seeds beside the reasoner; object attention among them."""

from __future__ import annotations

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import MODEL, Order
from nsmodels.layers.answers.competitors import competitors_of
from nsmodels.layers.answers.config import STUDY_VERSION
from nsmodels.layers.answers.study import Study, run_study
from nsmodels.systems.natural.evaluation.competition import object_attention
from nsmodels.systems.natural.evaluation.competition.config import ATTENTION, NaturalBaselines
from nsmodels.systems.natural.evaluation.competition.quizzes import quiz_of

MAKER = "nsmodels.systems.natural"
NO_MODEL = "no model is given whose perception it could read"


def compare(order: Order[NaturalBaselines]) -> Manifest:
    """Train the baselines on a GQA or VQA folder over all seeds, and seal the study.

    Raises `InputError` for broken data or checkpoints, and `Interrupted` when asked to stop.
    """
    config = order.config
    quiz = quiz_of(order.data, config)
    competitors, left_out = competitors_of(quiz, config)
    if ATTENTION in config.networks and order.inputs.has(MODEL):
        place = sum(each.name != "vilt" for each in competitors)
        competitors.insert(place, object_attention.competitor(quiz, config, order.model))
    elif ATTENTION in config.networks:
        left_out = {ATTENTION: NO_MODEL, **left_out}
    return run_study(order, Study(quiz, competitors, left_out), MAKER, STUDY_VERSION)
