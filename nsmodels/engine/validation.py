"""The end of an epoch: validate, write the line of history, judge, keep checkpoints."""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint, runtime, tracking
from nsmodels.engine.batching import count_samples, to_device
from nsmodels.engine.meters import Meter, named
from nsmodels.engine.session import Session
from nsmodels.engine.tracking import Tracker


def end_epoch(session: Session, interrupt: runtime.Interrupt, trackers: list[Tracker]) -> bool:
    """Validate, record, checkpoint; False when interrupted before the record was complete."""
    session.meter.flush()
    started = time.perf_counter()
    is_due = _is_validation_due(session)
    validated = _validate_whole(session, interrupt) if is_due else {}
    if validated is None:
        return False
    session.is_settled = False
    session.note_generators()  # an uninterrupted run goes on with what validation has left of them
    record = _record(session, validated, time.perf_counter() - started)
    links = _judge(session, record, is_due)
    session.save(links)
    session.is_settled = True
    if session.world.is_first:
        checkpoint.prune(session.folder, session.config.keep_checkpoints)
        checkpoint.save_json(session.folder / "history.json", session.progress.history)
        for tracker in trackers:
            tracker.epoch(record)
    return True


def _is_validation_due(session: Session) -> bool:
    config, number = session.config, session.progress.epoch + 1
    is_last = number >= config.epochs or 0 < config.max_steps <= session.progress.step
    return is_last or number % config.eval_interval == 0


def _validate_whole(session: Session, interrupt: runtime.Interrupt) -> dict[str, float] | None:
    """`_validate`, which leaves the random generators as they were when it does not come to its end."""
    before, validated = runtime.rng_state(session.device), None
    try:
        validated = _validate(session, interrupt)
    finally:
        if validated is None:
            runtime.restore_rng_state(before, session.device)
    return validated


@torch.no_grad()
def _validate(session: Session, interrupt: runtime.Interrupt) -> dict[str, float] | None:
    """Mean validation losses and the task's own metrics; None when interrupted."""
    model, epoch = session.evaluated, session.progress.epoch
    session.world.share_buffers(model)
    model.eval()
    meter = Meter(session.meter.every)
    with session.autocast():
        for part in session.batches("val", epoch):
            if interrupt.requested and session.world.size == 1:
                return None
            batch = to_device(part, session.device)
            loss, terms = session.task.loss(model, batch)
            meter.add(f"validation after epoch {epoch + 1}", count_samples(batch), named(terms, loss))
        further = session.task.validate(model, epoch) if session.world.is_first else {}
    meter.flush()
    meter.sums = session.world.sum_up(meter.sums)
    further = session.world.from_first(further)
    _require_finite(further, epoch)
    return {f"val/{name}": value for name, value in meter.means().items()} | further


def _require_finite(metrics: dict[str, float], epoch: int) -> None:
    """A metric that is no number would be compared with the best one, and always lose or always win."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise InputError(
                f"validation after epoch {epoch + 1}: '{name}' is {value}; see how the task's validate computes it "
                "(a mean of nothing, a logarithm of 0)"
            )


def _record(session: Session, validated: dict[str, float], validation_seconds: float) -> dict[str, Any]:
    """Close the epoch under way and return its line of history."""
    progress, meter = session.progress, session.meter
    meter.sums = session.world.sum_up(meter.sums)
    record = {"epoch": progress.epoch + 1, "step": progress.step, "lr": session.schedule.lr}
    record |= {f"train/{name}": value for name, value in meter.means().items()}
    record |= validated
    record |= {f"curriculum/{k.removeprefix('curriculum/')}": v for k, v in _curriculum(session).items()}
    record["seconds"] = progress.seconds + validation_seconds
    record["samples_per_second"] = progress.samples / max(progress.seconds, 1e-9)
    progress.total_samples += progress.samples
    progress.train_seconds += progress.seconds
    progress.total_seconds += record["seconds"]
    progress.epoch, progress.batch, progress.samples, progress.seconds = progress.epoch + 1, 0, 0, 0.0
    progress.history.append(record)
    meter.clear()
    return record


def _curriculum(session: Session) -> dict[str, float]:
    return session.task.curriculum(session.progress.epoch)


def _judge(session: Session, record: dict[str, Any], is_validated: bool) -> list[str]:
    """Compare with the best epoch so far; the further names under which this epoch's checkpoint is kept."""
    config, progress = session.config, session.progress
    links = []
    if config.save_interval and progress.epoch % config.save_interval == 0:
        links.append(f"epoch_{progress.epoch:04d}.pt")
    if config.monitor not in record:
        if is_validated:
            raise InputError(
                f"monitor: no metric '{config.monitor}' (there are: {', '.join(tracking.numbers(record))})"
            )
        return links
    value, sign = record[config.monitor], 1 if config.monitor_mode == "min" else -1
    session.schedule.end_epoch(value)
    if not progress.best or sign * value < sign * progress.best["value"]:
        progress.best = {"epoch": progress.epoch, "metric": config.monitor, "value": value}
        links.append(checkpoint.BEST)
    return links
