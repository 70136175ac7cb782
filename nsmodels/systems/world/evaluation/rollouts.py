"""Dynamics: imagined states of the horizons 1 to 10 against those of the simulator, and how honest their intervals are.

The model observes the steps before the context ends and is given the actions. The rivals are given the exact states of
the same steps, which the model is not: persistence and constant velocity read the last one, a ridge regression the last
two, the actions, and what training clips did.

Errors are squared differences of standardised states (by their deviation in training clips), summed over the states.
The NMSE is this error divided by that of persistence, of the same horizon, over the whole split.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import STATES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.evaluation.concepts import objects_of
from nsmodels.systems.world.evaluation.scores import WORLD, Metric

HORIZON = 10
LEVELS = {"50": 0.6745, "90": 1.6449, "95": 1.9600}  # half width of the central interval of a Gaussian, deviations
PERSISTENCE, VELOCITY, RIDGE = "persistence (exact state)", "constant velocity (exact state)", "ridge (exact states)"
# Each position and its velocity.
MOVING = {"x": "vx", "y": "vy", "z": "vz", "roll": "wx", "pitch": "wy", "yaw": "wz"}
MOVING |= {"neighbour_x": "neighbour_vx", "neighbour_y": "neighbour_vy"}
PENALTY = 10.0
Imagined = NDArray[np.float64]  # (n, horizon, S)


class Scale(NamedTuple):
    """Deviation (S,) of the states in training clips, and bool (S,) whether they vary at all."""

    deviation: NDArray[np.float64]
    varies: NDArray[np.bool_]


def scale_of(train: Clips) -> Scale:
    """Of training clips."""
    deviation = np.asarray(train.states, np.float64).reshape(-1, len(STATES)).std(0)
    varies = deviation > 1e-6
    return Scale(np.where(varies, deviation, 1.0), varies)


def context_of(clips: Clips) -> tuple[int, int]:
    """Observed steps and imagined steps: the last `HORIZON` are imagined, of short clips all but the first."""
    assert clips.states is not None
    horizon = min(HORIZON, clips.states.shape[1] - 2)
    return clips.states.shape[1] - horizon, horizon


def rivals(clips: Clips, train: Clips) -> dict[str, Imagined]:
    """What the rivals predict, (n, horizon, S) each."""
    context, horizon = context_of(clips)
    last = np.asarray(clips.states, np.float64)[:, context - 1]
    ahead = np.arange(1, horizon + 1)[:, None]
    rate = np.zeros_like(last)
    for position, velocity in MOVING.items():
        rate[:, STATES.index(position)] = last[:, STATES.index(velocity)] / clips.frame_rate
    return {
        PERSISTENCE: np.repeat(last[:, None], horizon, 1),
        VELOCITY: last[:, None] + ahead * rate[:, None],
        RIDGE: _ridge(clips, train, context, horizon),
    }


def _ridge(clips: Clips, train: Clips, context: int, horizon: int) -> Imagined:
    """Changes of the states by a linear map of the last two exact states and all actions."""
    from sklearn.linear_model import Ridge

    (given, changes), (asked, _) = (_regression(each, context, horizon) for each in (train, clips))
    mean, spread = given.mean(0), given.std(0)
    spread = np.where(spread > 1e-3, spread, 1.0)
    probe = Ridge(PENALTY).fit((given - mean) / spread, changes)
    found = probe.predict((asked - mean) / spread).reshape(len(clips), horizon, -1)
    return np.asarray(clips.states, np.float64)[:, context - 1 : context] + found


def _regression(clips: Clips, context: int, horizon: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the regression is given (n, F), and the changes that it predicts (n, horizon * S)."""
    states, num = np.asarray(clips.states, np.float64), len(clips)
    given = [states[:, context - 2 : context].reshape(num, -1), np.asarray(clips.actions, np.float64).reshape(num, -1)]
    changes = states[:, context : context + horizon] - states[:, context - 1 : context]
    return np.concatenate(given, 1), changes.reshape(num, -1)


def errors(clips: Clips, imagined: Imagined, scale: Scale) -> NDArray[np.float64]:
    """Squared standardised errors (n, horizon, S) of the states that vary."""
    context, horizon = context_of(clips)
    truth = np.asarray(clips.states, np.float64)[:, context : context + horizon]
    return ((imagined - truth) / scale.deviation)[..., scale.varies] ** 2


