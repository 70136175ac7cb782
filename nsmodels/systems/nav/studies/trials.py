"""The trials of a study: one training each in a folder of its own, a record when it is over, a resume after a kill.

A trial is over when its folder contains the record `trial.json`, which is written atomically. One without a record is
resumed from its last checkpoint.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nsmodels.core import disk
from nsmodels.engine import checkpoint
from nsmodels.systems.nav.config import NAVIGATOR, NavConfig
from nsmodels.systems.nav.evaluation.validation import ValMaps
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.phases import make_trial

RECORD = "trial.json"
LOG = "epochs.log"
Outcome = Literal["finished", "early"]
History = list[dict[str, Any]]
Record = dict[str, Any]
Curve = list[tuple[int, float]]  # epoch and value of the monitored metric, validated epochs only


@dataclass(frozen=True)
class Trial:
    """One training of a study: name of its folder, the settings in which trials differ, complete configuration."""

    name: str
    settings: dict[str, Any]
    config: NavConfig


def run(trial: Trial, data: Path, val: ValMaps, folder: Path) -> Record:
    """Train a trial in `folder` and return its record; of one that is over, only read it.

    Raises `InputError` when the training fails or is interrupted; the next call resumes it.
    """
    path = folder / RECORD
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        outcome = _train(trial, data, folder)
        disk.write_json(path, _record(trial, val, folder, outcome))
    (folder / NAVIGATOR / checkpoint.LAST).unlink(missing_ok=True)  # best.pt is enough once the trial is over
    return json.loads(path.read_text(encoding="utf-8"))


def curve_of(history: History, monitor: str) -> Curve:
    """The monitored metric by epoch."""
    return [(row["epoch"], row[monitor]) for row in history if monitor in row]


def _train(trial: Trial, data: Path, folder: Path) -> Outcome:
    """Train or resume, until the end."""
    # The engine's line for each epoch goes to a file: a study prints one line for each trial.
    with (folder / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        fit = make_trial(NAVIGATOR, trial.config, data).fit(folder / NAVIGATOR)
    return "early" if fit.outcome == "early" else "finished"


def _progress(folder: Path) -> dict[str, Any]:
    """Progress of the training in `folder`, from its last checkpoint; empty before the first."""
    path = folder / NAVIGATOR / checkpoint.LAST
    return checkpoint.load(path)["progress"] if path.exists() else {}


def _record(trial: Trial, val: ValMaps, folder: Path, outcome: Outcome) -> Record:
    navigator = load_navigator(folder, trial.config.training.device)
    progress, training = _progress(folder), trial.config.training
    return {
        "name": trial.name,
        "settings": trial.settings,
        "seed": training.seed,
        "outcome": outcome,
        **val.score(lambda maps: navigator.policy(maps).actions),
        "num_parameters": navigator.num_parameters,
        "epochs": progress["epoch"],
        "steps": progress["step"],
        "best_epoch": progress["best"]["epoch"],
        "monitor": training.monitor,
        "curve": curve_of(progress["history"], training.monitor),
        "cpu_seconds": round(progress["cpu_seconds"], 1),
    }
