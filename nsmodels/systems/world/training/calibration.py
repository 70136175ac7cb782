"""Calibration: factors of predicted deviations, fitted on validation clips and kept beside the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import VARIABLES
from nsmodels.formats.clips.tables import Twins

CALIBRATION = "calibration.json"
CALIBRATED = ("dynamics", "full")  # phases whose models predict intervals
FLOORS = (0.1, 0.2, 0.3, 0.5, 0.7)  # of deviations of states, in units of the root mean squared error
CONTEXTS = (4, 6, 8)  # steps that are observed before the rollouts on which intervals are fitted
# Half of the width of the central 90 % interval of a normal distribution, in deviations.
QUANTILE = 1.6448536269514722


@dataclass(frozen=True)
class Calibration:
    """Factors by name of what is predicted.

    Of deviations: "states" by horizon and channel, "properties" and "outcomes" by channel. Of effects themselves:
    "effects" by variable, of states and of outcomes (V, 2). Beside these "floors", deviations of states by
    horizon and channel that are added to the predicted ones (as independent errors are) before they are multiplied.
    """

    factors: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The factors in a file, 1 where there is none; raises InputError for a broken one."""
        if not path.is_file():
            return cls()
        try:
            return cls(
                {
                    name: np.asarray(values, np.float32)
                    for name, values in json.loads(path.read_text(encoding="utf-8")).items()
                }
            )
        except (ValueError, AttributeError, TypeError):
            raise InputError(f"{path}: expected factors by name; restore a copy of it, or train again") from None

    def write(self, path: Path) -> None:
        """Write the factors."""
        disk.write_json(path, {name: np.asarray(values).tolist() for name, values in self.factors.items()})

    def of_states(self, deviations: NDArray[np.float32]) -> NDArray[np.float32]:
        """Deviations (n, horizon, S) of imagined states from the predicted ones."""
        floors = self.of("floors", *deviations.shape[1:]) if "floors" in self.factors else 0.0
        return np.hypot(deviations, floors) * self.of("states", *deviations.shape[1:])

    def of(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Factors that broadcast to `shape`; beyond the last horizon that was fitted, those of the last one."""
        found = self.factors.get(name)
        if found is None:
            return np.ones(1, np.float32)
        if len(shape) == 2:  # horizons by channels
            return found[np.minimum(np.arange(shape[0]), len(found) - 1)]
        return found


def factor_of(errors: NDArray[Any], deviations: NDArray[Any], quantile: float = QUANTILE) -> NDArray[np.float32]:
    """Factors (...) of deviations (n, ...) with which nine of ten `errors` (n, ...) lie within the 90 % interval.

    A quantile of |error| / deviation: split conformal prediction (Papadopoulos et al. 2002), which needs no assumption
    about the distribution. NaN errors are left out.
    """
    ratio = np.abs(errors) / np.maximum(deviations, 1e-9)
    return np.asarray(np.nanquantile(ratio, 0.9, axis=0) / quantile, np.float32)


def calibrate(model: Any, data: Path, folder: Path) -> dict[str, float]:
    """Fit the factors of a trained `WorldModel` on validation clips and write them to `folder`, beside its checkpoint.

    Returns how many of the imagined states lie in the 90 % intervals, before and after.
    """
    model = replace(model, calibration=Calibration())
    clips = model.watch(files.read(data, "val"))
    found, figures = _state_factors(model, clips)
    if model.phase == "full":
        found |= _belief_factors(model, clips) | _effect_factors(model, clips, files.read_twins(data, "val"))
    Calibration(found).write(folder / CALIBRATION)
    return {f"{model.phase}/{name}": value for name, value in figures.items()}


def _state_factors(model: Any, clips: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """Factors by horizon and channel, over rollouts from several contexts."""
    assert clips.states is not None
    steps = clips.states.shape[1]
    errors, deviations = [], []
    for context in CONTEXTS:
        horizon = steps - context
        if horizon < 1:
            continue
        rolled = model.imagine(clips, context, horizon)
        gap = ((0, 0), (0, steps - 1 - horizon), (0, 0))
        errors.append(np.pad(clips.states[:, context:] - rolled.mean, gap, constant_values=np.nan))
        deviations.append(np.pad(rolled.std, gap, constant_values=1.0))
    error, deviation = np.concatenate(errors), np.concatenate(deviations)
    some = np.isfinite(error).any((0, 2))
    error, deviation = error[:, some], deviation[:, some]
    floors = _floors(error, deviation)
    widened = np.hypot(deviation, floors)
    factors = factor_of(error, widened)
    figures = {"raw_coverage": _coverage(error, deviation), "coverage": _coverage(error, widened * factors)}
    return {"states": factors, "floors": floors}, figures


def _floors(errors: NDArray[Any], deviations: NDArray[Any]) -> NDArray[np.float32]:
    """Floors (h, S) with which errors (n, h, S) are likeliest, once nine of ten lie in the intervals.

    A network is sure of what hardly ever happens, and a single surprise costs more than all that its narrow intervals
    gain. Floors are shares of the root mean squared error, one share for each channel: the cost of an error that no
    deviation covers is then at most that of the mean squared error by the square of the share.
    """
    size, costs = np.sqrt(np.nanmean(errors**2, axis=0)), []
    for share in FLOORS:
        widened = np.hypot(deviations, share * size)
        widened = np.maximum(widened * factor_of(errors, widened), 1e-9)
        costs.append(np.nanmean(0.5 * (errors / widened) ** 2 + np.log(widened), axis=(0, 1)))
    return np.asarray(np.array(FLOORS)[np.argmin(costs, axis=0)] * size, np.float32)


def _belief_factors(model: Any, clips: Any) -> dict[str, Any]:
    """Factors of the properties by name."""
    if clips.properties is None:
        return {}
    found = model.properties(clips)
    return {"properties": factor_of(clips.properties - found.mean, found.std)}


def _effect_factors(model: Any, clips: Any, twins: Twins | None) -> dict[str, Any]:
    """Factors of effects by variable, and of the deviations of their outcomes, over twins of validation clips."""
    if twins is None or clips.states is None or clips.outcomes is None:
        return {}
    found = model.effect(clips.take(twins.base), twins.variable, twins.change)
    scales = [each.standard.deviation.cpu().numpy() for each in (model.network.dynamics, model.network.heads)]
    true = twins.states - clips.states[twins.base], twins.outcomes - clips.outcomes[twins.base]
    pairs = zip((found.states, found.outcomes), true, scales, strict=True)
    shares = np.stack([shares_of(a / scale, b / scale, twins.variable) for a, b, scale in pairs], 1)
    errors = true[1] - shares[twins.variable, 1][:, None] * found.outcomes
    return {"effects": shares, "outcomes": factor_of(errors, found.outcome_std)}


def shares_of(found: NDArray[Any], true: NDArray[Any], variable: NDArray[Any]) -> NDArray[np.float32]:
    """By variable the factor in [0, 1] with which effects `found` (m, ...) are nearest to the `true` ones.

    By least squares; NaN is left out. What never has an effect gets 0, and so does what was predicted the wrong way
    round; a variable without twins keeps 1.
    """
    there = np.isfinite(true)
    shares = np.ones(len(VARIABLES), np.float32)
    for number in np.unique(variable):
        rows = variable == number
        a, b = (np.where(there, each, 0.0)[rows].astype(np.float64) for each in (found, true))
        shares[number] = np.clip((a * b).sum() / max((a * a).sum(), 1e-12), 0, 1)
    return shares


def _coverage(errors: NDArray[Any], deviations: NDArray[Any]) -> float:
    there = np.isfinite(errors)
    return float((np.abs(errors) <= QUANTILE * deviations)[there].mean())
