"""Factories of asset checks: a judge reads the sealed folder and returns a verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg

from nsmodels.core import discover
from nsmodels.core.artifact import MANIFEST, input_folder, read_manifest
from nsmodels.core.disk import one_line
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Inputs
from nsmodels.engine.system import System
from pipeline.lib import store
from pipeline.lib.runs import summary

if TYPE_CHECKING:
    from nsmodels.engine.config import TrainingConfig
    from nsmodels.engine.task import Task

L = TypeVar("L")
TOLERANCE = 1e-3  # of a loss, between two machines


@dataclass(frozen=True)
class Verdict:
    """Whether a check passed, its finding in one line, and its numbers."""

    passed: bool
    message: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


Judge = Callable[[Path], Verdict]


def check(
    key: str, name: str, description: str, judge: Judge, is_warning: bool = False, is_blocking: bool = False
) -> dg.AssetChecksDefinition:
    """The check `name` of an asset; a folder that cannot be read fails it with the reason in one line.

    When a blocking check fails, what follows the asset in the same run is not made; a warning never blocks.
    """
    severity = dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR

    @dg.asset_check(asset=key, name=name, description=description, blocking=is_blocking and not is_warning)
    def run() -> dg.AssetCheckResult:
        try:
            folder = store.folder(key)
            read_manifest(folder, key)
            verdict = judge(folder)
        except (InputError, OSError) as error:
            line = one_line(error) if isinstance(error, OSError) else error
            if line is None:
                raise
            verdict = Verdict(False, str(line))
        passed, line = verdict.passed, verdict.message or None
        summary.record_check(f"{key}, {name}", passed, verdict.message)
        return dg.AssetCheckResult(passed=passed, severity=severity, description=line, metadata=verdict.numbers)

    return run


def of_dataset(dataset: str, name: str) -> Judge:
    """A judge from the function `name` of a dataset's `checks`, which lists the problems of a folder, one line each."""

    def judge(folder: Path) -> Verdict:
        problems = getattr(discover.module("datasets", dataset, "checks"), name)(folder)
        line = problems[0] if problems else ""
        more = {"problems": dg.MetadataValue.md("\n".join(f"- {line}" for line in problems[:50]))} if problems else {}
        return Verdict(not problems, line, {"num_problems": len(problems), **more})

    return judge


# --- judges of any trained model -------------------------------------------------------------------------------------


def above(score: float, others: Mapping[str, float], name: str) -> Verdict:
    """Judge a score against the best of those that need no learning; `name` is the noun for one of these."""
    best = max(others, key=lambda other: others[other])
    line = f"{score:.1%} against {others[best]:.1%} of the best {name} ({best})"
    return Verdict(score > others[best], line, {"accuracy": score, **others})


def losses_are_finite(folder: Path) -> Verdict:
    """Judge every number of the training history."""
    records = list(_records(json.loads((folder / "history.json").read_text(encoding="utf-8"))))
    found = [f"{where}: {k} is {v}" for where, row in records for k, v in row.items() if _is_broken(v)]
    num_epochs = sum("epoch" in row for _, row in records)
    return Verdict(not found, "; ".join(found[:3]), {"num_epochs": num_epochs, "num_broken": len(found)})


def _records(history: Mapping[str, list[Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The epochs of each phase; a column of plain numbers is taken number by number."""
    for phase, rows in history.items():
        for number, row in enumerate(rows, 1):
            is_record = isinstance(row, Mapping)
            yield f"{phase}, epoch {row['epoch'] if is_record else number}", row if is_record else {phase: row}


def _is_broken(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def data_of(folder: Path) -> Path:
    """The data that a model was trained on; the first where there are several."""
    return input_folder(*next(iter(read_manifest(folder).datasets.items())))


def inputs_of(folder: Path) -> Inputs:
    """The inputs that a model was trained on, by role. Raises InputError where the content of one has changed."""
    found, roles = {}, {}
    for key, record in read_manifest(folder).inputs.items():
        found[key], roles[key] = input_folder(key, record), record.role or DATA
        if read_manifest(found[key]).fingerprint != record.fingerprint:
            raise InputError(f"{found[key]}: not the {key} that {folder.name} was trained on; train it again")
    return Inputs(found, roles)


def looks(make: Callable[[Path, Path], L]) -> Callable[[Path], L]:
    """A function that looks at a model and the data it was trained on, computed once per sealed model and process."""

    @cache
    def look(folder: Path, created: str) -> L:
        return make(folder, data_of(folder))

    return lambda folder: look(folder, read_manifest(folder).created)


def reproduces(system: System[Any, Any], phase: str) -> Judge:
    """A judge that loads the best network of `phase` anew and compares its validation loss with the training's."""

    def judge(folder: Path) -> Verdict:
        manifest = read_manifest(folder)
        stage = next(stage for stage in system.stages if phase in stage.phases)
        config = next(iter(stage.presets.values()))().from_mapping(manifest.config, str(folder / MANIFEST))
        trial = system.make_trial(phase, config, inputs_of(folder))
        rows = json.loads((folder / "history.json").read_text(encoding="utf-8"))[phase]
        best = next((row for row in rows if row["epoch"] == manifest.metrics[f"{phase}/epoch"]), {})
        recorded = best.get("val/loss", math.nan)
        found = _validation_loss(trial.task, trial.training, folder / phase / "best.pt")
        is_same = math.isclose(found, recorded, rel_tol=TOLERANCE)
        return Verdict(is_same, f"{found:.6g}, at training {recorded:.6g}", {"loss": found, "recorded": recorded})

    return judge


def _validation_loss(task: Task, training: TrainingConfig, weights: Path) -> float:
    """Mean loss of a checkpoint over the whole validation split of a task."""
    import torch

    from nsmodels.engine import batching, checkpoint
    from nsmodels.engine.runtime import resolve_device, resolve_precision
    from nsmodels.engine.task import Shard

    device = resolve_device(training.device)
    model, precision = task.build(), resolve_precision(training, device)
    checkpoint.load_weights(model, weights)
    model.to(device).eval()
    total, num = 0.0, 0.0
    with torch.inference_mode(), torch.autocast(device.type, precision, enabled=precision is not None):
        for part in task.batches("val", 0, Shard()):
            batch = batching.to_device(part, device)
            size = batching.weight_of(task, batch)
            total, num = total + size * float(task.loss(model, batch)[0]), num + size
    return total / num
