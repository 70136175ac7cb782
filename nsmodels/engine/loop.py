"""The training loop: steps, epochs, validation, and a clean stop after interrupts and errors."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from nsmodels.core.errors import Unworkable
from nsmodels.core.progress import counted
from nsmodels.engine import checkpoint, runtime, tracking
from nsmodels.engine.batching import count_samples, to_device, weight_of
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.processes import distributed
from nsmodels.engine.session.meters import with_loss
from nsmodels.engine.session.precision import choose_precision
from nsmodels.engine.session.session import Outcome, Session
from nsmodels.engine.session.validation import end_epoch
from nsmodels.engine.task import Task
from nsmodels.engine.tracking import Tracker

STEP_INTERVAL = 50  # optimizer steps between two reports to the trackers


@dataclass(frozen=True)
class Fit:
    """Outcome of a training run, over all its resumes.

    Attributes:
        folder: contains the checkpoints and the history.
        history: one record per finished epoch, metrics by name.
        best: `epoch`, `metric` and `value` of the best validated epoch; empty before the first validation.
        outcome: "finished", "early" (stopped by `patience`) or "interrupted".
        seconds: wall time of the finished epochs, validation included.
        cpu_seconds: processor time of all processes, once the run is over; before, that of this one.
        joules: energy by device ("cpu", "gpu"), where the machine has counters of it; see `session.energy`.
        energy_of: the parts of the machine that were counted, and what is missing among them.
        samples_per_second: training throughput over all processes, without validation.
        peak_memory: bytes, see `runtime.peak_memory`.
        device: name of the device.
        precision: float32, bfloat16 or float16, in which the network was computed.
    """

    folder: Path
    history: list[dict[str, Any]]
    best: dict[str, Any]
    outcome: Outcome
    seconds: float
    cpu_seconds: float
    samples_per_second: float
    peak_memory: int
    device: str
    precision: str = "float32"
    joules: Mapping[str, float] = field(default_factory=dict)
    energy_of: str = ""


def fit(
    task: Task,
    config: TrainingConfig,
    folder: Path,
    trackers: Sequence[Tracker] = (),
    initial_weights: Path | None = None,
    freeze: Sequence[str] = (),
    warm_restart: bool = False,
) -> Fit:
    """Train `task` in `folder`, or resume an earlier run there from its last checkpoint, with identical results.

    `initial_weights`: checkpoint to start from; modules that it lacks keep their own initialisation.
    `freeze`: names of submodules that are not trained.
    `warm_restart`: a run that is continued with more epochs than before returns to its peak learning rate, from which
    the cosine falls again; without it the rate stays at the end of the first schedule. The history records it.
    Writes best.pt, last.pt, epoch_0005.pt..., history.json and metrics.jsonl. SIGINT and SIGTERM end the run after
    the current step with a checkpoint and the outcome "interrupted".
    Raises `Unworkable` for a loss that is not finite and for exhausted memory, `InputError` for a full disk and for a
    checkpoint that does not fit the task or was written with a different configuration.
    """
    device = runtime.resolve_device(config.device)
    runtime.tune_device(device)
    with (
        distributed.connect(device) as world,
        _explain_out_of_memory(config, device, lambda: "before the first step"),
    ):
        session = Session(task, config, Path(folder), world, device, initial_weights, freeze)
        session.resume(warm_restart)
        with runtime.threads(task.num_threads, device):
            with (
                _explain_out_of_memory(config, device, session.position),
                runtime.interrupts(is_patient=world.size > 1) as interrupt,
                _open_trackers(session, trackers) as opened,
            ):
                choose_precision(session)
                outcome = _run(session, interrupt, opened)
            return _summary(session, outcome)


def _run(session: Session, interrupt: runtime.Interrupt, trackers: list[Tracker]) -> Outcome:
    try:
        while not (outcome := session.outcome):
            if not _train_epoch(session, interrupt, trackers) or not end_epoch(session, interrupt, trackers):
                session.save()
                return "interrupted"
            if any(session.world.any(interrupt.requested)) and not session.outcome:
                return "interrupted"
        return outcome
    except BaseException as error:
        # A cancellation raised in this thread is no error of the run: keep the work when the last step is complete.
        if not isinstance(error, Exception) and session.is_step_complete and session.world.size == 1:
            session.save()
        raise


# --- an epoch ------------------------------------------------------------------------------------------------------


def _train_epoch(session: Session, interrupt: runtime.Interrupt, trackers: list[Tracker]) -> bool:
    """Train to the end of the epoch; False when interrupted before."""
    config, progress = session.config, session.progress
    num_batches, batches = session.train_batches(progress.epoch, progress.batch)
    session.set_training()
    started = time.perf_counter()
    for group in _bar(session, _groups(batches, config.accumulate_steps), num_batches):
        if 0 < config.max_steps <= progress.step:
            return True
        _step(session, group, num_batches)
        now = time.perf_counter()
        progress.seconds, started = progress.seconds + (now - started), now
        if progress.step % STEP_INTERVAL == 0 and session.world.is_first:
            tracking.report_step(
                trackers, progress.step, {"train/loss": _mean_loss(session), "lr": session.schedule.lr}
            )
        stop, save = session.world.any(interrupt.requested, _is_save_due(session))
        if stop:
            return False
        if save:
            session.save()
    return True


def _step(session: Session, group: list[Any], num_batches: int) -> None:
    """One optimizer step over the micro-batches of `group`."""
    progress = session.progress
    session.is_step_complete = False  # a forward pass changes running statistics
    parts = [part for part in group if part is not None]
    weights = [weight_of(session.task, part) for part in parts]
    total, num_samples = session.world.sum(sum(weights), sum(map(count_samples, parts)))
    # Σ weight / total · gradient over micro-batches and processes is the gradient of the whole batch; DDP takes the
    # mean over the processes.
    shares = [weight * session.world.size / total if total else 0.0 for weight in weights]
    # A process without a sample of this batch takes part in the exchange of gradients, for which the others wait.
    pairs = list(zip(parts, shares, strict=True)) or [(None, 0.0)]
    found = [_backward(session, *pair, is_last=k == len(pairs)) for k, pair in enumerate(pairs, 1)]
    _clip(session)
    session.scaler.step(session.optimizer)
    session.scaler.update()
    session.optimizer.zero_grad(set_to_none=True)
    progress.step += 1
    progress.batch += 1
    progress.samples += int(num_samples)
    for weight, values in zip(weights, found, strict=False):
        session.meter.add(f"step {progress.step} (epoch {progress.epoch + 1})", weight, values)
    session.task.after_step(session.model, progress.step)
    if session.average:
        session.average.update(session.model, progress.step)
    session.schedule.advance(progress.epoch + min(1.0, progress.batch / num_batches), 1 / num_batches, progress.step)
    session.complete_step()


def _backward(session: Session, part: Any, share: float, is_last: bool) -> dict[str, Any]:
    """Accumulate the gradient of one micro-batch times its share of the batch; return its losses by name."""
    batch = to_device(part, session.device)
    with _unsynced(session, is_last):
        with session.autocast():
            loss, terms = session.compute(batch)
        session.scaler.scale(loss if share == 1 else loss * share).backward()
    return with_loss(terms, loss.detach())


def _clip(session: Session) -> None:
    if session.config.clip_norm:
        session.scaler.unscale_(session.optimizer)
        clip_grad_norm_(session.trainable, session.config.clip_norm)


def _unsynced(session: Session, is_last: bool) -> contextlib.AbstractContextManager[Any]:
    """Gradients are exchanged between processes once per step, with the last micro-batch."""
    if is_last or not isinstance(session.compute, DistributedDataParallel):
        return contextlib.nullcontext()
    return session.compute.no_sync()


def _is_save_due(session: Session) -> bool:
    return time.monotonic() - session.saved_at >= session.config.checkpoint_minutes * 60


def _mean_loss(session: Session) -> float:
    session.meter.flush()
    return session.meter.means()["loss"]


def _groups(batches: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` micro-batches; the last one may be shorter."""
    iterator = iter(batches)
    while group := list(islice(iterator, size)):
        yield group


