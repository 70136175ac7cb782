"""Quick check of a checkpoint, in seconds: rollouts and properties of the first validation clips, and one imagined."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import PROPERTIES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.imagination import drawing
from nsmodels.systems.world.imagination.imagine import Imagined, imagine, onset
from nsmodels.systems.world.imagination.text import as_text
from nsmodels.systems.world.model import WorldModel

SPLIT, NUM_CLIPS = "val", 64


@dataclass(frozen=True)
class Glance:
    """A model on the first validation clips.

    Attributes:
        nmse: squared error of the imagined states, each in units of its deviation, over that of states that stay as
            they were last; below 1 is better.
        correlation: of believed and true properties, by name; left out where a property is the same in all clips.
        num_clips: looked at.
        example: the clip in which most happens, imagined.
        picture: the example as a PNG.
    """

    nmse: float
    correlation: dict[str, float]
    num_clips: int
    example: Imagined
    picture: bytes

    def text(self) -> str:
        """The figures, and the example."""
        shown = ", ".join(f"{name} {value:.2f}" for name, value in self.correlation.items())
        return (
            f"first {self.num_clips} {SPLIT} clips: error of imagined states {self.nmse:.3f} of persistence\n"
            f"correlation of properties: {shown or '-'}\n\n{as_text(self.example)}"
        )


def glance(checkpoint: Path, data: Path, num_clips: int = NUM_CLIPS, device: str = "auto") -> Glance:
    """Load the model and look at the first validation clips; raises InputError when either is broken."""
    model, clips = WorldModel.load(checkpoint, device), files.read(data, SPLIT)
    clips = clips.take(np.arange(min(num_clips, len(clips))))
    context = max(1, min(onset(actions) for actions in np.asarray(clips.actions)))
    busiest = int(_moves(clips).argmax())
    example = imagine(model, data, str(clips.ids[busiest]))
    stream = io.BytesIO()
    drawing.figure_of(example).savefig(stream, format="png", dpi=70)
    return Glance(_nmse(model, clips, context), _correlation(model, clips), len(clips), example, stream.getvalue())


def _moves(clips: Clips) -> np.ndarray:
    """How far the object of each clip (n,) moves, m."""
    states = np.asarray(clips.states)
    return np.linalg.norm(states[:, -1, :3] - states[:, 0, :3], axis=1)


def _nmse(model: WorldModel, clips: Clips, context: int) -> float:
    states = np.asarray(clips.states, np.float64)
    truth, last = states[:, context:], states[:, context - 1 : context]
    deviation = states.reshape(-1, states.shape[-1]).std(0)
    scale = np.where(deviation > 1e-6, deviation, np.inf)  # what never changes is no error of either
    error = (((model.imagine(clips, context, truth.shape[1]).mean - truth) / scale) ** 2).mean()
    return float(error / max((((last - truth) / scale) ** 2).mean(), 1e-12))


def _correlation(model: WorldModel, clips: Clips) -> dict[str, float]:
    if clips.properties is None:
        return {}
    believed, true = model.properties(clips).mean, np.asarray(clips.properties)
    varies = (true.std(0) > 1e-6) & (believed.std(0) > 1e-6)
    found = {name: np.corrcoef(believed[:, k], true[:, k])[0, 1] for k, name in enumerate(PROPERTIES) if varies[k]}
    return {name: float(value) for name, value in found.items()}
