"""A study of baselines: each network trained over seeds with equal epochs, scored on the items of the system.

Seals `report.json`, `table.txt`, `scores/` (a file per row and seed), `figures/` and a folder per training. A stopped
study resumes: a training with a record is over and not begun again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.orders import Order
from nsmodels.engine import checkpoint, runtime
from nsmodels.evaluation.comparison import figure
from nsmodels.evaluation.comparison.rows import Row, require_alike, write_rows
from nsmodels.evaluation.comparison.table import Compared, text
from nsmodels.evaluation.outcomes import Outcomes, read_outcomes, write_file
from nsmodels.evaluation.sealing import StudyResult, seal_study
from nsmodels.layers.answers.competitors import Competitor
from nsmodels.layers.answers.quiz import Quiz
from nsmodels.layers.answers.task import predict

KIND = "baselines"
TRIALS, SCORES = "trials", "scores"
RECORD, OUTCOMES = "trial.json", "outcomes.parquet"


@dataclass(frozen=True, eq=False)
class Study:
    """What is trained and scored: a quiz, the networks, and why others are missing, by name."""

    quiz: Quiz
    competitors: Sequence[Competitor]
    left_out: Mapping[str, str]


def run_study(order: Order[Any], study: Study, maker: str, code_version: str) -> Manifest:
    """Train every network over all seeds of `order.config` (a `BaselineStudyConfig`) and seal the table.

    The trackers receive each finished training as if it were an epoch. Raises `InputError` for bad data, and
    `Interrupted` when asked to stop.
    """
    runtime.require_devices(order.config.training)

    def run(part: Part) -> StudyResult:
        trained = _train_all(order, study, part.path / TRIALS)
        quiz, source = study.quiz, artifact.describe_input(next(iter(order.inputs.datasets.values()))).source
        rows = [*_of_kind(quiz.beside, "guess"), *trained, *_of_kind(quiz.beside, "people")]
        require_alike(rows, order.key)
        write_rows(part.path / SCORES, rows)
        key = next(iter(order.inputs.datasets))
        compared = Compared(
            key, source, rows, {}, study.left_out, quiz.published, [*quiz.notes, *_notes(order.config, quiz)]
        )
        report = {"kind": KIND, "seeds": order.config.seeds, **quiz.about(), **compared.to_dict()}
        caption = figure.caption([compared])
        return StudyResult(report, text([compared]), figure.draw([compared]), caption, _metrics(rows))

    version = "; ".join([code_version, *(each.origin for each in study.competitors if each.origin)])
    return seal_study(order, maker, KIND, version, order.config.seeds[0], run)


def _of_kind(rows: Sequence[Row], kind: str) -> list[Row]:
    return [row for row in rows if row.kind == kind]


def _notes(config: Any, quiz: Quiz) -> list[str]:
    lines = f"networks: {config.training.epochs} epochs of {len(quiz.train):,} questions about "
    return [f"{lines}{len(quiz.train.paths):,} images each; the best epoch is chosen on `{config.split}`"]


def _metrics(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures for the manifest: the mean of each row, and what the trainings cost."""
    spent = sum(row.cost.get("cpu_seconds", 0.0) * len(row.seeds) for row in rows)
    return {f"{row.name}/{row.measure.name}": row.mean for row in rows} | {"trials/cpu_seconds": round(spent, 1)}


def _train_all(order: Order[Any], study: Study, folder: Path) -> list[Row]:
    """The trained rows; each finished training is reported on standard error and to the trackers."""
    seeds = order.config.seeds
    total, number, rows = len(study.competitors) * len(seeds), 0, []
    for competitor in study.competitors:
        scored: dict[str, Outcomes] = {}
        costs: list[dict[str, float]] = []
        for seed in seeds:
            number += 1
            place = folder / f"{competitor.name}_{seed}"
            was_over = (place / RECORD).is_file()
            record = train_once(competitor, study.quiz, order.config, seed, place)
            scored[str(seed)] = read_outcomes(place / OUTCOMES)
            costs.append(record["cost"])
            _report(order, record, f"{number}/{total}", was_over, number)
        mean = {name: sum(cost[name] for cost in costs) / len(costs) for name in costs[0]}
        rows.append(Row(competitor.name, competitor.about, "network", scored, mean))
    for tracker in order.trackers:
        tracker.close()
    return rows


def train_once(competitor: Competitor, quiz: Quiz, config: Any, seed: int, folder: Path) -> dict[str, Any]:
    """Train and score a network with a seed in `folder`, and return its record; of one that is over, only read it.

    Raises `InputError` when the training fails or is interrupted; the next call resumes it.
    """
    path = folder / RECORD
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        fit = competitor.trial(quiz, config.training, seed).fit(folder)
        best = folder / checkpoint.BEST
        model = competitor.load(checkpoint.load(best), str(best)).to(runtime.resolve_device(config.training.device))
        answers = [quiz.choices[number] for number in predict(model, competitor.encode("scored")).tolist()]
        outcomes = quiz.score(answers)
        write_file(folder / OUTCOMES, outcomes)
        cost = {
            "parameters": sum(each.numel() for each in model.parameters()),
            "cpu_seconds": round(fit.cpu_seconds, 1),
        }
        record = {"row": competitor.name, "seed": seed, "metric": outcomes.metric, "score": outcomes.mean, "cost": cost}
        disk.write_json(path, record | {"epochs": len(fit.history), "best_epoch": fit.best["epoch"]})
    (folder / checkpoint.LAST).unlink(missing_ok=True)  # the best is enough once the training is over
    return json.loads(path.read_text(encoding="utf-8"))


def _report(order: Order[Any], record: Mapping[str, Any], place: str, was_over: bool, number: int) -> None:
    seconds = "finished before" if was_over else f"{record['cost']['cpu_seconds']:.0f} CPU-s"
    line = (
        f"baseline {place}  {record['row']}, seed {record['seed']}  {record['metric']} {record['score']:.1%}  {seconds}"
    )
    print(line, file=sys.stderr, flush=True)
    for tracker in order.trackers:
        tracker.epoch({"epoch": number, f"{record['row']}/{record['metric']}": record["score"]})
