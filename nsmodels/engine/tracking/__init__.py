"""Trackers of an epoch's record: JSON lines and a readable line always, TensorBoard, W&B and MLflow by option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.tracking.files import JsonLines, Lines, TensorBoard, show_pictures
from nsmodels.engine.tracking.services import (
    MLFLOW_ID,
    WANDB_ID,
    MLflow,
    WeightsAndBiases,
    require_mlflow,
    require_wandb,
)
from nsmodels.engine.tracking.tracker import Record, Tracker, numbers, report_step

__all__ = [
    "JsonLines", "Lines", "MLflow", "Record", "TensorBoard", "Tracker", "WeightsAndBiases", "end", "numbers",
    "open_trackers", "report_step", "require", "require_mlflow", "require_wandb",
]  # fmt: skip
METRICS = "metrics.jsonl"  # in the folder of a training: one line per epoch
EVENTS = "tensorboard"


def require(config: TrainingConfig) -> None:
    """Raise `InputError` for a tracker of the configuration that cannot be used here."""
    if config.use_wandb:
        require_wandb()
    if config.use_mlflow:
        require_mlflow()


def open_trackers(
    config: TrainingConfig, folder: Path, history: Sequence[Record], settings: dict[str, Any], given: Sequence[Tracker]
) -> list[Tracker]:
    """The trackers of the configuration, then those `given`; raise `InputError` for a missing package."""
    trackers: list[Tracker] = [Lines(config, folder.name), JsonLines(folder / METRICS, history)]
    if config.use_tensorboard:
        trackers.append(TensorBoard(folder / EVENTS, len(history)))
    if config.use_wandb:
        trackers.append(WeightsAndBiases(config, folder, settings))
    if config.use_mlflow:
        trackers.append(MLflow(config, folder, settings))
    return [*trackers, *given]


def end(config: TrainingConfig, folder: Path, figures: Mapping[str, Any], pictures: Mapping[str, Path]) -> None:
    """Give the trackers of the training in `folder` what is known at its end: figures, and pictures (PNG) by name."""
    shown = numbers(dict(figures))
    if (folder / EVENTS).is_dir() and pictures:
        show_pictures(folder / EVENTS, pictures)
    for kind, known in ((WeightsAndBiases, WANDB_ID), (MLflow, MLFLOW_ID)):
        if (folder / known).is_file():
            tracker = kind(config, folder, {})
            tracker.end(shown, pictures)
            tracker.close()
