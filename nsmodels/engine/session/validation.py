"""The end of an epoch: validation, record, comparison with the best epoch, checkpoints."""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from nsmodels.core.errors import InputError, Unworkable
from nsmodels.engine import checkpoint, runtime, tracking
from nsmodels.engine.batching import to_device, weight_of
from nsmodels.engine.session.meters import Meter, with_loss
from nsmodels.engine.session.session import Session
from nsmodels.engine.tracking import Tracker


def end_epoch(session: Session, interrupt: runtime.Interrupt, trackers: list[Tracker]) -> bool:
    """Validate, record, checkpoint; False when interrupted before the record was complete."""
    session.meter.flush()
    started = time.perf_counter()
    is_due = _is_validation_due(session)
    validated = _validate_whole(session, interrupt) if is_due else {}
    if validated is None:
        return False
    session.is_step_complete = False
    session.snapshot_rng()  # an uninterrupted run continues with the generators as validation leaves them
    record = _record(session, validated, time.perf_counter() - started)
    links = _update_best(session, record, is_due)
    session.save(links)
    session.is_step_complete = True
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
    """`_validate`; restore the random generators when it is interrupted or fails."""
    before, validated = runtime.rng_state(session.device), None
    try:
        validated = _validate(session, interrupt)
    finally:
        if validated is None:
            runtime.restore_rng_state(before, session.device)
    return validated


@torch.no_grad()
def _validate(session: Session, interrupt: runtime.Interrupt) -> dict[str, float] | None:
    """Mean validation losses and the task's own metrics by name; None when interrupted."""
    model, epoch = session.eval_model, session.progress.epoch
    session.world.broadcast_buffers(model)
    model.eval()
    meter = Meter(session.meter.every)
    with session.autocast():
        for part in session.batches("val", epoch):
            if interrupt.requested and session.world.size == 1:
                return None
            if part is None:
                continue
            batch = to_device(part, session.device)
            loss, terms = session.task.loss(model, batch)
            meter.add(f"validation after epoch {epoch + 1}", weight_of(session.task, batch), with_loss(terms, loss))
        further = session.task.validate(model, epoch) if session.world.is_first else {}
    meter.flush()
    # Sums before means: Σ_r Σ c·v / Σ_r Σ c over the ranks r is the mean over all samples, also for unequal shards.
    meter.sums = session.world.sum_over_ranks(meter.sums)
    further = session.world.broadcast(further)
    _require_finite(further, epoch)
    return {f"val/{name}": value for name, value in meter.means().items()} | further


def _require_finite(metrics: dict[str, float], epoch: int) -> None:
    """A NaN or infinite metric cannot be compared with the best one: it would always lose or always win."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise Unworkable(
                f"validation after epoch {epoch + 1}: '{name}' is {value}; check the task's validate "
                "(a mean over no samples, a logarithm of 0)"
            )


def _record(session: Session, validated: dict[str, float], validation_seconds: float) -> dict[str, Any]:
    """Close the current epoch and return its record for the history."""
    progress, meter = session.progress, session.meter
    meter.sums = session.world.sum_over_ranks(meter.sums)
    record = {"epoch": progress.epoch + 1, "step": progress.step, "lr": session.schedule.lr}
    record |= {f"train/{name}": value for name, value in meter.means().items()}
    record |= validated
    record |= {f"curriculum/{k.removeprefix('curriculum/')}": v for k, v in _curriculum(session).items()}
    record |= {"warm_restarts": len(progress.warm_restarts)} if progress.warm_restarts else {}
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


def _update_best(session: Session, record: dict[str, Any], is_validated: bool) -> list[str]:
    """Compare with the best epoch so far; return the additional names under which this epoch's checkpoint is kept."""
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
