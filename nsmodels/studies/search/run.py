"""A search as an artifact: it begins or resumes, several processes may work for it, and the outcome is sealed.

Seals `report.json`, `table.txt`, `trials.parquet`, `best.yaml`, `figures/`, the journal of the study, and the history
of every training.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from nsmodels.core import disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.disk import writing
from nsmodels.core.orders import Order
from nsmodels.evaluation import plots
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.studies.processes import helpers
from nsmodels.studies.search import figures, report, worker
from nsmodels.studies.search.job import Job
from nsmodels.studies.search.storage import Journal
from nsmodels.studies.search.target import Target

TRIALS, BEST = "trials.parquet", "best.yaml"


def search(order: Order[Any], target: Target, kind: str = "search") -> Manifest:
    """Search the training of `target` on the data of an order, and seal the outcome; a stopped search resumes.

    The trackers receive each finished trial as if it were an epoch. Raises `InputError` for values that the
    configuration cannot have, bad data and an unchanged configuration that cannot be trained, `Interrupted` when asked
    to stop.
    """
    target.check(order.config)
    version, target = target.version, target.at(order.config)

    def run(part: Part) -> StudyResult:
        job = Job(target, order.config, order.inputs, part.path)
        job.write()
        watch = Progress(target, order.config, order.trackers)
        with helpers(worker.__name__, part.path, order.config.num_workers - 1):
            own = worker.Worker(job, watch.look)
            own.run()
            own.settle()
        watch.close()
        found = report.report_of(job, own.journal, own.axes, part.source)
        _write(part, job, found)
        caption = f"{found['metric']} of the {found['phase']} by trial ({found['how']})"
        return StudyResult(found, report.table(found), figures.history(found), caption, report.metrics(found))

    maker = target.system.package
    return seal_study(order, maker, kind, version, order.config.model.training.seed, run)


class Progress:
    """Prints a line for each trial that has ended, wherever, and gives it to the trackers."""

    def __init__(self, target: Target, config: Any, trackers: Sequence[Any] = ()) -> None:
        self._total = target.num_trials(config, target.axes(config))
        self._space, self._trackers = target.space, trackers
        self._known: set[int] = set()

    def look(self, journal: Journal) -> None:
        """Report what has ended since the last look."""
        sign, best = (1 if self._space.mode == "max" else -1), None
        for row in report.ended(journal.trials):
            if row["value"] is not None:
                best = max(best, sign * row["value"]) if best is not None else sign * row["value"]
            if row["number"] not in self._known:
                self._known.add(row["number"])
                print(report.line(row, self._space.metric, self._total), file=sys.stderr, flush=True)
                values = {self._space.metric: row["value"], "best": best and sign * best}
                shown = {name: value for name, value in values.items() if value is not None}
                for tracker in self._trackers:
                    tracker.epoch({"epoch": row["number"] + 1, **shown})

    def close(self) -> None:
        """Close the trackers."""
        for tracker in self._trackers:
            tracker.close()


def _write(part: Part, job: Job, found: report.Report) -> None:
    disk.write_atomic(part.path / BEST, report.best_yaml(job, found))
    with writing(part.path / TRIALS):
        report.frame(found).to_parquet(part.path / TRIALS)
    for name, (draw, caption) in figures.FURTHER.items():
        figure = draw(found)
        if figure is not None:
            plots.save_figure(figure, part.path / "figures" / name, caption.format(**found), part.source)
