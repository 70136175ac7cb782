"""Rivals of predicted effects: regressions on observations, which take correlation for effect, and the usual effect.

The observational regressions read training clips without their twins: outcomes by the values of all variables at a
time, or of one, and the verb. The usual effect is the mean effect of a variable in the training twins, whatever the
clip.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import ACTION, OUTCOMES, PLACEBO, PROPERTIES, SWITCHES, VARIABLES, VERBS
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world.evaluation.effects import Effects, truth_of

OBSERVATION, ALONE, USUAL = "observational regression", "regression on it alone", "usual effect"
# Columns of clips with the values of variables, where they have another name.
COLUMNS = {"stiffness": "young", "support": "has_support", "neighbour": "has_neighbour", "colour": "hue"}


def rivals(train: Clips, train_twins: Twins, clips: Clips, twins: Twins) -> dict[str, Effects]:
    """Two observational regressions, which read no twin of training, and the usual effect, which does."""
    return {
        OBSERVATION: Effects(_regressed(train, clips, twins)),
        ALONE: Effects(_regressed_alone(train, train_twins, twins)),
        USUAL: Effects(_usual(train, train_twins, twins)),
    }


def _regressed(train: Clips, clips: Clips, twins: Twins) -> NDArray[np.float64]:
    """Outcomes by all observed variables at a time, colour among them, and the verb; slope times change."""
    found, causes = np.zeros((len(twins), len(OUTCOMES))), _causes(train)
    if not causes:
        return found
    outcomes, names = np.asarray(train.outcomes, np.float64), list(causes)
    given = np.column_stack([*causes.values(), *_verbs(train).T, np.ones(len(train))])
    slopes = [_slopes(given, outcomes[:, k]) for k in range(len(OUTCOMES))]
    for place, name in enumerate(names):
        asked = twins.variable == VARIABLES.index(name)
        found[asked] = _changes(name, clips, twins)[asked, None] * np.array([each[place] for each in slopes])
    return found


def _causes(clips: Clips) -> dict[str, NDArray[np.float64]]:
    """Values of the variables that clips have, in which effects may be linear; gravity is the same in all of them."""
    columns = {name: COLUMNS.get(name, name) for name in VARIABLES}
    found = {
        name: _scaled(clips.columns[c], VARIABLES.index(name)) for name, c in columns.items() if c in clips.columns
    }
    found["force"] = np.log(np.asarray(clips.actions, np.float64)[:, :, ACTION.index("force")].max(1) + 1e-3)
    if clips.properties is not None:
        found["size"] = np.asarray(clips.properties, np.float64)[:, PROPERTIES.index("size")]
    return found


def _changes(name: str, clips: Clips, twins: Twins) -> NDArray[np.float64]:
    """By how much the value in `_causes` is changed in each twin (m,)."""
    if name == "size":
        size = PROPERTIES.index("size")
        return np.asarray(twins.properties, np.float64)[:, size] - np.asarray(clips.properties)[twins.base, size]
    variable = VARIABLES.index(name)
    return _scaled(twins.after, variable) - _scaled(twins.before, variable)


def _verbs(clips: Clips) -> NDArray[np.float64]:
    """Whether each verb acts in a clip (n, verbs)."""
    return np.asarray(clips.actions, np.float64)[:, :, 1 : len(VERBS)].max(1)


def _slopes(given: NDArray[np.float64], outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares on the clips that have the outcome; zeros for too few of them."""
    there = np.isfinite(outcome)
    if there.sum() <= given.shape[1]:
        return np.zeros(given.shape[1])
    return np.asarray(np.linalg.lstsq(given[there], outcome[there], rcond=None)[0], np.float64)


def _regressed_alone(train: Clips, train_twins: Twins, twins: Twins) -> NDArray[np.float64]:
    """Outcomes by one variable and the verb; of the training twins only the value before the change is read."""
    found, outcomes, verbs = (
        np.zeros((len(twins), len(OUTCOMES))),
        np.asarray(train.outcomes, np.float64),
        _verbs(train),
    )
    for variable in range(len(VARIABLES)):
        own, asked = np.flatnonzero(train_twins.variable == variable), twins.variable == variable
        rows, first = np.unique(train_twins.base[own], return_index=True)
        if len(rows) and asked.any():
            value = _scaled(train_twins.before[own][first], variable)
            change = _scaled(twins.after[asked], variable) - _scaled(twins.before[asked], variable)
            given = np.column_stack([value, verbs[rows], np.ones(len(rows))])
            found[asked] = change[:, None] * np.array(
                [_slopes(given, outcomes[rows, k])[0] for k in range(len(OUTCOMES))]
            )
    return found


def _scaled(values: NDArray, variable: int) -> NDArray[np.float64]:
    """Values in which effects may be linear: logarithms of what is multiplied."""
    name = VARIABLES[variable]
    return np.asarray(values, np.float64) if name in (*SWITCHES, PLACEBO) else np.log(np.maximum(values, 1e-6))


def _usual(train: Clips, train_twins: Twins, twins: Twins) -> NDArray[np.float64]:
    """Mean effect in training twins per unit of change, by variable; the two directions of a change by themselves."""
    truth, found = truth_of(train, train_twins).outcomes, np.zeros((len(twins), len(OUTCOMES)))
    for variable in range(len(VARIABLES)):
        for sign in (-1, 1):
            own = (train_twins.variable == variable) & (np.sign(train_twins.change) == sign)
            asked = (twins.variable == variable) & (np.sign(twins.change) == sign)
            if own.any() and asked.any():
                with np.errstate(invalid="ignore"):
                    slope = np.nansum(truth[own], 0) / np.abs(train_twins.change[own]).sum()
                found[asked] = np.abs(twins.change[asked])[:, None] * slope
    return found
