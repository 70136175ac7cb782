"""What each modality adds: scores from each subset of the modalities, the same network, what it lacks hidden from it.

Three are to be better than the best two, and two better than the best one: differences are paired by clip or episode,
with whole objects resampled. The best subset of a size is the one with the best score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.evaluation.metrics import mean_interval, paired_comparison
from nsmodels.systems.world.config import EvaluationConfig
from nsmodels.systems.world.evaluation import concepts, rollouts
from nsmodels.systems.world.evaluation.concepts import objects_of
from nsmodels.systems.world.evaluation.scores import WORLD, Metric
from nsmodels.systems.world.evaluation.subject import NOVEL, PROBE, TRAIN, Subject
from nsmodels.systems.world.evaluation.subsets import title

Scores = Mapping[str, NDArray[np.float64]]  # by subset


def by_modalities(subject: Subject, how: EvaluationConfig) -> tuple[list[Metric], dict[str, Any]]:
    """No metric of its own: what the others become with fewer modalities."""
    split = next(iter(subject.splits))
    clips, found = subject.splits[split], {}
    truth, objects = np.asarray(clips.properties, np.float64), objects_of(clips)
    missed = {title(s): np.abs(subject.properties(split, s) - truth).mean(1) for s in subject.subsets}
    found["property_mae"] = compared(missed, objects, "lower")
    if clips.states is not None and clips.actions is not None:
        found["dynamics_error"] = compared(_dynamics(subject, split), objects, "lower")
    if NOVEL in subject.splits and concepts.has_concepts(subject.splits[NOVEL]):
        found |= _concepts(subject, how)
    return [], found


def _dynamics(subject: Subject, split: str) -> Scores:
    """Squared error of the standardised states at the last horizon."""
    clips = subject.splits[split]
    scale, (context, horizon) = rollouts.scale_of(subject.splits[TRAIN]), rollouts.context_of(clips)
    found = {s: subject.model.imagine(subject.seen(split), context, horizon, s).mean for s in subject.subsets}
    return {title(s): rollouts.errors(clips, mean.astype(float), scale)[:, -1].mean(1) for s, mean in found.items()}


def _concepts(subject: Subject, how: EvaluationConfig) -> dict[str, Any]:
    """Zero-shot and few-shot accuracy."""
    clips, train = subject.splits[NOVEL], subject.splits[PROBE]
    named = {title(s): subject.concepts(NOVEL, s) for s in subject.subsets}
    first = concepts.zero_shot(clips, NOVEL, {WORLD: next(iter(named.values())), **named}, "")
    found = {"zero_shot_accuracy": compared({s: first.scores[s] for s in named}, objects_of(clips), "higher")}
    spaces = {
        title(s): concepts.within_concepts(subject.embedding(PROBE, s), train)(subject.embedding(NOVEL, s))
        for s in subject.subsets
    }
    metric = concepts.few_shot(clips, NOVEL, spaces, "", how.num_episodes, how.seed)
    if metric is not None:
        found["few_shot_accuracy"] = compared(metric.scores, list(metric.clusters), "higher")
    return found


def compared(scores: Scores, clusters: list[str], direction: str) -> dict[str, Any]:
    """A row for each subset, and what the best of three, two and one are ahead of each other."""
    sign = 1 if direction == "higher" else -1
    rows = {
        name: {"score": float(each.mean()), "interval": mean_interval(each, clusters, (None, None))}
        for name, each in scores.items()
    }
    best = {}
    for size in (1, 2, 3):
        own = [name for name in scores if name.count(" + ") == size - 1]
        if own:
            best[size] = max(own, key=lambda name: sign * rows[name]["score"])
    steps = []
    for size in (2, 3):
        if size in best:
            more, fewer = best[size], best[size - 1]
            one = paired_comparison(sign * scores[more], sign * scores[fewer], clusters)
            steps.append({"more": more, "fewer": fewer, "ahead": one.difference, "interval": one.interval})
    return {"direction": direction, "rows": rows, "steps": steps}
