"""Outcomes by which the variants of the world model are judged, from the modalities that are observed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.orders import Order
from nsmodels.evaluation.measure import SHARE
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.systems.world.config import EvaluationConfig
from nsmodels.systems.world.evaluation import effects, retrieval, rollouts
from nsmodels.systems.world.evaluation.ablation import scores_by_modalities
from nsmodels.systems.world.evaluation.retrieval import Pair
from nsmodels.systems.world.evaluation.scores import WORLD
from nsmodels.systems.world.evaluation.subject import TRAIN, Subject, read_subject
from nsmodels.systems.world.evaluation.subsets import Subset
from nsmodels.systems.world.studies.config import (
    DYNAMICS,
    FEW_SHOT,
    PROPERTIES,
    RETRIEVAL,
    SIGNS,
    ZERO_SHOT,
    SensesConfig,
)

ORDER = (ZERO_SHOT, FEW_SHOT, PROPERTIES, DYNAMICS)
BOTH = {"vision", "audio"}


def score(order: Order[SensesConfig]) -> list[Outcomes]:
    """Names, properties, imagined states, effects and retrieval, the names of unseen combinations first."""
    plain = EvaluationConfig.model_validate({n: getattr(order.config, n) for n in EvaluationConfig.model_fields})
    subject = _subject(
        order.model, artifact.read_manifest(order.model).fingerprint, order.data, plain.model_dump_json()
    )
    subset = tuple(order.config.modalities)
    scored = scores_by_modalities(subject, plain, [subset])
    found = []
    for name in (name for name in ORDER if name in scored):
        each = scored[name]
        is_share = each.direction == "higher"
        (values,), bounds = each.scores.values(), (0.0, 1.0 if is_share else None)
        unit = SHARE if is_share else ""
        how: Any = {"unit": unit, "bounds": bounds, "direction": each.direction, "chance": each.chance}
        found.append(Outcomes(name, each.split, each.items, each.clusters, values, **how))
    return [*found, *_signs(subject, subset), *_retrieved(subject, subset, plain)]


@lru_cache(maxsize=1)
def _subject(model: Path, fingerprint: str, data: Path, how: str) -> Subject:
    """What is scored; kept for the next variant, which may be the same model with different modalities.

    `how`: the configuration of the evaluation as JSON.
    """
    return read_subject(model, data, EvaluationConfig.model_validate_json(how))


def _signs(subject: Subject, subset: Subset) -> list[Outcomes]:
    """Share of the effects of each twin whose sign is right."""
    split = next(iter(subject.splits))
    clips, twins, train = subject.splits[split], subject.twins[split], subject.splits[TRAIN]
    given = subject.model.effect(subject.seen(split).take(twins.base), twins.variable, twins.change, subset)
    found = effects.Effects(np.asarray(given.outcomes, np.float64))
    scales = effects.deviations(train), rollouts.scale_of(train).deviation
    metrics, _ = effects.causal(clips, split, twins, found, {}, *scales)
    return [metric.outcomes for metric in metrics if metric.name == SIGNS]


def _retrieved(subject: Subject, subset: Subset, how: EvaluationConfig) -> list[Outcomes]:
    """Whether the sound of a picture is among the first; by chance where one of the two senses is hidden."""
    split = next(iter(subject.splits))
    rows, model = retrieval.audible(subject.splits[split]), subject.model
    if len(rows) < 2:
        return []
    if set(subset) >= BOTH:
        seen = subject.seen(split).take(rows)
        pair = Pair(model.unimodal(seen, "vision"), model.unimodal(seen, "audio"))
    else:
        pair = Pair(*[_nothing(len(rows))] * 2)
    clips = replace(subject.splits[split], video=None, audio=None).take(rows)
    metrics = retrieval.retrieval(clips, split, {WORLD: pair}, "", how.num_gallery, how.seed)
    return [metric.outcomes for metric in metrics if metric.name == RETRIEVAL]


def _nothing(num: int) -> NDArray[np.float64]:
    """Vectors that are all the same, so that every clip is a tie."""
    return np.ones((num, 1))