def dynamics(
    clips: Clips, split: str, mean: Imagined, std: Imagined, others: Mapping[str, Imagined], scale: Scale
) -> tuple[list[Metric], dict[str, Any]]:
    """NMSE at the last horizon and over all, likelihood and coverage; and everything by horizon and by state."""
    everyone = {WORLD: mean, **others}
    found = {name: errors(clips, each, scale) for name, each in everyone.items()}
    sums = {name: each.sum(2) for name, each in found.items()}
    base = sums[PERSISTENCE].mean(0)
    ids, objects = [str(each) for each in clips.ids.tolist()], objects_of(clips)
    horizon = mean.shape[1]
    shared: Any = {"unit": "of persistence", "bounds": (0.0, None), "direction": "lower", "ceiling": "simulator"}
    metrics = []
    for name, rows in ((f"dynamics_nmse_h{horizon}", [horizon - 1]), ("dynamics_nmse", list(range(horizon)))):
        scores = {rival: each[:, rows].mean(1) / base[rows].mean() for rival, each in sums.items()}
        when = f"at horizon {horizon}" if len(rows) == 1 else f"over horizons 1 to {horizon}"
        about = f"squared error of the states {when} by that of persistence"
        metrics.append(Metric(name, "dynamics", split, ids, objects, scores, {"simulator": 0.0}, about=about, **shared))
    z = np.sqrt(found[WORLD]) * scale.deviation[scale.varies] / std[..., scale.varies]
    metrics += [_likelihood(found, std, scale, clips, split), _coverage(z, split, scale)]
    curves = {
        "horizons": list(range(1, horizon + 1)),
        "nmse": {name: (each.mean(0) / base).tolist() for name, each in sums.items()},
        "coverage": {level: (z < width).mean((0, 2)).tolist() for level, width in LEVELS.items()},
        "by_state": {
            STATES[k]: {
                "nmse": float(found[WORLD][..., i].mean() / max(found[PERSISTENCE][..., i].mean(), 1e-12)),
                "coverage_90": float((z[..., i] < LEVELS["90"]).mean()),
            }
            for i, k in enumerate(np.flatnonzero(scale.varies))
        },
    }
    return metrics, curves


def _likelihood(found: Mapping[str, NDArray], std: Imagined, scale: Scale, clips: Clips, split: str) -> Metric:
    """Negative log-likelihood per state; rivals are Gaussians of their own mean squared error by horizon and state."""
    scores = {}
    for name, squares in found.items():
        variance = (
            (std[..., scale.varies] / scale.deviation[scale.varies]) ** 2 if name == WORLD else squares.mean(0) + 1e-6
        )
        scores[name] = 0.5 * (np.log(2 * np.pi * variance) + squares / variance).mean((1, 2))
    return Metric(
        "dynamics_nll",
        "dynamics",
        split,
        [str(each) for each in clips.ids.tolist()],
        objects_of(clips),
        scores,
        unit="nats",
        bounds=(None, None),
        direction="lower",
        about="negative log-likelihood of a standardised state; rivals: Gaussians as wide as their error here",
    )


def _coverage(z: NDArray[np.float64], split: str, scale: Scale) -> Metric:
    """How far the coverage of 90 % intervals is from 90 %, over horizons; a horizon is an item."""
    shares = (z < LEVELS["90"]).mean((0, 2))
    names = [f"horizon {k}" for k in range(1, len(shares) + 1)]
    return Metric(
        "dynamics_coverage_error",
        "dynamics",
        split,
        names,
        names,
        {WORLD: np.abs(shares - 0.9)},
        {"intervals of no width": 0.9},
        direction="lower",
        about="distance of the coverage of 90 % intervals from 90 %, mean over horizons",
    )


def example(clips: Clips, mean: Imagined, std: Imagined, others: Mapping[str, Imagined]) -> dict[str, Any]:
    """The clip in which most moves of those with a middling error: truth, rollout and persistence of every state."""
    context, horizon = context_of(clips)
    states = np.asarray(clips.states, np.float64)
    ahead = states[:, context : context + horizon]
    spread = ahead.reshape(-1, ahead.shape[-1]).std(0) + 1e-9
    moves = (((ahead - states[:, context - 1 : context]) / spread) ** 2).mean((1, 2))
    missed = (((mean - ahead) / spread) ** 2).mean((1, 2)) / np.maximum(moves, 1e-9)
    busy = np.argsort(-moves, kind="stable")[: max(1, len(clips) // 4)]
    row = int(busy[np.argsort(missed[busy], kind="stable")[len(busy) // 2]])
    return {
        "id": str(clips.ids[row]),
        "frame_rate": clips.frame_rate,
        "context": context,
        "truth": states[row].tolist(),
        "mean": mean[row].tolist(),
        "std": std[row].tolist(),
        "rivals": {name: each[row].tolist() for name, each in others.items()},
    }