def _bar(session: Session, groups: Iterable[Any], num_batches: int) -> Iterable[Any]:
    """The groups, with the progress of the epoch on the first process."""
    name, done = f"{session.folder.name}  epoch {session.progress.epoch + 1}", session.progress.batch
    return counted(groups, num_batches, name, "step", session.world.is_first, done, has_end=False)


# --- around the run ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _open_trackers(session: Session, given: Sequence[Tracker]) -> Iterator[list[Tracker]]:
    """The trackers, on the first process only, closed on every exit."""
    session.world.any(False)  # a barrier: files appear only once every process has installed its signal handlers
    if not session.world.is_first:
        yield []
        return
    session.folder.mkdir(parents=True, exist_ok=True)
    if session.progress.history:  # after a kill between the checkpoint and this file it is one epoch short
        checkpoint.save_json(session.folder / "history.json", session.progress.history)
    settings = {"training": session.config.model_dump(mode="json")} | session.task.settings()
    opened = tracking.open_trackers(session.config, session.folder, session.progress.history, settings, given)
    try:
        yield opened
    finally:
        for tracker in opened:
            tracker.close()


@contextlib.contextmanager
def _explain_out_of_memory(config: TrainingConfig, device: torch.device, place: Callable[[], str]) -> Iterator[None]:
    """Turn an out-of-memory error into an `Unworkable` with its place in the run and settings that need less."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        detail = (str(error) or "no detail").splitlines()[0][:160]
        mixed = "use_amp=true" if device.type == "cuda" else "use_amp=true and amp_dtype=bf16"
        further = "" if runtime.resolve_precision(config, device) else f", and set {mixed}"
        raise Unworkable(
            f"{place()}: out of memory: lower batch_size (now {config.batch_size}), or raise accumulate_steps "
            f"(now {config.accumulate_steps}) to keep it{further}, use a smaller model, or device=cpu; {detail}"
        ) from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    message = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in message or "allocate memory" in message


def _summary(session: Session, outcome: Outcome) -> Fit:
    progress = session.progress
    return Fit(
        folder=session.folder,
        history=progress.history,
        best=progress.best,
        outcome=outcome,
        seconds=progress.total_seconds,
        cpu_seconds=session.cpu_seconds,
        samples_per_second=progress.total_samples / max(progress.train_seconds, 1e-9),
        peak_memory=runtime.peak_memory(session.device),
        device=runtime.device_name(session.device),
        precision=str(session.precision or torch.float32).removeprefix("torch."),
        joules=session.joules,
        energy_of=session.energy_of,
    )
