"""Training beyond the phases: the temperature of each network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from nsmodels.core import disk
from nsmodels.formats.graphs import files
from nsmodels.systems.graph.reasoner import CALIBRATION, Reasoner

RANGE = (0.5, 20.0)  # of the temperature; without a mistake on the validation graphs it would fall to 0


def calibrate(phase: str, data: Path, folder: Path, device: str = "auto") -> dict[str, Any]:
    """Fit the temperature of a phase on the validation graphs and write it beside its checkpoint; its figures."""
    reasoner, graphs = Reasoner.load(folder, device, phase), files.read_split(data, "val")
    logits = reasoner.logits(graphs)
    temperature = fitted_temperature(logits, graphs.labels)
    disk.write_json(folder / phase / CALIBRATION, {"temperature": temperature})
    return {f"{phase}/temperature": temperature, f"{phase}/num_parameters": reasoner.num_parameters}


def fitted_temperature(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """The temperature T with the least negative log-likelihood of logits / T (Guo et al. 2017)."""
    signed = np.where(labels > 0, logits, -logits)
    found: Any = minimize_scalar(
        lambda log: np.logaddexp(0, -signed / np.exp(log)).mean(), bounds=tuple(np.log(RANGE)), method="bounded"
    )
    return round(float(np.exp(found.x)), 6)
