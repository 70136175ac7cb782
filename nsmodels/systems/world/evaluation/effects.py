"""Causal effects: predicted from a clip and a change, against the same clip simulated with that change.

Effects count where they are larger than `LEAST` deviations of the outcome in training clips. What they are compared
with is in `observation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import EVENTS, PLACEBO, VARIABLES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world.evaluation.concepts import objects_of
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD, Metric

LEAST = 0.1  # deviations
NOTHING = "no effect"
PLACEBO_NUMBER = VARIABLES.index(PLACEBO)


class Effects(NamedTuple):
    """Of m twins: changes of outcomes (m, O), NaN where there is none, and of states (m, T, S); events after (m, E).

    States and events are None where a rival does not predict them.
    """

    outcomes: NDArray[np.float64]
    states: NDArray[np.float64] | None = None
    events: NDArray[np.float64] | None = None


def truth_of(clips: Clips, twins: Twins) -> Effects:
    """What the simulator finds."""
    outcomes = np.asarray(twins.outcomes, np.float64) - np.asarray(clips.outcomes)[twins.base]
    states = np.asarray(twins.states, np.float64) - np.asarray(clips.states)[twins.base]
    return Effects(outcomes, states, np.asarray(twins.events, np.float64))


def deviations(train: Clips) -> NDArray[np.float64]:
    """Deviation (O,) of each outcome in training clips."""
    found = np.nanstd(np.asarray(train.outcomes, np.float64), axis=0)
    return np.where(found > 1e-9, found, 1.0)


def causal(
    clips: Clips,
    split: str,
    twins: Twins,
    found: Effects,
    others: Mapping[str, Effects],
    scale: NDArray[np.float64],
    state_scale: NDArray[np.float64],
) -> tuple[list[Metric], dict[str, object]]:
    """Signs, sizes, but-for attribution and placebo; and signs by variable.

    `scale` (O,) and `state_scale` (S,): deviations of outcomes and states in training clips.
    """
    truth = truth_of(clips, twins)
    names = [
        f"{clips.ids[base]} {VARIABLES[v]} {k}"
        for k, (base, v) in enumerate(zip(twins.base, twins.variable, strict=True))
    ]
    objects = np.array(objects_of(clips))[twins.base]
    everyone = {WORLD: found, **others}
    about = Asked(twins, truth, split, np.array(names), objects, scale, state_scale)
    signs = _signs(about, everyone)
    metrics = [
        each
        for each in (
            signs,
            _sizes(about, everyone),
            _courses(about, found),
            _placebo(about, everyone),
            _but_for(about, clips, found),
        )
        if each is not None
    ]
    return metrics, {"by_variable": _by_variable(about, everyone), "least": LEAST}


class Asked(NamedTuple):
    """Twins of a split, what happened in them, their names and objects, and the scales of outcomes and states."""

    twins: Twins
    truth: Effects
    split: str
    names: NDArray
    objects: NDArray
    scale: NDArray[np.float64]
    state_scale: NDArray[np.float64]

    @property
    def matters(self) -> NDArray[np.bool_]:
        """Bool (m, O): effects that count."""
        large = np.abs(np.nan_to_num(self.truth.outcomes)) > LEAST * self.scale
        return large & (self.twins.variable != PLACEBO_NUMBER)[:, None]


def _metric(
    name: str,
    about: Asked,
    rows: NDArray,
    scores: Mapping[str, NDArray],
    levels: Mapping[str, float],
    text: str,
    **how: Any,
) -> Metric:
    return Metric(
        name,
        "causal",
        about.split,
        about.names[rows].tolist(),
        about.objects[rows].tolist(),
        scores,
        levels,
        "twin simulation",
        about=text,
        **how,
    )


def _right_signs(about: Asked, found: Effects) -> NDArray[np.float64]:
    """Share of the effects of each twin that count whose sign is right; NaN for twins without any."""
    right = np.sign(np.nan_to_num(found.outcomes)) == np.sign(np.nan_to_num(about.truth.outcomes))
    with np.errstate(invalid="ignore"):
        return (right & about.matters).sum(1) / about.matters.sum(1)


def _signs(about: Asked, everyone: Mapping[str, Effects]) -> Metric | None:
    rows = np.flatnonzero(about.matters.any(1))
    if not len(rows):
        return None
    scores = {name: _right_signs(about, found)[rows] for name, found in everyone.items()}
    text = f"share of effects on outcomes above {LEAST:g} deviations whose sign is right, by twin"
    return _metric("causal_sign_accuracy", about, rows, scores, {CHANCE: 0.5, "twin simulation": 1.0}, text)


def _sizes(about: Asked, everyone: Mapping[str, Effects]) -> Metric | None:
    """Squared error of the effects on outcomes, by that of no effect."""
    rows = np.flatnonzero(about.matters.any(1))
    if not len(rows):
        return None
    truth = np.where(np.isfinite(about.truth.outcomes), about.truth.outcomes, np.nan) / about.scale
    base = np.nanmean(truth[rows] ** 2)
    known = {NOTHING: Effects(np.zeros_like(truth)), **everyone}
    scores = {
        name: np.nanmean((found.outcomes / about.scale - truth)[rows] ** 2, axis=1) / base
        for name, found in known.items()
    }
    return _metric(
        "counterfactual_nmse",
        about,
        rows,
        {WORLD: scores.pop(WORLD), **scores},
        {"twin simulation": 0.0},
        "squared error of effects on outcomes by that of no effect, twins with an effect",
        unit="of no effect",
        bounds=(0.0, None),
        direction="lower",
    )


def _courses(about: Asked, found: Effects) -> Metric | None:
    """Squared error of the effects on the course of the states, by that of no effect."""
    if found.states is None or about.truth.states is None:
        return None
    truth = about.truth.states / about.state_scale
    squares = (truth**2).mean((1, 2))
    rows = np.flatnonzero((squares > LEAST**2) & (about.twins.variable != PLACEBO_NUMBER))
    if not len(rows):
        return None
    base, missed = squares[rows].mean(), ((found.states / about.state_scale - truth) ** 2).mean((1, 2))[rows]
    return _metric(
        "counterfactual_state_nmse",
        about,
        rows,
        {WORLD: missed / base, NOTHING: squares[rows] / base},
        {"twin simulation": 0.0},
        "squared error of effects on all states of the clip by that of no effect",
        unit="of no effect",
        bounds=(0.0, None),
        direction="lower",
    )


def _placebo(about: Asked, everyone: Mapping[str, Effects]) -> Metric | None:
    """Share of the placebo twins in which nothing changes by more than `LEAST` deviations, and no event flips."""
    rows = np.flatnonzero(about.twins.variable == PLACEBO_NUMBER)
    if not len(rows):
        return None
    scores = {}
    for name, found in everyone.items():
        still = (np.abs(np.nan_to_num(found.outcomes[rows])) <= LEAST * about.scale).all(1)
        if found.states is not None:
            still &= (np.abs(found.states[rows]) <= LEAST * about.state_scale).all((1, 2))
        scores[name] = still.astype(float)
    text = (
        f"share of changes of the {PLACEBO}, which has no effect, predicted to change nothing by {LEAST:g} deviations"
    )
    return _metric("placebo_invariance", about, rows, scores, {"twin simulation": 1.0}, text)


def _but_for(about: Asked, clips: Clips, found: Effects) -> Metric | None:
    """Events that happened in a clip: would they but for the change? As many that would as would not, of each event."""
    if found.events is None:
        return None
    happened = np.asarray(clips.events, bool)[about.twins.base] & (about.twins.variable != PLACEBO_NUMBER)[:, None]
    after, items = np.asarray(about.twins.events, bool), []
    for event in range(len(EVENTS)):
        gone, stays = (np.flatnonzero(happened[:, event] & (after[:, event] == value)) for value in (False, True))
        num, random = min(len(gone), len(stays)), np.random.default_rng(event)
        items += [(row, event) for rows in (gone, stays) for row in sorted(random.permutation(rows)[:num].tolist())]
    if not items:
        return None
    rows, events = np.array(items).T
    scores = ((found.events[rows, events] > 0.5) == after[rows, events]).astype(float)
    names = [f"{name} {EVENTS[event]}" for name, event in zip(about.names[rows], events, strict=True)]
    return Metric(
        "but_for_accuracy",
        "causal",
        about.split,
        names,
        about.objects[rows].tolist(),
        {WORLD: scores, "nothing flips": after[rows, events].astype(float)},
        {CHANCE: 0.5, "twin simulation": 1.0},
        "twin simulation",
        about="whether an event that happened would have happened with the change; as many that would as would not",
    )


def _by_variable(about: Asked, everyone: Mapping[str, Effects]) -> dict[str, dict[str, float | int]]:
    """Sign accuracy by variable and rival, with the number of effects that count."""
    rows: dict[str, dict[str, float | int]] = {}
    for number, name in enumerate(VARIABLES):
        own = (about.twins.variable == number) & about.matters.any(1)
        if own.any():
            rows[name] = {"n": int(about.matters[own].sum())} | {
                rival: float(_right_signs(about, found)[own].mean()) for rival, found in everyone.items()
            }
    return rows


def supervision(config: Mapping[str, Any]) -> str:
    """Whether training read twins, in a sentence that stands beside every causal score."""
    weight = config.get("objective", {}).get("causal_weight", 0)
    if weight:
        return "Effects are taught by twins of training clips, placebos among them; those scored are of other objects."
    return "No twin was read in training: effects are not taught."
