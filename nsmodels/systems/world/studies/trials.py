"""The trials of the study: five stages of one seed in a folder of its own, a record when they are over.

A trial is over when its folder contains the record `trial.json`, which is written atomically; the scores by clip are in
`scores.npz` beside it. One without a record is resumed from its last checkpoint. Of a trial that is over the network of
the last stage is kept.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import disk
from nsmodels.core.orders import Inputs
from nsmodels.engine import checkpoint
from nsmodels.systems.world.config import PHASES
from nsmodels.systems.world.evaluation.ablation import Scored, scores_by_modalities
from nsmodels.systems.world.evaluation.subject import read_subject
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.phases import make_trial
from nsmodels.systems.world.studies.config import AblationConfig
from nsmodels.systems.world.training.calibration import CALIBRATED, calibrate

RECORD, SCORES, LOG = "trial.json", "scores.npz", "epochs.log"
Record = dict[str, Any]


def run(seed: int, config: AblationConfig, data: Path, folder: Path) -> tuple[Record, dict[str, Scored]]:
    """Train the stages of a seed in `folder` and score every subset; of a trial that is over, only read it.

    Raises `InputError` when a training fails or is interrupted; the next call resumes it.
    """
    if not (folder / RECORD).exists():
        folder.mkdir(parents=True, exist_ok=True)
        seconds = [_fit(phase, seed, config, data, folder) for phase in PHASES]
        found = scores_by_modalities(read_subject(folder, data, config.evaluation), config.evaluation)
        _write(folder / SCORES, found)
        record = {"seed": seed, "cpu_seconds": round(sum(seconds), 1)}
        record["metrics"] = {name: {"direction": each.direction, "split": each.split} for name, each in found.items()}
        disk.write_json(folder / RECORD, record)
    for phase in PHASES[:-1]:
        shutil.rmtree(folder / phase, ignore_errors=True)
    (folder / PHASES[-1] / checkpoint.LAST).unlink(missing_ok=True)
    return read(folder)


def _fit(phase: str, seed: int, config: AblationConfig, data: Path, folder: Path) -> float:
    """Train or resume a stage from the one before, in the same folder; returns its CPU seconds."""
    own = getattr(config, phase).with_values({"training.seed": seed})
    inputs = Inputs.of(data, parent=("trial", folder))
    # The engine's line for each epoch goes to a file: a study prints one line for each trial.
    with (folder / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        fit = make_trial(phase, own, inputs).fit(folder / phase, ())
    if phase in CALIBRATED:
        calibrate(WorldModel.load(folder, own.training.device), data, folder / phase)
    return fit.cpu_seconds


def _write(path: Path, found: dict[str, Scored]) -> None:
    arrays: dict[str, NDArray] = {}
    for metric, each in found.items():
        arrays[f"{metric}/clusters"] = np.array(each.clusters, np.str_)
        arrays |= {f"{metric}/{subset}": scores for subset, scores in each.scores.items()}
    with disk.writing(path), disk.atomically(path) as beside, beside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # pyright: ignore


def read(folder: Path) -> tuple[Record, dict[str, Scored]]:
    """The record of a trial that is over, and its scores by metric."""
    record, found = json.loads((folder / RECORD).read_text(encoding="utf-8")), {}
    with np.load(folder / SCORES, allow_pickle=False) as arrays:
        for metric, about in record["metrics"].items():
            own = {name.partition("/")[2]: arrays[name] for name in arrays.files if name.startswith(f"{metric}/")}
            clusters = [str(each) for each in own.pop("clusters").tolist()]
            found[metric] = Scored(own, clusters, about["direction"], about["split"])
    return record, found
