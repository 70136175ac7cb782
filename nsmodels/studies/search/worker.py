"""Workers of a search: each takes a training that nobody holds, until there is none left; several share one study."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from optuna.trial import FrozenTrial

from nsmodels.core import disk, hardware, locks
from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from nsmodels.engine.processes import lifeline
from nsmodels.studies.processes import POLL
from nsmodels.studies.search import fitting
from nsmodels.studies.search.fitting import Outcome
from nsmodels.studies.search.job import FILE, Job
from nsmodels.studies.search.sampling import next_values, pruner_of
from nsmodels.studies.search.storage import CLAIMS, COMPLETE, FAILED, PRUNED, RUNNING, Journal

TRIALS, CONFIRMATION, RESULT = "trials", "confirmation", "result.json"
BEST, UNCHANGED = "best", "unchanged"


class Place(NamedTuple):
    """A training of the confirmation: best or unchanged, its seed, its folder."""

    name: str
    seed: int
    folder: Path


class Worker:
    """One process that works for a search.

    Args:
        job: the search.
        look: called whenever a training has ended, here or elsewhere, and while there is nothing to do.
    """

    def __init__(self, job: Job, look: Callable[[Journal], None] = lambda journal: None) -> None:
        self.job, self._look = job, look
        epochs = job.target.training(job.config).epochs
        self.journal = Journal(job.folder, job.target.space.mode, pruner_of(job.config, epochs))
        self.axes = job.target.axes(job.config)
        # Once: of a grid it makes every configuration, and workers ask twice a second.
        self._grid = job.target.combinations(job.config, self.axes) if job.config.sampler == "grid" else []
        self._num_trials = len(self._grid) or job.target.num_trials(job.config, self.axes)

    def run(self) -> None:
        """Train until the search is over, those trainings included that other workers hold and may have to leave.

        Raises `InputError` for bad data and for an unchanged configuration with which no training comes to an end, and
        `Interrupted` when asked to stop.
        """
        # The process that began the search removes the file before it seals.
        while (self.job.folder / FILE).exists() and not self._is_over():
            if not self._try() and not self._confirm():
                time.sleep(POLL)
            self._look(self.journal)
        self._look(self.journal)

    def settle(self) -> None:
        """Let no worker join any more, wait for what others still write, and remove every checkpoint."""
        (self.job.folder / FILE).unlink()
        places = [self._place(trial.number) for trial in self.journal.trials]
        for folder in [*places, *(place.folder for place in confirmations(self.job, self.journal.trials))]:
            while (log := fitting.claim(folder)) is None:
                time.sleep(POLL)
            log.close()
            fitting.clear(folder)

    def _is_over(self) -> bool:
        trials = self.journal.trials
        if not _has_ended(trials) or len(trials) < self._num_trials:
            return False
        return all((place.folder / RESULT).exists() for place in confirmations(self.job, trials))

    # --- trials ------------------------------------------------------------------------------------------------------

    def _try(self) -> bool:
        """Train a trial that was left, or the next one; False when there is none that nobody holds."""
        claimed = self._claim()
        if claimed is None:
            return False
        trial, log = claimed
        with log:
            found = self._fit_trial(trial, log)
            states = {fitting.STOPPED: PRUNED, fitting.FAILED: FAILED}
            record = {"outcome": found.kind, **found.record}
            self.journal.end(trial.number, states.get(found.kind, COMPLETE), found.value, record)
            fitting.clear(self._place(trial.number))
        return True

    def _fit_trial(self, trial: FrozenTrial, log: IO[str]) -> Outcome:
        target, number = self.job.target, trial.number
        try:
            config = target.trained(self.job.config, trial.params)
            target.system.check_networks(config)
        except InputError as error:  # values that are valid one by one, and not together
            found = Outcome(fitting.FAILED, None, {"epochs": 0, "cpu_seconds": 0.0, "reason": str(error)})
        else:
            report = partial(self._report, number)
            found = fitting.fit(target, config, self.job.inputs, self._place(number), log, report)
        if found.kind == fitting.FAILED and number == 0:
            raise InputError(f"trial 0, the configuration as it is: {found.record['reason']}")
        return found

    def _report(self, number: int, epoch: int, value: float) -> bool:
        """Whether to stop a trial after an epoch; never the first, with which the best one is compared."""
        return self.journal.report(number, epoch, value) and number != 0

    def _claim(self) -> tuple[FrozenTrial, IO[str]] | None:
        with locks.waiting(self.job.folder / CLAIMS):
            for trial in self.journal.trials:
                if trial.state == RUNNING and (log := fitting.claim(self._place(trial.number))):
                    if self.journal.trials[trial.number].state == RUNNING:
                        return trial, log
                    log.close()  # it has ended since the list was read
            values = next_values(self.job.target, self.job.config, self.journal.study, self.axes, self._grid)
            if values is None:
                return None
            number = self.journal.add(values, self.job.target.widened(self.job.config, self.axes))
            log = fitting.claim(self._place(number))
            assert log is not None  # nobody else knows of it
            return self.journal.trials[number], log

    def _place(self, number: int) -> Path:
        return self.job.folder / TRIALS / f"{number:03}"

    # --- confirmation ------------------------------------------------------------------------------------------------

    def _confirm(self) -> bool:
        """Train best or unchanged configuration with a fresh seed; False when there is none that nobody holds."""
        trials = self.journal.trials
        if not _has_ended(trials):
            return False
        values = {UNCHANGED: {}, BEST: best_of(trials, self.job.target.space.mode).params}
        for place in confirmations(self.job, trials):
            if (place.folder / RESULT).exists() or (log := fitting.claim(place.folder)) is None:
                continue
            with log:
                if not (place.folder / RESULT).exists():
                    self._fit_again(place, values[place.name], log)
            return True
        return False

    def _fit_again(self, place: Place, values: dict[str, Any], log: IO[str]) -> None:
        target = self.job.target
        config = target.trained(self.job.config, {**values, "training.seed": place.seed})
        found = fitting.fit(target, config, self.job.inputs, place.folder, log, lambda epoch, value: False)
        disk.write_json(place.folder / RESULT, {"outcome": found.kind, "value": found.value, **found.record})
        fitting.clear(place.folder)


def confirmations(job: Job, trials: Sequence[FrozenTrial]) -> list[Place]:
    """Trainings of the confirmation; none where nothing is better than the unchanged configuration."""
    if best_of(trials, job.target.space.mode).number == 0:
        return []
    pairs = [(name, seed) for seed in job.config.confirmation_seeds for name in (UNCHANGED, BEST)]
    return [Place(name, seed, job.folder / CONFIRMATION / name / str(seed)) for name, seed in pairs]


def best_of(trials: Sequence[FrozenTrial], mode: str) -> FrozenTrial:
    """The best trial that ended by itself; of equals the first."""
    sign = 1 if mode == "max" else -1
    finished = [trial for trial in trials if trial.state == COMPLETE]
    return max(finished, key=lambda trial: (sign * (trial.value or 0.0), -trial.number))


def _has_ended(trials: Sequence[FrozenTrial]) -> bool:
    return bool(trials) and all(trial.state.is_finished() for trial in trials)


# --- processes -------------------------------------------------------------------------------------------------------


def join(folder: Path, look: Callable[[Journal], None] = lambda journal: None) -> None:
    """Work for the search that is under way in `folder` until it is over; raises as `Worker.run`.

    Raises `InputError` where no search is under way.
    """
    job = Job.read(folder)
    try:
        Worker(job, look).run()
    except FileNotFoundError:
        if (folder / FILE).exists():  # else the process that began the search has sealed it
            raise


def main(argv: Sequence[str]) -> int:
    """Help the process that has started this one."""
    lifeline.end_with_parent()
    hardware.collect_rarely()
    if (Path(argv[0]) / FILE).exists():  # else the search was over before this process had begun
        join(Path(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(run(lambda: main(sys.argv[1:])))
