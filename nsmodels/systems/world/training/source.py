"""The clips that a phase is trained on: those of a split that have a modality, their batches and their classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, Part, epoch_order, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.formats.clips import files
from nsmodels.formats.clips.tables import Clips

SPLITS = ("train", "val")
MOST_PROBED = 1024  # clips of the validation split on which a representation is measured


class Source:
    """The training and validation clips that have a modality, or any where it is None.

    Attributes:
        clips: by split, arrays memory-mapped.
        rows: by split the rows that have the modality, int64.
    """

    def __init__(self, data: Path, modality: str | None, training: TrainingConfig) -> None:
        self.training = training
        self.clips = {split: files.read_finite(data, split) for split in SPLITS}
        self.rows = {split: np.flatnonzero(_there(clips, modality)) for split, clips in self.clips.items()}
        for split, rows in self.rows.items():
            if not len(rows):
                wanted = modality or "any modality"
                raise InputError(f"{data / split}: no clip has {wanted}; this phase cannot be trained on these data")

    def require_rate(self, sample_rate: int) -> None:
        """Raise InputError unless the sounds have this sample rate."""
        for split, clips in self.clips.items():
            if clips.sample_rate != sample_rate:
                raise InputError(
                    f"model.sample_rate: {sample_rate} Hz, but the sounds of {split} have {clips.sample_rate} Hz; "
                    "use the rate of the data"
                )

    def batches(self, split: str, epoch: int, shard: Shard, collate: Callable[[Drawn], Any]) -> Batches:
        """Batches of `split`: in another order each epoch for training, always the same for validation."""
        rows, is_training = self.rows[split], split == "train"
        order = rows[epoch_order(len(rows), self.training.seed, epoch, shuffle=is_training)]
        parts = split_batches(order, self.training.batch_size, shard, even=is_training)
        number = epoch if is_training else 0

        def drawn(part: Part) -> Any:
            random = generator(self.training.seed, split, number, int(part.whole[0]))
            return collate(Drawn(self.clips[split], part, random))

        return Batches(parts, drawn, self.training.num_workers, self.training.prefetch_factor)

    def probed(self) -> tuple[Clips, np.ndarray]:
        """Validation clips on which a representation is measured, and their rows: evenly spaced, at most 1,024."""
        rows = self.rows["val"]
        return self.clips["val"], rows[:: -(-len(rows) // MOST_PROBED)]


class Drawn:
    """A part of a batch, with the generator of the whole batch.

    Attributes:
        clips: of the split.
        part: the rows that are read, and those of the whole batch.
        random: draw for the whole batch, take `part.of` of it.
    """

    def __init__(self, clips: Clips, part: Part, random: np.random.Generator) -> None:
        self.clips, self.part, self.random = clips, part, random


def _there(clips: Clips, modality: str | None) -> np.ndarray:
    return np.any(clips.observed, axis=1) if modality is None else clips.has(modality)


def classes_of(clips: Clips, rows: np.ndarray) -> np.ndarray:
    """Int64 (k,): material and shape in one number, or the label of other sources; without either the clip."""
    found = clips.columns
    if "material" in found and "shape" in found:
        return np.asarray(found["material"][rows]).astype(np.int64) * 1000 + found["shape"][rows]
    return np.asarray(found["label"][rows]).astype(np.int64) if "label" in found else rows
