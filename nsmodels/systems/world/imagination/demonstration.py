"""A world model at work: held-out clips imagined beside the simulator, and what a heavier object would have done."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.evaluation.demonstration import Account, Case, Demonstration, drawn, picture_of
from nsmodels.formats.clips import files
from nsmodels.systems.world.imagination.actions import read_change
from nsmodels.systems.world.imagination.drawing import draw
from nsmodels.systems.world.imagination.imagine import Imagined, imagine
from nsmodels.systems.world.imagination.text import as_text, change_lines, inside
from nsmodels.systems.world.model import WorldModel

SPLIT = "test"
CHANGE = "mass=2"


@final
class ClipDemonstration(Demonstration):
    """Clips imagined by a model.

    Args:
        model: of the stage `full`.
        data: folder of the clips.
        clips: their names.
        scale: (S,) deviation of each state, infinite where it never changes.
    """

    about = (
        "Held-out clips, imagined from the steps before the hand acts, beside what the simulator recorded. Right: the "
        "imagined states err less than states that stay as they were last (persistence). Errors are root mean squares, "
        "each state in units of its deviation over all clips."
    )
    about_change = (
        f"do({CHANGE}): the mass of the object is doubled. What the model makes of it beside what the simulator makes "
        "of the same scene."
    )
    own = f'nsmodels world imagine --checkpoint {{model}} --data {{data}} --clip ID --do "{CHANGE}"'

    def __init__(self, model: WorldModel, data: Path, clips: list[str], scale: np.ndarray) -> None:
        self._model, self._data, self._clips, self._scale = model, data, clips, scale

    def __len__(self) -> int:
        return len(self._clips)

    def answer(self, number: int) -> Case:
        """Imagine the rest of a clip."""
        found = self._imagined(number)
        ours, theirs = errors(found, self._scale)
        asked = f"{found.what.partition(';')[0]}, {found.verb}: the next {len(found.mean)} steps"
        answer = f"error {ours:.2f}, {inside(found).mean():.0%} of the states in their 90 % intervals"
        return Case(found.clip, asked, answer, f"error of persistence {theirs:.2f}", ours < theirs)

    def explain(self, number: int) -> Account:
        """States, properties and affordances beside the simulator's."""
        found = self._imagined(number)
        return Account(as_text(found), picture_of(lambda path: draw(found, path)))

    def change(self, number: int) -> Account:
        """Differences that the change makes to states, outcomes and events."""
        found = self._imagined(number, CHANGE)
        assert found.changed is not None
        text = "\n".join([f"{found.clip}: {found.what}, {found.verb}", *change_lines(found.changed)])
        return Account(text, picture_of(lambda path: draw(found, path)))

    def _imagined(self, number: int, change: str = "") -> Imagined:
        return imagine(self._model, self._data, self._clips[number], change=read_change(change) if change else None)


def demonstrate(model: WorldModel, data: Path, num: int, seed: int) -> ClipDemonstration:
    """`num` clips of the test split; raise `InputError` for broken data, and for clips without states."""
    clips = files.read(data, SPLIT)
    if not len(clips) or clips.states is None:
        raise InputError(f"{data}: split '{SPLIT}' has no clips with states, from which the world model imagines")
    deviation = np.asarray(clips.states, np.float64).reshape(-1, clips.states.shape[-1]).std(0)
    scale = np.where(deviation > 1e-6, deviation, np.inf)
    return ClipDemonstration(model, data, [str(clips.ids[row]) for row in drawn(len(clips), num, seed)], scale)


def errors(found: Imagined, scale: np.ndarray) -> tuple[float, float]:
    """Root mean squared error of imagined states and of persistence, each state in units of `scale` (S,)."""
    truth, last = np.asarray(found.simulated, float), found.course.states[found.context - 1]
    ours, theirs = (float(np.sqrt((((guess - truth) / scale) ** 2).mean())) for guess in (found.mean, last))
    return ours, theirs
