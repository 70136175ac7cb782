"""The study of a search in Optuna's journal: a file in the folder of the unfinished artifact, for several processes.

A trial is entered with all of its values at once, so that none is ever half drawn. Locks of the kernel vanish with
their process: a trial that is running and that nobody holds was killed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from nsmodels.core import locks
from nsmodels.core.config.spaces import Axes, Choices

JOURNAL = "study.journal"
NAME = "search"  # of the study; Hyperband's brackets depend on it
STOP = "is_stopped"  # attribute of a trial that a pruner has decided to stop
# Names of leftovers, which are not sealed.
JOURNAL_LOCK, CLAIMS = ".journal.part", ".claims.part"
RUNNING, COMPLETE, PRUNED, FAILED = TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


class _KernelLock:
    """A lock on a file; Optuna's own are links that stay for half a minute when their process is killed."""

    def __init__(self, path: Path, journal: Path) -> None:
        self._path, self._journal, self._held = path, journal, contextlib.ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock of the journal, which then ends with a whole line."""
        self._held.enter_context(locks.waiting(self._path))
        _cut(self._journal)
        return True

    def release(self) -> None:
        """Give it back."""
        self._held.close()


class Journal:
    """The study in a folder, opened or begun.

    Args:
        folder: of the unfinished artifact.
        mode: whether smaller or larger values are better, "min" or "max".
        pruner: decides which trials are stopped.
    """

    def __init__(self, folder: Path, mode: str, pruner: optuna.pruners.BasePruner) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        lock = _KernelLock(folder / JOURNAL_LOCK, folder / JOURNAL)
        lock.acquire()
        lock.release()
        self.storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL), lock_obj=lock))  # type: ignore[arg-type]  # its base class has no public name
        with locks.waiting(folder / CLAIMS):  # two processes that begin it at once would both create it
            self.study: Study = optuna.create_study(
                storage=self.storage,
                study_name=NAME,
                direction="maximize" if mode == "max" else "minimize",
                pruner=pruner,
                load_if_exists=True,
            )
        self._id = self.storage.get_study_id_from_name(NAME)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self.study.get_trials(deepcopy=False)

    def add(self, values: Mapping[str, Any], axes: Axes) -> int:
        """Enter a trial that is to be trained; returns its number."""
        made = optuna.create_trial(state=RUNNING, params=dict(values), distributions=distributions(axes))
        self.study.add_trial(made)
        return len(self.trials) - 1

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Enter the value of a running trial after an epoch; returns whether the trial is to be stopped.

        A decision to stop is entered too: asked again after a kill, a pruner may not come to it a second time.
        """
        trial = self._trial_id(number)
        self.storage.set_trial_intermediate_value(trial, epoch, value)
        found = self.storage.get_trial(trial)
        if found.user_attrs.get(STOP):
            return True
        if self.study.pruner.prune(self.study, found):
            self.storage.set_trial_user_attr(trial, STOP, True)
            return True
        return False

    def end(self, number: int, state: TrialState, value: float | None, record: Mapping[str, Any]) -> None:
        """Enter the outcome of a running trial; `value` belongs to one that is complete."""
        for name, each in record.items():
            self.storage.set_trial_user_attr(self._trial_id(number), name, each)
        self.study.tell(number, value, state)

    def _trial_id(self, number: int) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self._id, number)


def distributions(axes: Axes) -> dict[str, optuna.distributions.BaseDistribution]:
    """The axes in Optuna's form."""
    return {name: _distribution(axis) for name, axis in axes.items()}


def _distribution(axis: Any) -> optuna.distributions.BaseDistribution:
    if isinstance(axis, Choices):
        return optuna.distributions.CategoricalDistribution(axis.values)
    if isinstance(axis.low, int) and isinstance(axis.high, int):
        return optuna.distributions.IntDistribution(axis.low, axis.high, log=axis.is_log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.is_log)


def _cut(path: Path) -> None:
    """Cut off a last line that a failed machine or a full disk has left unfinished: nothing after it could be read."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read() != b"\n":
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
