"""What is scored, and on which clips: the splits as the model and an untrained network of its size see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files, probes
from nsmodels.formats.clips.names import MODALITIES, VARIABLES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world.config import EvaluationConfig
from nsmodels.systems.world.evaluation.scores import WORLD
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.network.clips import WatchedClips

TRAIN, NOVEL = "train", "novel"
UNTRAINED, PIXELS, FIGURES, EXACT = "untrained network", "pixels", "figures by hand", "exact properties"
PIXEL_STEPS, PIXEL_SIDE = 4, 16


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the splits on which it is scored.

    Attributes:
        model, untrained: the model, and the same network with random weights.
        splits: clips by split, the headline first; `train` are some training clips, for probes and baselines.
        twins: by split, of those that have some.
        kept: what several metrics need, computed once.
    """

    model: WorldModel
    untrained: WorldModel
    splits: dict[str, Clips]
    twins: dict[str, Twins]
    kept: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def seen(self) -> dict[str, WatchedClips]:
        """The splits with their frames encoded by the model."""
        return {name: self.model.watch(clips) for name, clips in self.splits.items()}

    @cached_property
    def figures(self) -> dict[str, dict[str, NDArray]]:
        """Figures by hand (n, F) by split and modality, of modalities that all clips of a split have."""
        empty = probes.empty_scene(next(iter(self.splits.values()))) if self.has("vision") else None
        return {
            split: {name: probes.figures(clips, name, empty) for name in MODALITIES if self.has(name)}
            for split, clips in self.splits.items()
        }

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Those that all clips of all splits have."""
        return tuple(name for name in MODALITIES if self.has(name))

    def has(self, modality: str) -> bool:
        """Whether all clips have a modality."""
        return all(bool(clips.has(modality).all()) for clips in self.splits.values())

    def features(self, split: str) -> dict[str, NDArray]:
        """Features (n, F) of clips by rival: of the model, of an untrained network, of pixels, by hand, exact."""
        clips = self.splits[split]
        found: dict[str, NDArray] = {WORLD: self.model.embed(self.seen[split])}
        found[UNTRAINED] = self.untrained.embed(clips)
        if self.has("vision"):
            found[PIXELS] = pixels(clips)
        if self.modalities:
            found[FIGURES] = np.concatenate(list(self.figures[split].values()), 1)
        if clips.properties is not None and clips.affordances is not None:
            found[EXACT] = np.concatenate([clips.properties, clips.affordances], 1)
        return found


def pixels(clips: Clips) -> NDArray[np.float32]:
    """Means of blocks of pixels in a few frames, (n, F)."""
    assert clips.video is not None
    steps = np.linspace(0, clips.video.shape[1] - 1, PIXEL_STEPS).astype(int)
    side = max(1, clips.video.shape[2] // PIXEL_SIDE)
    found = []
    for video in clips.video:
        frames = np.asarray(video[steps], np.float32)
        num = frames.shape[1] // side, frames.shape[2] // side
        blocks = frames[:, : num[0] * side, : num[1] * side].reshape(len(steps), num[0], side, num[1], side, 3)
        found.append(blocks.mean((2, 4)).ravel())
    return np.stack(found)


def read_subject(model: Path, data: Path, how: EvaluationConfig) -> Subject:
    """The subject of an evaluation. Raises InputError for a split that is missing, and for broken files."""
    there = files.splits(data)
    if how.split not in there:
        raise InputError(f"{data}: no split '{how.split}'; it has {', '.join(there) or 'none'}; give --split")
    names = [how.split, *([NOVEL] if how.split == "test" and NOVEL in there else [])]
    splits = {name: files.read(data, name) for name in names}
    if TRAIN in there and how.split != TRAIN:
        train = files.read(data, TRAIN)
        splits[TRAIN] = train.take(np.arange(min(len(train), how.num_probe)))
    twins = {name: found for name in splits if (found := _twins(data, name, splits[name], how.num_twins)) is not None}
    trained = WorldModel.load(model, how.device)
    return Subject(trained, trained.forgotten(), splits, twins)


def _twins(data: Path, split: str, clips: Clips, most: int) -> Twins | None:
    """The first twins of clips that are there, all variables among them; training twins are not limited."""
    found = files.read_twins(data, split)
    if found is None:
        return None
    rows = np.flatnonzero(found.base < len(clips))
    if split != TRAIN:
        rows = np.sort(np.concatenate([_first(rows[found.variable[rows] == k], most) for k in range(len(VARIABLES))]))
    return found.take(rows) if len(rows) else None


def _first(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rows[: -(-most // len(VARIABLES))]
