"""Training beyond the phases: diagnosis of the navigator, sizes of the plain networks, columns of the history."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nsmodels.engine import checkpoint
from nsmodels.engine.loop import Fit
from nsmodels.systems.nav.config import NAVIGATOR
from nsmodels.systems.nav.network.construction import navigator_from
from nsmodels.systems.nav.phases import load_network
from nsmodels.systems.nav.training.diagnosis import chance, diagnose

log = logging.getLogger(__name__)
# The columns of a history as one finds them elsewhere, beside the record of each epoch.
COLUMNS = {
    "train_loss": "train/loss",
    "train_acc": "train/accuracy",
    "val_loss": "val/loss",
    "val_acc": "val/accuracy",
}


def figures(phase: str, fit: Fit, data: Path, folder: Path) -> dict[str, Any]:
    """Figures of a trained phase for the manifest: a diagnosis and the trained steps, or the size of a plain network.

    Each line of the diagnosis is also logged as a warning.
    """
    path = folder / phase / checkpoint.BEST
    if phase != NAVIGATOR:
        return {f"{phase}/num_parameters": load_network(path, "cpu").num_parameters}
    troubles = diagnose(fit.history, chance(data))
    for line in troubles:
        log.warning("%s", line)
    steps = navigator_from(checkpoint.load(path), str(path)).trained_steps
    return {"trained_steps": steps} | ({"diagnosis": troubles} if troubles else {})


def with_columns(history: dict[str, Any]) -> dict[str, Any]:
    """The epochs of each phase, and the navigator's once more as columns."""
    records = history[NAVIGATOR]
    return history | {name: [row[key] for row in records if key in row] for name, key in COLUMNS.items()}
