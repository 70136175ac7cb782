"""The trials of a study: one training each in a folder of its own, a record when it is over, a resume after a kill.

A trial is over when its folder contains the record `trial.json`, which is written atomically. One without a record is
resumed from its last checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nsmodels.core import disk
from nsmodels.engine import checkpoint
from nsmodels.engine.config import TrainingConfig
from nsmodels.systems.nav.config import NAVIGATOR, NavConfig
from nsmodels.systems.nav.evaluation.validation import ValMaps
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.phases import make_trial

RECORD = "trial.json"
LOG = "epochs.log"
Outcome = Literal["finished", "early", "stopped"]
History = list[dict[str, Any]]
Record = dict[str, Any]
Curve = list[tuple[int, float]]  # epoch and value of the monitored metric, validated epochs only


@dataclass(frozen=True)
class Trial:
    """One training of a study: name of its folder, the settings in which trials differ, complete configuration."""

    name: str
    settings: dict[str, Any]
    config: NavConfig


@dataclass(frozen=True)
class MedianRule:
    """The median stopping rule (Golovin et al. 2017, section 3.2.2), on the best value so far instead of a mean.

    A training is hopeless when, after `share` of its epochs or later, its best value is worse than the median of the
    best values of the finished trials by the same epoch. Stopped trials do not count, and none is stopped before
    `min_finished` have finished.
    """

    share: float
    min_finished: int
    training: TrainingConfig

    def is_hopeless(self, curve: Curve, finished: Sequence[Curve]) -> bool:
        """Whether a training with this `curve` is to be stopped, given the curves of the `finished` ones."""
        epoch = curve[-1][0] if curve else 0
        if not self.share * self.training.epochs <= epoch < self.training.epochs:
            return False
        reached = [best for other in finished if (best := self.best(other, epoch)) is not None]
        mine = self.best(curve, epoch)
        return mine is not None and len(reached) >= self.min_finished and mine < statistics.median(reached)

    def best(self, curve: Curve, epoch: int) -> float | None:
        """The best value by `epoch`, with the sign for which higher is better; None before the first validation."""
        sign = 1 if self.training.monitor_mode == "max" else -1
        return max((sign * value for at, value in curve if at <= epoch), default=None)


def run(trial: Trial, data: Path, val: ValMaps, folder: Path, rule: MedianRule | None, before: list[Record]) -> Record:
    """Train a trial in `folder` and return its record; of one that is over, only read it.

    `before`: records of the trials that are over, with which `rule` compares.
    Raises `InputError` when the training fails or is interrupted; the next call resumes it.
    """
    path = folder / RECORD
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        outcome = _train(trial, data, folder, _stopping_test(rule, before))
        disk.write_json(path, _record(trial, val, folder, outcome))
    (folder / NAVIGATOR / checkpoint.LAST).unlink(missing_ok=True)  # best.pt is enough once the trial is over
    return json.loads(path.read_text(encoding="utf-8"))


def curve_of(history: History, monitor: str) -> Curve:
    """The monitored metric by epoch."""
    return [(row["epoch"], row[monitor]) for row in history if monitor in row]


# --- a training that may be stopped ----------------------------------------------------------------------------------

StoppingTest = Callable[[Curve], bool]


class _Stop(BaseException):
    """Ends a training from a tracker; not an `Exception`, which the loop would treat as a failure of the step."""


class _StoppingTracker:
    """A tracker that ends the training as soon as it is hopeless."""

    def __init__(self, history: History, monitor: str, is_hopeless: StoppingTest) -> None:
        self._history, self._monitor, self._is_hopeless = list(history), monitor, is_hopeless

    def epoch(self, record: dict[str, Any]) -> None:
        """Record the epoch that has just been saved, and test the training."""
        self._history.append(record)
        self.check()

    def check(self) -> None:
        """Raise `_Stop` when the training is hopeless."""
        if self._is_hopeless(curve_of(self._history, self._monitor)):
            raise _Stop

    def close(self) -> None:
        """Nothing to close."""


def _stopping_test(rule: MedianRule | None, before: list[Record]) -> StoppingTest:
    finished = [[(at, value) for at, value in record["curve"]] for record in before if record["outcome"] != "stopped"]
    return lambda curve: rule is not None and rule.is_hopeless(curve, finished)


def _train(trial: Trial, data: Path, folder: Path, is_hopeless: StoppingTest) -> Outcome:
    """Train or resume, until the end or until the training is hopeless."""
    watch = _StoppingTracker(_progress(folder).get("history", []), trial.config.training.monitor, is_hopeless)
    # The engine's line for each epoch goes to a file: a study prints one line for each trial.
    with (folder / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        try:
            watch.check()  # a process may have been killed between saving an epoch and testing it
            fit = make_trial(NAVIGATOR, trial.config, data).fit(folder / NAVIGATOR, (watch,))
        except _Stop:
            return "stopped"
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
