"""Work for the trials of a study: by the process that has begun it, and by helpers beside it.

Each takes the next trial that nobody holds; a variant waits for the full model of its seed, which lends it networks.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from nsmodels.core import disk, hardware, locks
from nsmodels.core.cli import run
from nsmodels.core.config import described, read_json, reference, referred, restored
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.processes import lifeline
from nsmodels.studies import trials
from nsmodels.studies.config import TRIALS
from nsmodels.studies.processes import POLL
from nsmodels.studies.trials import CLAIM, Arm, Trial
from nsmodels.studies.variant import FULL

FILE = "study.json"  # in the folder of the unfinished study, as long as it can be worked for
Arms = Callable[[Order[Any]], Sequence[Arm]]


@dataclass(frozen=True)
class Job:
    """A study under way: the function that makes its arms, a module's own, and its order."""

    arms: Arms
    order: Order[Any]

    def write(self, folder: Path) -> None:
        """Write it into the folder of the unfinished study, for helpers."""
        values = {
            "arms": reference(self.arms),
            "config": described(self.order.config),
            "inputs": self.order.inputs.to_dict(),
            "key": self.order.key,
            # Of this sitting: a helper that a killed one has left does not work for the next.
            "process": [os.getpid(), time.time()],
        }
        disk.write_json(folder / FILE, values)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The job that `write` wrote."""
        values = read_json(folder / FILE)
        config = restored(values["config"])
        return cls(referred(values["arms"]), Order(values["key"], config, Inputs.from_dict(values["inputs"]), folder))


def groups_of(arms: Sequence[Arm], seeds: Sequence[int], folder: Path) -> list[list[Trial]]:
    """The trials by arm and seed, the full model first."""
    return [[Trial(arm, name, seed, folder) for name in arm.all_variants] for arm in arms for seed in seeds]


def work(
    left: Sequence[Trial], look: Callable[[Trial], None] = lambda trial: None, is_on: Callable[[], bool] = lambda: True
) -> None:
    """Train and score trials until all are over, those included that other processes hold, or `is_on` says no.

    `look` is called with each that is over, here or elsewhere. Raises as `trials.run` does.
    """
    waiting = list(left)
    while waiting and is_on():
        ended = [trial for trial in waiting if trial.is_over]
        found = next((trial for trial in ended or waiting if _tried(trial)), None)
        if found is None:
            time.sleep(POLL)
        else:
            waiting.remove(found)
            look(found)


def _tried(trial: Trial) -> bool:
    """Whether a trial was over or could be had, and so is over now."""
    whole = Trial(trial.arm, FULL, trial.seed, trial.folder)
    is_next = trial.variant == FULL or whole.is_over
    claim = _claim(trial) if is_next and not trial.is_over else None
    if claim is None and not trial.is_over:
        return False
    with claim or contextlib.nullcontext():
        trials.run(trial)
    return True


def _claim(trial: Trial) -> IO[str] | None:
    """The open file that holds a trial for this process; None where another one holds it."""
    trial.place.mkdir(parents=True, exist_ok=True)
    stream = (trial.place / CLAIM).open("a", encoding="utf-8")
    if locks.try_lock(stream):
        return stream
    stream.close()
    return None


def main(argv: Sequence[str]) -> int:
    """Help the process that has started this one."""
    lifeline.end_with_parent()
    hardware.collect_rarely()
    folder = Path(argv[0])
    begun = _sitting(folder)
    if not begun:  # the study was over before this process had begun
        return 0
    job = Job.read(folder)
    groups = groups_of(job.arms(job.order), job.order.config.seeds, folder / TRIALS)
    work([trial for several in groups for trial in several], is_on=lambda: _sitting(folder) == begun)
    return 0


def _sitting(folder: Path) -> str:
    """What tells one sitting of a study from others; empty where none is under way."""
    try:
        return (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(run(lambda: main(sys.argv[1:])))
