"""Batches of whole clips: what is hidden, where a rollout starts, twins, and maps of frames that are computed once.

Shapes: b clips of t steps, m twins.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from nsmodels.systems.world.network.vision import VisionModule
from nsmodels.systems.world.network.world import maps_of
from nsmodels.systems.world.training.source import Drawn, Source

MOST_BYTES = 1 << 32  # of maps that are kept in memory


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
        vision: a frozen encoder, whose maps of all frames are computed once and kept where memory allows.
        interval: steps from a frame that is read to the next one.
    """

    def __init__(
        self, data: Path, training: TrainingConfig, drawing: Drawing, vision: VisionModule | None, interval: int
    ) -> None:
        self.source, self.drawing, self.vision = Source(data, None, training), drawing, vision
        self.interval = interval
        self.maps: dict[str, Tensor | None] = {}
        self.twins = {split: _twins_of(data, split, len(clips)) for split, clips in self.clips.items()}

    @property
    def clips(self) -> dict[str, Clips]:
        """The clips by split."""
        return self.source.clips

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of a split, always the same ones of "val"."""
        if split not in self.maps:  # before any worker is started
            self.maps[split] = None if self.vision is None else kept_maps(self.vision, self.clips[split], self.interval)
        return self.source.batches(split, epoch, shard, lambda drawn: self._collate(drawn, split))

    def _collate(self, drawn: Drawn, split: str) -> WorldBatch:
        part, random, size = drawn.part, drawn.random, len(drawn.part.whole)
        hidden = _hidden(drawn.clips.observed[part.whole], self.drawing.modality_dropout, random)
        steps = num_steps_of(drawn.clips)
        # Half of the contexts leave time for a whole rollout.
        first = min(self.drawing.min_context, max(steps - 1, 1))
        last = max(min(2 * (steps - self.drawing.horizon) - first, steps - 1), first)
        context = random.integers(first, last + 1, size)
        twins = self.twins[split]
        number = self.drawing.twins_per_clip
        drawn_twins = None if twins is None or not number else twins.draw(drawn, number)
        return WorldBatch(
            batch_of(drawn.clips, part.rows, self.maps[split]),
            torch.as_tensor(part.of(hidden)),
            torch.as_tensor(part.of(context)),
            drawn_twins,
        )


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


@torch.inference_mode()
def kept_maps(vision: VisionModule, clips: Clips, interval: int, batch_size: int = 16) -> Tensor | None:
    """Maps of all frames, float16 (n, t, c); None without video, and where they need too much memory."""
    if clips.video is None:
        return None
    shape = (*clips.video.shape[:2], int(np.prod(vision.map_shape)))
    if 2 * np.prod(shape) > MOST_BYTES:
        return None
    device, found = vision.head.weight.device, torch.zeros(shape, dtype=torch.float16)
    for first in range(0, len(found), batch_size):
        video = torch.from_numpy(np.array(clips.video[first : first + batch_size])).to(device)
        found[first : first + len(video)] = maps_of(vision, video, interval).half().cpu()
    return found
