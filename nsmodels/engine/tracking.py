"""Trackers of an epoch's record: JSON lines and a readable line always, TensorBoard and Weights & Biases by option."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import requests
from requests.utils import get_netrc_auth

from nsmodels.core.errors import InputError
from nsmodels.core.progress import clock
from nsmodels.engine.config import TrainingConfig

SECONDS = 5.0  # to wait for the host of a tracker
METRICS = "metrics.jsonl"  # in the folder of a training: one line per epoch
Record = dict[str, Any]


@runtime_checkable
class Tracker(Protocol):
    """Receives the record of each finished epoch.

    An optional method `step(step: int, values: dict[str, float])` receives values every few optimizer steps.
    """

    def epoch(self, record: Record) -> None:
        """Record a finished epoch: metrics by name; "epoch" counts from 1."""
        ...

    def close(self) -> None:
        """Release resources at the end of the run, however it ended."""
        ...


class JsonLines:
    """One JSON object per epoch in `path`; rewritten from `history`, so that a resume neither repeats nor drops one."""

    def __init__(self, path: Path, history: Sequence[Record] = ()) -> None:
        self._file = path.open("w", encoding="utf-8")
        for record in history:
            self.epoch(record)

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()


class TensorBoard:
    """Event files in `folder`, one scalar per metric; points after `done` epochs are hidden on a resume."""

    def __init__(self, folder: Path, done: int = 0) -> None:
        if not find_spec("tensorboard"):
            raise InputError("use_tensorboard: the package is not installed; pip install 'nsmodels[pipeline]'")
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        self._writer = SummaryWriter(str(folder), purge_step=done + 1)

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        for name, value in numbers(record).items():
            self._writer.add_scalar(name, value, record["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()


def require_wandb() -> None:
    """Raise `InputError` unless Weights & Biases can be used: package, key and host are there, or it is offline."""
    if not find_spec("wandb"):
        raise InputError("use_wandb: the package is not installed; pip install 'nsmodels[wandb]'")
    if os.environ.get("WANDB_MODE", "online") != "online":
        return
    host = os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"
    offline = "or set WANDB_MODE=offline, which writes the run to a folder for `wandb sync` later"
    if not os.environ.get("WANDB_API_KEY") and not get_netrc_auth(host):
        raise InputError(f"use_wandb: no key for {host}; run `wandb login`, set WANDB_API_KEY, {offline}")
    try:
        requests.head(host, timeout=SECONDS)
    except requests.RequestException as error:
        reason = type(error).__name__
        raise InputError(f"use_wandb: {host} does not answer ({reason}); connect to the network, {offline}") from None


class WeightsAndBiases:
    """A Weights & Biases run, continued under the same id when the training resumes."""

    def __init__(self, project: str, folder: Path, settings: dict[str, Any]) -> None:
        require_wandb()
        import wandb  # an extra

        remembered = folder / "wandb_id.txt"
        known = remembered.read_text(encoding="utf-8").strip() if remembered.exists() else None
        try:
            self._run = wandb.init(project=project, dir=str(folder), config=settings, id=known, resume="allow")
        except wandb.Error as error:
            raise InputError(f"use_wandb: {error}; or set WANDB_MODE=offline to log to a folder") from None
        remembered.write_text(self._run.id, encoding="utf-8")

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        self._run.log(numbers(record), step=record["epoch"])

    def close(self) -> None:
        """Flush and close."""
        self._run.finish()


class Lines:
    """One line per epoch on standard error: losses, monitored metric, learning rate, speed and remaining time.

    `network`: what is trained, the first word of the line.
    """

    def __init__(self, config: TrainingConfig, network: str) -> None:
        self.config, self.network = config, network
        self._seconds: list[float] = []

    def epoch(self, record: Record) -> None:
        """Write the record of a finished epoch."""
        self._seconds.append(record["seconds"])
        left = self._epochs_left(record) * sum(self._seconds) / len(self._seconds)
        names = dict.fromkeys(["train/loss", "val/loss", self.config.monitor])
        shown = [f"{name} {record[name]:.4g}" for name in names if name in record]
        speed = f"{record['samples_per_second']:.0f} samples/s"
        parts = [
            f"{self.network}  epoch {record['epoch']}/{self.config.epochs}",
            *shown,
            f"lr {record['lr']:.2e}",
            speed,
        ]
        print("  ".join([*parts, f"{clock(left)} left"]), file=sys.stderr, flush=True)

    def _epochs_left(self, record: Record) -> float:
        left = self.config.epochs - record["epoch"]
        if not self.config.max_steps:
            return left
        return min(left, (self.config.max_steps - record["step"]) * record["epoch"] / max(record["step"], 1))

    def close(self) -> None:
        """Nothing to close."""


def numbers(record: Record) -> dict[str, float]:
    """The metrics of a record: its numbers, without the epoch itself."""
    return {k: v for k, v in record.items() if k != "epoch" and isinstance(v, int | float)}


def open_trackers(
    config: TrainingConfig, folder: Path, history: Sequence[Record], settings: dict[str, Any], given: Sequence[Tracker]
) -> list[Tracker]:
    """The trackers of the configuration, then those `given`; raise `InputError` for a missing package."""
    trackers: list[Tracker] = [Lines(config, folder.name), JsonLines(folder / METRICS, history)]
    if config.use_tensorboard:
        trackers.append(TensorBoard(folder / "tensorboard", len(history)))
    if config.use_wandb:
        trackers.append(WeightsAndBiases(config.wandb_project, folder, settings))
    return [*trackers, *given]


def report_step(trackers: Sequence[Tracker], step: int, values: dict[str, float]) -> None:
    """Pass `values` after optimizer step `step` to the trackers that have a `step` method."""
    for tracker in trackers:
        report = getattr(tracker, "step", None)
        if report is not None:
            report(step, values)
