"""Batches of whole clips: what is hidden, where a rollout starts, twins, and maps of frames that are computed once.

Shapes: b clips of t steps, m twins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nsmodels.engine.batching import Batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import MODALITIES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world.network.clips import ClipBatch, batch_of, num_steps_of
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import encoded
from nsmodels.systems.world.training.encoded import EncodedSounds
from nsmodels.systems.world.training.source import Drawn, Source

MOST_CONTEXTS = 3  # different beginnings of a sound that are kept


@dataclass(frozen=True, eq=False)
class TwinBatch:
    """Twins of clips in a batch.

    Attributes:
        row: int64 (m,), of the clip as it was. variable: int64 (m,). change: (m,).
        states: (m, t, s), those of the twin minus those of the clip. outcomes: (m, o), likewise, NaN where either has
            none. events: float (m, e), of the twin.
    """

    row: Tensor
    variable: Tensor
    change: Tensor
    states: Tensor
    outcomes: Tensor
    events: Tensor


@dataclass(frozen=True, eq=False)
class WorldBatch:
    """Clips, of which two views with different modalities are fused.

    Attributes:
        clips: with targets.
        hidden: bool (b, 2, 3), modalities that are hidden in the first and in the second view.
        context: int64 (b,), steps that are observed in the second view.
        twins: of some clips.
    """

    clips: ClipBatch
    hidden: Tensor
    context: Tensor
    twins: TwinBatch | None = None

    @property
    def num_samples(self) -> int:
        """Number of clips, for the loop."""
        return len(self.clips)


@dataclass(frozen=True)
class Drawing:
    """What is drawn for a batch: see the fields of the same names in the configuration."""

    modality_dropout: float
    min_context: int
    horizon: int = 0
    twins_per_clip: int = 0


class ClipBatches:
    """Batches of the clips of train and val.

    Args:
        data: folder of the clips.
        training: options of the loop.
        drawing: what is drawn.
        encoders: a network whose encoders are frozen: what they make of frames and sounds is computed once, and kept
            where memory allows.
        interval: steps from a frame that is read to the next one.
    """

    def __init__(
        self, data: Path, training: TrainingConfig, drawing: Drawing, encoders: WorldNetwork | None, interval: int
    ) -> None:
        self.source, self.drawing, self.encoders = Source(data, None, training), drawing, encoders
        self.data = data
        self.interval, self.contexts = interval, _contexts(num_steps_of(self.clips["train"]), drawing)
        if encoders is not None:  # the beginnings of a sound are kept, too: a few of them
            self.contexts = self.contexts[np.linspace(0, len(self.contexts) - 1, MOST_CONTEXTS).round().astype(int)]
        self.maps: dict[str, Tensor | None] = {}
        self.sounds: dict[str, EncodedSounds | None] = {}
        self.twins = {split: _twins_of(data, split, len(clips)) for split, clips in self.clips.items()}

    @property
    def clips(self) -> dict[str, Clips]:
        """The clips by split."""
        return self.source.clips

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of a split, always the same ones of "val"."""
        if not self.maps:  # before any worker is started
            for each in self.clips:
                self.maps[each], self.sounds[each] = self._encoded(each)
        return self.source.batches(split, epoch, shard, lambda drawn: self._collate(drawn, split))

    def _encoded(self, split: str) -> tuple[Tensor | None, EncodedSounds | None]:
        if self.encoders is None:
            encoded.forget()
            return None, None
        found = encoded.Split(self.data, split, self.clips[split])
        return found.maps(self.encoders, self.interval), found.sounds(self.encoders, self.contexts)

    def _collate(self, drawn: Drawn, split: str) -> WorldBatch:
        part, random, size = drawn.part, drawn.random, len(drawn.part.whole)
        hidden = _hidden(drawn.clips.observed[part.whole], self.drawing.modality_dropout, random)
        context = random.choice(self.contexts, size)
        twins = self.twins[split]
        number = self.drawing.twins_per_clip
        drawn_twins = None if twins is None or not number else twins.draw(drawn, number)
        clips, sounds = batch_of(drawn.clips, part.rows, self.maps[split]), self.sounds[split]
        if sounds is not None:
            clips = replace(clips, audio=None, **sounds.take(part.rows, part.of(context)))
        return WorldBatch(
            clips,
            torch.as_tensor(part.of(hidden)),
            torch.as_tensor(part.of(context)),
            drawn_twins,
        )


def _contexts(steps: int, drawing: Drawing) -> np.ndarray:
    """Steps that may be observed before a rollout, int64 (k,); half of them leave time for a whole one."""
    first = min(drawing.min_context, max(steps - 1, 1))
    last = max(min(2 * (steps - drawing.horizon) - first, steps - 1), first)
    return np.arange(first, last + 1)


def _hidden(observed: np.ndarray, dropout: float, random: np.random.Generator) -> np.ndarray:
    """Modalities (b, 2, 3) that are hidden in two views: each with probability `dropout`, but never all of a clip."""
    lot = random.random((len(observed), 2, len(MODALITIES)))
    lot[~np.broadcast_to(observed[:, None], lot.shape)] = -1  # never chosen to be kept
    kept = lot.argmax(-1)[..., None] == np.arange(len(MODALITIES))
    return (lot < dropout) & ~kept


def _twins_of(data: Path, split: str, num_clips: int) -> _Twins | None:
    found = files.read_twins(data, split)
    return None if found is None else _Twins(found, num_clips)


class _Twins:
    """Twins sorted by the clip as it was."""

    def __init__(self, twins: Twins, num_clips: int) -> None:
        self.twins, self.order = twins, np.argsort(twins.base, kind="stable")
        self.start = np.searchsorted(twins.base[self.order], np.arange(num_clips + 1))

    def draw(self, drawn: Drawn, number: int) -> TwinBatch | None:
        """`number` twins of each clip that has any, drawn with replacement."""
        part, clips, twins = drawn.part, drawn.clips, self.twins
        lot = part.of(drawn.random.random((len(part.whole), number)))
        first, count = self.start[part.rows], np.diff(self.start)[part.rows]
        chosen = (first[:, None] + np.minimum((lot * count[:, None]).astype(np.int64), count[:, None] - 1))[count > 0]
        rows = np.repeat(np.flatnonzero(count > 0), number)
        if not len(rows) or clips.states is None or clips.outcomes is None:
            return None
        found, base = self.order[chosen.ravel()], part.rows[rows]
        values = [
            rows,
            twins.variable[found].astype(np.int64),
            twins.change[found],
            twins.states[found] - clips.states[base],
        ]
        values += [twins.outcomes[found] - clips.outcomes[base], twins.events[found].astype(np.float32)]
        return TwinBatch(*map(torch.as_tensor, values))
