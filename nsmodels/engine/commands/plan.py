"""What a training would do, for `--dry-run`: reuse or build, time by a few steps, disk. Nothing is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from nsmodels.core import artifact
from nsmodels.core.orders import Order
from nsmodels.core.progress import readable, readable_seconds
from nsmodels.core.sealed import forecast
from nsmodels.core.sealed.inventory import bytes_of
from nsmodels.engine import runtime
from nsmodels.engine.batching import to_device
from nsmodels.engine.session.optim import make_optimizer
from nsmodels.engine.system import Stage, System
from nsmodels.engine.task import Shard
from nsmodels.engine.trial import Trial

MEASURED = 3  # steps, after one that warms up
LARGEST = 1e9  # bytes of data that are read only to measure
COPIES = 5  # of the weights: in best.pt one, in last.pt with the moments of Adam and the average four


@dataclass(frozen=True)
class Pace:
    """Steps of a training, the seconds that one of them takes, and the number of parameters."""

    num_steps: int
    seconds_per_step: float
    num_parameters: int


def lines(system: System[Any, Any], stage: Stage, order: Order[Any]) -> Iterator[str]:
    """What `system.train` would do with an order, line by line.

    Raises InputError as the training would, for data and configurations that it refuses before its first step.
    """
    config = order.config
    recipe = config.relevant(), system.code_version
    fingerprint = artifact.make_fingerprint(*recipe, order.inputs, config.training.seed)
    for key, folder in order.inputs.items():
        yield f"{order.inputs.role(key)} {folder}: {_described(folder)}"
    is_reused = forecast.is_reused(order.folder, fingerprint, order.force)
    twin = None if is_reused else next(system.twins(order, stage.name), None)
    for line in forecast.describe(order.folder, fingerprint, recipe[0], order.inputs, order.force, twin):
        yield f"{order.folder}: {line}"
    if is_reused or twin:
        return
    system.check_config(config, stage.name)
    system.check_datasets(order.inputs)
    yield from _work(system, stage, order)


def _work(system: System[Any, Any], stage: Stage, order: Order[Any]) -> Iterator[str]:
    phases = system.enabled(stage, order.config)
    size = sum(_bytes(folder) for folder in order.inputs.datasets.values())
    if size > LARGEST:
        yield f"networks: {', '.join(phases)}; time not measured, data of {readable(size)}: see the first epoch's lines"
        return
    seconds = disk = 0.0
    later = [phase for phase in phases if phase in system.later_phases]
    with _elsewhere():
        for phase in [each for each in phases if each not in later]:
            trial = system.make_trial(phase, order.config, order.inputs)
            found = pace(trial)
            spent = found.num_steps * found.seconds_per_step
            seconds, disk = seconds + spent, disk + _checkpoints(trial, found.num_parameters)
            yield (
                f"{phase}: {found.num_parameters:,} parameters, {found.num_steps:,} steps of "
                f"{1000 * found.seconds_per_step:,.3g} ms, about {readable_seconds(spent)}"
            )
    yield from (f"{phase}: reads networks of the phases before it; not measured" for phase in later)
    yield (
        f"in all about {readable_seconds(seconds)} on this machine as it is now, by {MEASURED} steps each, without "
        f"validation and reading; {readable(disk)} of checkpoints"
    )


def pace(trial: Trial) -> Pace:
    """Steps of a training and the time of one: the mean of `MEASURED` after one that warms up."""
    task, config = trial.task, trial.training
    device = runtime.resolve_device(config.device)
    runtime.seed_everything(config.seed)
    model = task.build().to(device).train()
    optimizer = make_optimizer(model, config)
    found: Any = task.batches("train", 0, Shard(parts=config.accumulate_steps))
    num_batches = len(found) if hasattr(found, "__len__") else sum(1 for _ in found)
    times = [time.perf_counter()]
    with runtime.threads(task.num_threads, device):
        for batch in islice(found, (1 + MEASURED) * config.accumulate_steps):
            if batch is not None:
                optimizer.zero_grad()
                task.loss(model, to_device(batch, device))[0].backward()
                optimizer.step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(time.perf_counter())
    first = 1 if len(times) > 2 else 0
    each = (times[-1] - times[first]) / max(1, len(times) - 1 - first) * config.accumulate_steps
    num_steps = config.epochs * -(-num_batches // config.accumulate_steps)
    num_steps = min(num_steps, config.max_steps or num_steps)
    return Pace(num_steps, each, sum(parameter.numel() for parameter in model.parameters()))


def _checkpoints(trial: Trial, num_parameters: int) -> float:
    """Bytes of the checkpoints of a training."""
    kept = trial.training.keep_checkpoints if trial.training.save_interval else 0
    return 4.0 * num_parameters * (COPIES + kept)


def _described(folder: Path) -> str:
    manifest = artifact.read_manifest(folder) if (folder / artifact.MANIFEST).exists() else None
    return f"{manifest.source}, {readable(manifest.num_bytes)}" if manifest else "a plain folder"


def _bytes(folder: Path) -> float:
    if (folder / artifact.MANIFEST).exists():
        return artifact.read_manifest(folder).num_bytes
    return bytes_of(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Caches of data go into a folder that is removed."""
    before = os.environ.get("NSMODELS_DATA")
    with TemporaryDirectory(prefix="nsmodels-") as folder:
        os.environ["NSMODELS_DATA"] = folder
        try:
            yield
        finally:
            os.environ.pop("NSMODELS_DATA")
            if before is not None:
                os.environ["NSMODELS_DATA"] = before
