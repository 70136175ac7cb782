"""What is scored, and on which clips: the splits as the model and an untrained network of its size see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from nsmodels.core.errors import InputError
from nsmodels.formats.clips import files, probes
from nsmodels.formats.clips.names import MODALITIES, PROPERTIES, VARIABLES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world.config import EvaluationConfig
from nsmodels.systems.world.evaluation.scores import WORLD
from nsmodels.systems.world.evaluation.subsets import SUBSETS
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.network.clips import WatchedClips
from nsmodels.systems.world.network.heads import CONCEPTS

# `PROBE`: some of the training clips, on which probes of networks are fitted; all others are fitted on `TRAIN`.
TRAIN, PROBE, NOVEL = "train", "probe", "novel"
UNTRAINED, PIXELS, FIGURES, EXACT = "untrained network", "pixels", "figures by hand", "exact properties"
PIXEL_STEPS, PIXEL_SIDE = 4, 16
ALL = SUBSETS[-1]
V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the splits on which it is scored.

    Attributes:
        model, untrained: the model, and the same network with random weights.
        splits: clips by split, the headline first.
        twins: by split, of those that have some.
        kept: what several metrics need, computed once.
    """

    model: WorldModel
    untrained: WorldModel
    splits: dict[str, Clips]
    twins: dict[str, Twins]
    kept: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Those that all clips of all splits have."""
        return tuple(name for name in MODALITIES if all(bool(c.has(name).all()) for c in self.splits.values()))

    @property
    def subsets(self) -> list[tuple[str, ...]]:
        """Subsets of the modalities that all clips have."""
        return [each for each in SUBSETS if set(each) <= set(self.modalities)]

    def once(self, key: Any, compute: Callable[[], V]) -> V:
        """What `compute` returns, computed when it is asked for first."""
        if key not in self.kept:
            self.kept[key] = compute()
        return self.kept[key]

    # --- what the model makes of the clips ---------------------------------------------------------------------------

    def seen(self, split: str) -> WatchedClips:
        """A split with frames and sounds encoded by the model."""
        return self.once(("seen", split), lambda: self.model.watch(self.splits[split]))

    def embedding(self, split: str, subset: tuple[str, ...] = ALL) -> NDArray[np.float32]:
        """Summaries (n, D) of the clips of a split, from a subset of the modalities."""
        return self.once(("embedding", split, subset), lambda: self.model.embed(self.seen(split), subset))

    def properties(self, split: str, subset: tuple[str, ...] = ALL) -> NDArray[np.float64]:
        """Properties (n, 9) that the model reads from its summaries; the same as `WorldModel.properties`."""
        return _beliefs(self.model, self.embedding(split, subset))[0]

    def concepts(self, split: str, subset: tuple[str, ...] = ALL) -> Mapping[str, NDArray[np.float64]]:
        """Probabilities of materials and shapes (n, k), likewise."""
        logits, words = _beliefs(self.model, self.embedding(split, subset))[1], self.splits[split].words
        named = {name: logits[:, k, : len(words[name])] for k, name in enumerate(CONCEPTS)}
        return {name: softmax(each, axis=1) for name, each in named.items()}

    # --- rivals ------------------------------------------------------------------------------------------------------

    def features(self, rival: str, split: str) -> NDArray | None:
        """Features (n, F) of the clips of a split by a rival; None where the clips do not have what it reads."""
        clips = self.splits[split]
        if rival == WORLD:
            return self.embedding(split)
        if rival == UNTRAINED:
            return self.once((rival, split), lambda: self.untrained.embed(clips))
        if rival == PIXELS:
            return self.once((rival, split), lambda: pixels(clips)) if "vision" in self.modalities else None
        if rival == EXACT:
            exact = (clips.properties, clips.affordances)
            return None if exact[0] is None or exact[1] is None else np.concatenate([np.asarray(e) for e in exact], 1)
        return np.concatenate([self.figures(split, name) for name in self.modalities], 1) if self.modalities else None

    @staticmethod
    def fitted_on(rival: str) -> str:
        """The split on which probes of the features of a rival are fitted."""
        return PROBE if rival in (WORLD, UNTRAINED) else TRAIN

    def figures(self, split: str, modality: str) -> NDArray[np.float32]:
        """Figures by hand (n, F) of one modality."""
        if modality == "vision":
            empty = self.once("empty scene", lambda: probes.empty_scene(self.splits[TRAIN]))
            return self.once(("figures", split, modality), lambda: probes.figures(self.splits[split], modality, empty))
        return self.once(("figures", split, modality), lambda: probes.figures(self.splits[split], modality))


def _beliefs(model: WorldModel, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Properties (n, 9) and logits of concepts (n, 2, k) of summaries (n, D)."""
    device = next(model.network.parameters()).device
    with torch.inference_mode():
        found = model.network.heads(torch.from_numpy(vectors).to(device))
    mean, logits = (each.double().cpu().numpy() for each in (found.properties.mean, found.concepts))
    assert mean.shape[1] == len(PROPERTIES)
    return mean, logits


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
    splits = {name: files.read_finite(data, name) for name in names}
    if TRAIN in there:
        splits[TRAIN] = first(files.read_finite(data, TRAIN), probes.MOST_CLIPS)
        splits[PROBE] = first(splits[TRAIN], how.num_probe)
    chosen = {how.split: how.num_twins, TRAIN: None}
    twins = {name: _twins(data, name, splits[name], most) for name, most in chosen.items() if name in splits}
    trained = WorldModel.load(model, how.device)
    return Subject(
        trained, trained.forgotten(), splits, {name: each for name, each in twins.items() if each is not None}
    )


def first(clips: Clips, num: int) -> Clips:
    """The first clips, arrays memory-mapped as they were."""
    arrays = {each.name: getattr(clips, each.name) for each in dataclasses.fields(clips)}
    kept = {name: array[:num] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return dataclasses.replace(clips, **kept, columns={name: column[:num] for name, column in clips.columns.items()})


def _twins(data: Path, split: str, clips: Clips, most: int | None) -> Twins | None:
    """Twins of clips that are there: of each variable the first, `most` in all."""
    found = files.read_twins(data, split)
    if found is None:
        return None
    rows = np.flatnonzero(found.base < len(clips))
    if most is not None:
        each = -(-most // len(VARIABLES))
        rows = np.sort(np.concatenate([rows[found.variable[rows] == k][:each] for k in range(len(VARIABLES))]))
    return found.take(rows) if len(rows) else None
