"""What each modality adds: scores from each subset of the modalities, the same network, what it lacks hidden from it.

Three are to be better than the best two, and two better than the best one: differences are paired by clip or episode,
with whole objects resampled. The best subset of a size is the one with the best score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.evaluation.measure import Direction
from nsmodels.evaluation.metrics import Comparison, mean_interval, paired_comparison
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import EvaluationConfig
from nsmodels.systems.world.evaluation import concepts, rollouts
from nsmodels.systems.world.evaluation.concepts import objects_of
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD, Metric
from nsmodels.systems.world.evaluation.subject import NOVEL, PROBE, TRAIN, Subject
from nsmodels.systems.world.evaluation.subsets import Subset, title


class Scored(NamedTuple):
    """One metric with subsets of the modalities.

    scores: (n,) by subset. clusters: names (n,) of what succeeds and fails together. split: of the data. items: names
    (n,), all different. chance: score of what has learnt nothing: guesses, or the mean of training clips.
    """

    scores: Mapping[str, NDArray[np.float64]]
    clusters: Sequence[str]
    direction: Direction
    split: str
    items: Sequence[str] = ()
    chance: float | None = None

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return 1 if self.direction == "higher" else -1


def by_modalities(subject: Subject, how: EvaluationConfig) -> tuple[list[Metric], dict[str, Any]]:
    """No metric of its own: what the others become with fewer modalities."""
    return [], {name: compared(each) for name, each in scores_by_modalities(subject, how).items()}


def scores_by_modalities(
    subject: Subject, how: EvaluationConfig, subsets: Sequence[Subset] | None = None
) -> dict[str, Scored]:
    """Error of the properties and of the imagined states, zero-shot and few-shot accuracy, as far as there is truth.

    `subsets`: of the modalities; None: all that the clips have.
    """
    split, found, asked = next(iter(subject.splits)), {}, subject.subsets if subsets is None else subsets
    clips = subject.splits[split]
    if clips.properties is not None:
        found["property_mae"] = _properties(subject, split, asked)
    if clips.states is not None and clips.actions is not None and TRAIN in subject.splits:
        found["dynamics_error"] = _dynamics(subject, split, asked)
    if NOVEL in subject.splits and PROBE in subject.splits and concepts.has_concepts(subject.splits[NOVEL]):
        found |= _concepts(subject, how, asked)
    return found


def _properties(subject: Subject, split: str, subsets: Sequence[Subset]) -> Scored:
    """Mean absolute error of the properties."""
    clips = subject.splits[split]
    truth = np.asarray(clips.properties, np.float64)
    missed = {title(s): np.abs(subject.properties(split, s) - truth).mean(1) for s in subsets}
    train = subject.splits[TRAIN].properties if TRAIN in subject.splits else None
    level = None if train is None else float(np.abs(np.asarray(train, np.float64).mean(0) - truth).mean())
    return Scored(missed, objects_of(clips), "lower", split, _names(clips), level)


def _dynamics(subject: Subject, split: str, subsets: Sequence[Subset]) -> Scored:
    """Squared error of the standardised states at the last horizon."""
    clips = subject.splits[split]
    scale, (context, horizon) = rollouts.scale_of(subject.splits[TRAIN]), rollouts.context_of(clips)
    found = {s: subject.model.imagine(subject.seen(split), context, horizon, s).mean for s in subsets}
    errors = {title(s): rollouts.errors(clips, mean.astype(float), scale)[:, -1].mean(1) for s, mean in found.items()}
    usual = np.asarray(subject.splits[TRAIN].states, np.float64).mean(0)[-1]  # where training clips end
    guessed = np.broadcast_to(usual, (len(clips), horizon, len(usual)))
    level = float(rollouts.errors(clips, guessed, scale)[:, -1].mean())
    return Scored(errors, objects_of(clips), "lower", split, _names(clips), level)


def _names(clips: Clips) -> list[str]:
    return [str(each) for each in clips.ids.tolist()]


def _concepts(subject: Subject, how: EvaluationConfig, subsets: Sequence[Subset]) -> dict[str, Scored]:
    """Zero-shot and few-shot accuracy."""
    clips, train = subject.splits[NOVEL], subject.splits[PROBE]
    named = {title(s): subject.concepts(NOVEL, s) for s in subsets}
    metric = concepts.zero_shot(clips, NOVEL, {WORLD: next(iter(named.values())), **named}, "")
    found = {"zero_shot_accuracy": _of(metric, list(named))}
    spaces = {
        title(s): concepts.within_concepts(subject.embedding(PROBE, s), train)(subject.embedding(NOVEL, s))
        for s in subsets
    }
    few = concepts.few_shot(clips, NOVEL, spaces, "", how.num_episodes, how.seed)
    return found if few is None else found | {"few_shot_accuracy": _of(few, list(named))}


def _of(metric: Metric, subsets: Sequence[str]) -> Scored:
    scores = {name: metric.scores[name] for name in subsets}
    return Scored(scores, list(metric.clusters), "higher", metric.split, list(metric.items), metric.levels.get(CHANCE))


# --- comparison ------------------------------------------------------------------------------------------------------


def best_by_size(scored: Scored) -> dict[int, str]:
    """The best subset of one, two and three modalities, as far as there are any."""
    found = {}
    for size in (1, 2, 3):
        own = [name for name in scored.scores if name.count(" + ") == size - 1]
        if own:
            found[size] = max(own, key=lambda name: scored.sign * float(scored.scores[name].mean()))
    return found


def paired(scored: Scored, more: str, fewer: str) -> Comparison:
    """How far one subset is ahead of another, whole objects resampled."""
    first, second = (scored.sign * scored.scores[name] for name in (more, fewer))
    return paired_comparison(first, second, list(scored.clusters))


def compared(scored: Scored) -> dict[str, Any]:
    """A row for each subset, and what the best of three, two and one are ahead of each other."""
    clusters, best, steps = list(scored.clusters), best_by_size(scored), []
    rows = {
        name: {"score": float(each.mean()), "interval": mean_interval(each, clusters, (None, None))}
        for name, each in scored.scores.items()
    }
    for size in (2, 3):
        if size in best:
            found = paired(scored, best[size], best[size - 1])
            step = {"more": best[size], "fewer": best[size - 1], "ahead": found.difference}
            steps.append({**step, "interval": found.interval})
    return {"direction": scored.direction, "rows": rows, "steps": steps}
