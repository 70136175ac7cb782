"""The trials of a study: one training each in a folder of its own, a record when it is over, a resume after a kill.

A trial is over when its folder contains the record `trial.json`, which is written atomically. One without a record is
resumed from its last checkpoint.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nsmodels.core import disk
from nsmodels.engine import checkpoint
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import GraphConfig
from nsmodels.systems.graph.phases import make_trial
from nsmodels.systems.graph.reasoner import Reasoner
from nsmodels.systems.graph.train import calibrate
from nsmodels.systems.graph.training.pairs import paired

RECORD = "trial.json"
LOG = "epochs.log"
Record = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One training of a study.

    Attributes:
        name: of its folder.
        settings: in which the trials of the study differ, for the record.
        phase: the network, as in `phases.make_trial`.
        config: the complete configuration.
        data: folder of the graphs.
        initial_weights: checkpoint to start from; modules that it lacks keep their own initialisation.
    """

    name: str
    settings: Mapping[str, Any]
    phase: str
    config: GraphConfig
    data: Path
    initial_weights: Path | None = None


def run(trial: Trial, folder: Path, splits: Mapping[str, Graphs]) -> Record:
    """Train a trial in `folder` and return its record with the scores on `splits`; of one that is over, only read it.

    Raises `InputError` when the training fails or is interrupted; the next call resumes it.
    """
    path = folder / RECORD
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # The engine's line for each epoch goes to a file: a study prints one line for each trial.
        with (folder / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
            training = replace(make_trial(trial.phase, trial.config, trial.data), initial_weights=trial.initial_weights)
            fit = training.fit(folder / trial.phase, ())
            calibrate(trial.phase, trial.data, folder, trial.config.training.device)
        reasoner = Reasoner.load(folder, trial.config.training.device, trial.phase)
        disk.write_json(path, {
            "name": trial.name,
            "settings": dict(trial.settings),
            "seed": trial.config.training.seed,
            "scores": {name: scores(reasoner, graphs) for name, graphs in splits.items()},
            "num_parameters": reasoner.num_parameters,
            "epochs": len(fit.history),
            "best_epoch": fit.best["epoch"],
            "cpu_seconds": round(fit.cpu_seconds, 1),
        })  # fmt: skip
    (folder / trial.phase / checkpoint.LAST).unlink(missing_ok=True)  # best.pt is enough once the trial is over
    return json.loads(path.read_text(encoding="utf-8"))


def scores(reasoner: Reasoner, graphs: Graphs) -> dict[str, float]:
    """Share of the graphs that are right, and of the pairs of which both are."""
    is_right = (reasoner.predict(graphs).probability > 0.5) == (graphs.labels > 0)
    return {"accuracy": float(is_right.mean()), "paired_accuracy": float(paired(is_right, graphs.pairs).mean())}


def held_out(data: Path) -> dict[str, Graphs]:
    """The splits `test` and, where there is one, `ood`."""
    return {name: files.read_split(data, name) for name in ("test", "ood") if name in files.splits(data)}
