"""Trackers that write files: JSON lines, TensorBoard's event files, a readable line on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.core.progress import clock
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.tracking.tracker import Record, numbers


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


def show_pictures(folder: Path, pictures: Mapping[str, Path]) -> None:
    """Add pictures to the event files in `folder`."""
    from PIL import Image
    from torch.utils.tensorboard import SummaryWriter  # slow to import

    with SummaryWriter(str(folder)) as writer:
        for name, path in pictures.items():
            with Image.open(path) as picture:
                writer.add_image(name, np.asarray(picture.convert("RGB")), dataformats="HWC")


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
