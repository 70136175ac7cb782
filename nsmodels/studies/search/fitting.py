"""One training of a search: begun or resumed in its folder, watched epoch by epoch, and what remains of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from nsmodels.core import locks
from nsmodels.core.errors import InputError, Unworkable
from nsmodels.core.orders import Inputs
from nsmodels.engine import checkpoint
from nsmodels.engine.phases import Phases
from nsmodels.studies.search.target import Target

LOG = "epochs.log"
FINISHED, EARLY, STOPPED, FAILED = "finished", "early", "stopped", "failed"
Report = Callable[[int, float], bool]  # of epoch and value; returns whether to stop


class Outcome(NamedTuple):
    """Outcome of a training.

    Attributes:
        kind: finished, early (by patience), stopped (by the pruner) or failed.
        value: of the metric in the epoch whose checkpoint is kept; None unless it ended by itself.
        record: epochs, best epoch, processor seconds and, of one that failed, the reason.
    """

    kind: str
    value: float | None
    record: dict[str, Any]


class _Stop(BaseException):
    """Ends a training from a tracker; not an `Exception`, which the loop would treat as a failure of the step."""


class _Watch:
    """A tracker that reports the metric after each epoch, and ends the training when it is told to."""

    def __init__(self, metric: str, report: Report) -> None:
        self._metric, self._report = metric, report

    def epoch(self, record: dict[str, Any]) -> None:
        """Report the epoch that has just been saved."""
        if self._metric in record and self._report(record["epoch"], record[self._metric]):
            raise _Stop

    def close(self) -> None:
        """Nothing to close."""


def claim(folder: Path) -> IO[str] | None:
    """The log of a training, locked until it is closed; None when another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    log = (folder / LOG).open("a", encoding="utf-8")
    if locks.try_lock(log):
        return log
    log.close()
    return None


def fit(target: Target, config: Any, inputs: Inputs, folder: Path, log: IO[str], report: Report) -> Outcome:
    """Train with `config` in `folder`, or resume; the lines of the epochs go to `log`.

    Raises `InputError` for bad data, and `Interrupted` when asked to stop; a configuration with which no training comes
    to an end is an outcome.
    """
    phase, metric = target.space.phase, target.space.metric
    watch = _Watch(metric, report)
    with contextlib.redirect_stderr(log):
        try:
            for record in _progress(folder / phase).get("history", []):  # killed between saving an epoch and its report
                watch.epoch(record)
            found = Phases(target.system.package, config, inputs, folder).fit(phase, (watch,))
        except _Stop:
            return Outcome(STOPPED, None, _spent(folder / phase))
        except Unworkable as error:
            return Outcome(FAILED, None, {**_spent(folder / phase), "reason": str(error)})
    values = {row["epoch"]: row[metric] for row in found.history if metric in row}
    if (best := found.best["epoch"]) not in values:
        raise InputError(f"{phase}: its training on these data reports no '{metric}', by which the search compares")
    kind = EARLY if found.outcome == "early" else FINISHED
    return Outcome(kind, values[best], {**_spent(folder / phase), "best_epoch": best})


def clear(folder: Path) -> None:
    """Remove the checkpoints of a training that is over; its history stays, and its configuration makes it again."""
    for path in folder.glob("*/*.pt"):
        path.unlink(missing_ok=True)


def _spent(folder: Path) -> dict[str, Any]:
    progress = _progress(folder)
    return {"epochs": progress.get("epoch", 0), "cpu_seconds": round(progress.get("cpu_seconds", 0.0), 1)}


def _progress(folder: Path) -> Mapping[str, Any]:
    """Progress of the training in `folder`, from its last checkpoint; empty before the first."""
    path = folder / checkpoint.LAST
    return checkpoint.load(path)["progress"] if path.exists() else {}


def read_result(path: Path) -> dict[str, Any] | None:
    """What a training of the confirmation came to; None before its end."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
