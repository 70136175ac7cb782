"""Evaluation of a world model: six metrics, each beside chance, simple baselines and a ceiling."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.formats.clips.names import PROPERTIES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import PHASES, EvaluationConfig
from nsmodels.systems.world.evaluation import charts, concepts, effects, observation, properties, retrieval, rollouts
from nsmodels.systems.world.evaluation.ablation import by_modalities
from nsmodels.systems.world.evaluation.forests import forests_of
from nsmodels.systems.world.evaluation.report import table
from nsmodels.systems.world.evaluation.retrieval import Pair
from nsmodels.systems.world.evaluation.scores import WORLD, Metric
from nsmodels.systems.world.evaluation.subject import (
    EXACT,
    FIGURES,
    NOVEL,
    PIXELS,
    PROBE,
    TRAIN,
    UNTRAINED,
    Subject,
    read_subject,
)

INTERVALS = (
    "95 %, whole objects resampled; of the few-shot accuracy episodes, of correlations properties, of coverage horizons"
)
PROBED = "world, linear probe"
Found = tuple[list[Metric], dict[str, Any]]


def score(order: Order[EvaluationConfig]) -> EvaluationResult:
    """Score a split, with `test` also `novel`; metrics whose truth the data lack are left out, with a note.

    Raises InputError for a broken checkpoint or data, for a model that is not trained to the end, and for data in which
    nothing can be scored.
    """
    subject = read_subject(order.model, order.data, order.config)
    if subject.model.phase != PHASES[-1]:
        raise InputError(f"{order.model}: ends with the stage '{subject.model.phase}'; train on to '{PHASES[-1]}'")
    metrics, details, notes = measured(subject, order.config)
    if not metrics:
        raise InputError(f"{order.data}: nothing can be scored: {'; '.join(notes)}")
    outcomes, figures = [each.outcomes for each in metrics], _figures(metrics)
    report = {
        "rows": {each.metric: {each.metric: each.mean, "interval": each.interval} for each in outcomes},
        "headline": outcomes[0].metric,
        "baselines": {key.removeprefix("baseline/"): value for key, value in figures.items() if "baseline/" in key},
        "metrics": {each.name: each.report() for each in metrics},
        "details": details,
        "data": _about(order, subject, notes),
    }

    def draw(part: Part) -> None:
        charts.draw_all(report, part.path / "figures")

    return EvaluationResult(report, table(report), outcomes, figures, draw)


def measured(subject: Subject, how: EvaluationConfig) -> tuple[list[Metric], dict[str, Any], list[str]]:
    """Every metric that the clips allow, details by family, and a note for each family that was left out."""
    metrics: list[Metric] = []
    details, notes = {}, []
    for name, (measure, needs) in METRICS.items():
        if missing := needs(subject):
            notes.append(f"{name}: not scored, {missing}")
            continue
        found, details[name] = measure(subject, how)
        metrics += found
    return metrics, details, notes


# --- the six metrics -------------------------------------------------------------------------------------------------


def zero_shot(subject: Subject, how: EvaluationConfig) -> Found:
    """Held-out combinations by their two words: by the heads of the model, and by linear probes of all features."""
    split, clips = _concept_split(subject)
    rivals: dict[str, concepts.Probabilities] = {WORLD: subject.concepts(split)}
    for name, (train, found) in _features(subject, split).items():
        known = subject.splits[subject.fitted_on(name)]
        rivals[PROBED if name == WORLD else name] = concepts.probabilities(found, train, known)
    metric = concepts.zero_shot(clips, split, rivals, EXACT if EXACT in rivals else "")
    # The same model by a different head is not to be beaten.
    details = {"linear_probe": float(metric.scores[PROBED].mean()), "combinations": concepts.by_concept(clips, metric)}
    kept = {name: scores for name, scores in metric.scores.items() if name != PROBED}
    return [dataclasses.replace(metric, scores=kept)], details


def few_shot(subject: Subject, how: EvaluationConfig) -> Found:
    """Held-out combinations by five examples."""
    split, clips = _concept_split(subject)
    rivals = {
        name: concepts.within_concepts(train, subject.splits[subject.fitted_on(name)])(found)
        for name, (train, found) in _features(subject, split).items()
    }
    ceiling = EXACT if EXACT in rivals else ""
    metric = concepts.few_shot(clips, split, rivals, ceiling, how.num_episodes, how.seed)
    return [metric] if metric else [], {}


def retrieve(subject: Subject, how: EvaluationConfig) -> Found:
    """Sounds of pictures and pictures of sounds."""
    split = next(iter(subject.splits))
    rows, model = retrieval.audible(subject.splits[split]), subject.model
    clips, seen = (each.take(rows) for each in (_without_senses(subject.splits[split]), subject.seen(split)))
    pair = Pair(model.unimodal(seen, "vision"), model.unimodal(seen, "audio"))
    rivals = {WORLD: pair, "shuffled pairs": Pair(pair.image, np.roll(pair.sound, len(rows) // 2, 0))}
    if TRAIN in subject.splits and {"vision", "audio"} <= set(subject.modalities):
        rivals["linear map of figures by hand"] = _mapped(subject, split, rows)
    ceiling = ""
    if clips.states is not None and clips.properties is not None:
        ceiling = "figures both senses show, exact"
        rivals[ceiling] = retrieval.shared_figures(clips, _shown_by_both(subject, split))
    return retrieval.retrieval(clips, split, rivals, ceiling, how.num_gallery, how.seed), {}


def dynamics(subject: Subject, how: EvaluationConfig) -> Found:
    """Imagined states."""
    split, clips = _first(subject)
    context, horizon = rollouts.context_of(clips)
    scale, others = rollouts.scale_of(subject.splits[TRAIN]), rollouts.rivals(clips, subject.splits[TRAIN])
    rollout = subject.model.imagine(subject.seen(split), context, horizon)
    mean, std = (np.asarray(each, np.float64) for each in rollout)
    metrics, curves = rollouts.dynamics(clips, split, mean, std, others, scale)
    return metrics, {**curves, "context": context, "example": rollouts.example(clips, mean, std, others)}


def property_extraction(subject: Subject, how: EvaluationConfig) -> Found:
    """Properties by subset of the modalities."""
    split, clips = _first(subject)
    found = {each: subject.properties(split, each) for each in subject.subsets}
    forests = forests_of(subject, split)
    return properties.properties(clips, split, found, forests.predicted, forests.matrix)


def causal(subject: Subject, how: EvaluationConfig) -> Found:
    """Effects of changes."""
    split, clips = _first(subject)
    twins, train = subject.twins[split], subject.splits[TRAIN]
    given = subject.model.effect(subject.seen(split).take(twins.base), twins.variable, twins.change)
    found = effects.Effects(*(np.asarray(each, np.float64) for each in (given.outcomes, given.states, given.events)))
    others = observation.rivals(train, subject.twins[TRAIN], clips, twins)
    scales = effects.deviations(train), rollouts.scale_of(train).deviation
    return effects.causal(clips, split, twins, found, others, *scales)


# --- what they need --------------------------------------------------------------------------------------------------


def _without_concepts(subject: Subject) -> str:
    if TRAIN not in subject.splits:
        return "there are no training clips for probes"
    clips = [subject.splits[TRAIN], _concept_split(subject)[1]]
    return "" if all(map(concepts.has_concepts, clips)) else "the clips have no columns material and shape"


def _without_pairs(subject: Subject) -> str:
    num = len(retrieval.audible(_first(subject)[1]))
    return "" if num > 1 else "fewer than two clips have picture and sound"


def _without_states(subject: Subject) -> str:
    if TRAIN not in subject.splits:
        return "there are no training clips for the baselines"
    clips = [subject.splits[TRAIN], _first(subject)[1]]
    return (
        ""
        if all(each.states is not None and each.actions is not None for each in clips)
        else "the clips have no exact states"
    )


def _without_properties(subject: Subject) -> str:
    if TRAIN not in subject.splits:
        return "there are no training clips for probes"
    clips = [subject.splits[TRAIN], _first(subject)[1]]
    return "" if all(each.properties is not None for each in clips) else "the clips have no properties"


def _without_twins(subject: Subject) -> str:
    wanted = [next(iter(subject.splits)), TRAIN]
    if any(split not in subject.twins for split in wanted):
        return "there are no twins"
    return _without_states(subject)


METRICS: Mapping[str, tuple[Callable[[Subject, EvaluationConfig], Found], Callable[[Subject], str]]] = {
    "zero-shot": (zero_shot, _without_concepts),
    "few-shot": (few_shot, _without_concepts),
    "retrieval": (retrieve, _without_pairs),
    "dynamics": (dynamics, _without_states),
    "properties": (property_extraction, _without_properties),
    "causal": (causal, _without_twins),
    "modalities": (by_modalities, _without_properties),
}


def _first(subject: Subject) -> tuple[str, Clips]:
    return next(iter(subject.splits.items()))


def _concept_split(subject: Subject) -> tuple[str, Clips]:
    """The combinations that training does not have; of data without them, the scored split."""
    return (NOVEL, subject.splits[NOVEL]) if NOVEL in subject.splits else _first(subject)


def _features(subject: Subject, split: str) -> dict[str, tuple[NDArray, NDArray]]:
    """Features by rival, of the training clips on which it is fitted, and of a split."""
    found = {}
    for name in (WORLD, UNTRAINED, PIXELS, FIGURES, EXACT):
        train, features = subject.features(name, subject.fitted_on(name)), subject.features(name, split)
        if train is not None and features is not None:
            found[name] = (train, features)
    return found


def _without_senses(clips: Clips) -> Clips:
    """The clips without video and sound, which need not be read then."""
    return dataclasses.replace(clips, video=None, audio=None)


def _mapped(subject: Subject, split: str, rows: NDArray[np.int64]) -> Pair:
    """Canonical correlations of figures of pictures and sounds, by hand."""
    there = retrieval.audible(subject.splits[TRAIN])
    return retrieval.mapped(
        (subject.figures(TRAIN, "vision")[there], subject.figures(TRAIN, "audio")[there]),
        (subject.figures(split, "vision")[rows], subject.figures(split, "audio")[rows]),
    )


def _shown_by_both(subject: Subject, split: str) -> NDArray[np.bool_]:
    if TRAIN not in subject.splits or subject.splits[TRAIN].properties is None:
        return np.ones(len(PROPERTIES), bool)
    matrix = forests_of(subject, split).matrix
    return properties.shown_by(matrix, ("vision",)) & properties.shown_by(matrix, ("audio",))


def _about(order: Order[EvaluationConfig], subject: Subject, notes: list[str]) -> dict[str, Any]:
    """Origin of data and checkpoint."""
    return origin(order.model, order.data, _first(subject)[0]) | {
        "num_clips": {name: len(each) for name, each in subject.splits.items() if name != PROBE},
        "num_parameters": subject.model.num_parameters,
        "intervals": INTERVALS,
        "notes": notes,
        "twins": effects.supervision(artifact.read_manifest(order.model).config),
    }


def _figures(metrics: list[Metric]) -> dict[str, float]:
    """Figures for the manifest: every metric, its baselines and its ceiling; the headline comes first."""
    found: dict[str, float] = {}
    for number, each in enumerate(metrics):
        found[each.name] = each.outcomes.mean
        prefix = "baseline/" if number == 0 else f"baseline/{each.name}/"
        found |= {f"{prefix}{rival.replace('/', ' ')}": value for rival, value in each.baselines.items()}
        if each.ceiling:
            top = each.levels.get(each.ceiling, None)
            found[f"ceiling/{each.name}"] = float(np.mean(each.scores[each.ceiling])) if top is None else top
    return found
