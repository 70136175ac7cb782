"""Calibration: factors of predicted deviations, fitted on validation clips and kept beside the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files

CALIBRATION = "calibration.json"
CALIBRATED = ("dynamics", "full")  # phases whose models predict intervals
CONTEXTS = (4, 6, 8)  # steps that are observed before the rollouts on which intervals are fitted
# Half of the width of the central 90 % interval of a normal distribution, in deviations.
QUANTILE = 1.6448536269514722


@dataclass(frozen=True)
class Calibration:
    """Factors by name of what is predicted: "states" by horizon and channel, "properties", "outcomes" by channel."""

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
    clips = model.watch(files.read(data, "val"))
    found, figures = _state_factors(model, clips)
    if model.phase == "full":
        found |= _belief_factors(model, clips)
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
    factors = factor_of(error, deviation)
    figures = {
        name: _coverage(error, deviation * scale) for name, scale in (("raw_coverage", 1.0), ("coverage", factors))
    }
    return {"states": factors}, figures


def _belief_factors(model: Any, clips: Any) -> dict[str, Any]:
    """Factors of the properties by name."""
    if clips.properties is None:
        return {}
    found = model.properties(clips)
    return {"properties": factor_of(clips.properties - found.mean, found.std)}


def _coverage(errors: NDArray[Any], deviations: NDArray[Any]) -> float:
    there = np.isfinite(errors)
    return float((np.abs(errors) <= QUANTILE * deviations)[there].mean())
