"""One clip imagined: how it goes on with an action, what is believed of the object, what a change would make of it.

Beside each answer lies what the simulator makes of the same scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError, near
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import AFFORDANCES, EVENTS, MODALITIES, OUTCOMES, PROPERTIES, STATES, VERBS
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.imagination.actions import Action, Change
from nsmodels.systems.world.imagination.simulation import Course, changed, course_of, recorded, scene_of, with_action
from nsmodels.systems.world.model import WorldModel


@dataclass(frozen=True)
class Changed:
    """What a change makes of a clip: of the model, and of the simulator.

    Attributes:
        change: what is changed, from the first imagined step on.
        states: (horizon, S), imagined difference; simulated: (horizon, S), that of the simulator.
        outcomes: (O, 2), mean difference and its deviation; events: (E, 2), probability before and after. Both None for
            an action of one's own: they are read from a whole recording, and there is none.
        before, after: courses without and with the change.
    """

    change: Change
    states: np.ndarray
    simulated: np.ndarray
    before: Course
    after: Course
    outcomes: np.ndarray | None = None
    events: np.ndarray | None = None


@dataclass(frozen=True)
class Imagined:
    """What a model makes of a clip, and the simulator.

    Attributes:
        clip: its name.
        what: its object in words.
        context: number of observed steps.
        mean, std: (horizon, S), imagined states and their deviations.
        course: what happens: as recorded, or simulated for an action of one's own.
        properties: (9, 2), mean and deviation. affordances: (8,), probability.
        true_properties: (9,). true_affordances: bool (8,). None where not known.
        changed: the answer to a change, where one was asked for.
    """

    clip: str
    what: str
    context: int
    mean: np.ndarray
    std: np.ndarray
    course: Course
    properties: np.ndarray
    affordances: np.ndarray
    true_properties: np.ndarray | None
    true_affordances: np.ndarray | None
    changed: Changed | None = None

    @property
    def simulated(self) -> np.ndarray:
        """States (horizon, S) of what happens in the imagined steps."""
        return self.course.states[self.context : self.context + len(self.mean)]

    @property
    def verb(self) -> str:
        """What the hand does."""
        return VERBS[int(self.course.actions[onset(self.course.actions), : len(VERBS)].argmax())]

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values."""
        found: dict[str, Any] = {"clip": self.clip, "what": self.what, "verb": self.verb, "context": self.context}
        found |= {"states": list(STATES), "mean": self.mean.tolist(), "std": self.std.tolist()}
        found["simulated"] = self.simulated.tolist()
        found["properties"] = _named(PROPERTIES, self.properties[:, 0])
        found["properties_std"] = _named(PROPERTIES, self.properties[:, 1])
        found["affordances"] = _named(AFFORDANCES, self.affordances)
        return found | ({"changed": _changed_values(self.changed)} if self.changed else {})


def _changed_values(changed: Changed) -> dict[str, Any]:
    found: dict[str, Any] = {"change": str(changed.change), "states": changed.states.tolist()}
    found["simulated"] = changed.simulated.tolist()
    if changed.outcomes is not None and changed.events is not None:
        found["outcomes"] = _named(OUTCOMES, changed.outcomes[:, 0])
        found["outcomes_std"] = _named(OUTCOMES, changed.outcomes[:, 1])
        found["events"] = _named(EVENTS, changed.events[:, 1])
    return found


def _named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def imagine(
    model: WorldModel,
    folder: Path,
    name: str,
    action: Action | None = None,
    change: Change | None = None,
    context: int = 0,
) -> Imagined:
    """A clip of sealed impacts imagined from its first steps.

    Args:
        model, folder: of the stage `full`, and of the data.
        name: of the clip.
        action: in place of the recorded one.
        change: what would be different.
        context: number of observed steps; 0: those before the hand acts.
    Raises InputError for an unknown clip, one without actions, and one that has to be simulated again and cannot be.
    """
    split, row = find_clip(folder, name)
    clips = files.read(folder, split).take(np.array([row]))
    actions = _actions(clips, folder)
    scene = scene_of(folder, split, row) if action or change else None
    scene = with_action(scene, action) if scene is not None and action is not None else scene
    course = recorded(clips) if scene is None or action is None else course_of(scene)
    context = _context_of(context, min(onset(actions[0]), onset(course.actions)), action is not None)
    rollout = model.imagine(clips, context, len(course.states) - context, actions=course.actions[None])
    answer = None
    if change is not None and scene is not None:
        answer = _changed(model, clips, course, change, context, course_of(changed(scene, change)), action is None)
    return Imagined(
        clip=name,
        what=_what(clips),
        context=context,
        mean=rollout.mean[0],
        std=rollout.std[0],
        course=course,
        properties=_properties(model, clips),
        affordances=model.affordances(clips)[0],
        true_properties=_first(clips.properties),
        true_affordances=_first(clips.affordances),
        changed=answer,
    )


def _context_of(asked: int, begin: int, is_other: bool) -> int:
    """Steps that are observed: as many as asked for, or all before `begin`, where the hand may act in another way."""
    if is_other and asked > max(begin, 1):
        raise InputError(f"--context {asked}: the actions differ from step {begin} on; observe at most {begin} steps")
    return asked or max(begin, 1)


def _properties(model: WorldModel, clips: Clips) -> np.ndarray:
    """Means and standard deviations of the properties of one clip, (p, 2)."""
    found = model.properties(clips)
    return np.stack([found.mean[0], found.std[0]], 1)


def _first(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else values[0]


def _actions(clips: Clips, folder: Path) -> np.ndarray:
    """The actions of clips. Raises InputError where they have none, or no states."""
    if clips.actions is None or clips.states is None:
        raise InputError(f"{folder}: its clips have no actions and states, from which the world model imagines")
    return clips.actions


def _changed(
    model: WorldModel, clips: Clips, course: Course, change: Change, context: int, after: Course, is_recorded: bool
) -> Changed:
    """The answer to a change; outcomes and events only for the recorded action."""
    variables, sizes = np.array([change.index]), np.array([change.size], np.float32)
    horizon, actions = len(course.states) - context, course.actions[None]
    plain = model.imagine(clips, context, horizon, actions=actions)
    other = model.imagine(clips, context, horizon, actions=actions, variables=variables, changes=sizes)
    found = Changed(
        change=change,
        states=(other.mean - plain.mean)[0],
        simulated=(after.states - course.states)[context:],
        before=course,
        after=after,
    )
    if not is_recorded:
        return found
    effect = model.effect(clips, variables, sizes)
    outcomes = np.stack([effect.outcomes[0], effect.outcome_std[0]], 1)
    events = np.stack([effect.events_before[0], effect.events[0]], 1)
    return Changed(change, found.states, found.simulated, course, after, outcomes, events)


def find_clip(folder: Path, name: str) -> tuple[str, int]:
    """Split and row of the clip with this name. Raises InputError for an unknown one."""
    known: list[str] = []
    for split in sorted(files.splits(folder), key=lambda split: split != "test"):
        ids = [str(each) for each in files.read(folder, split).ids]
        if name in ids:
            return split, ids.index(name)
        known += ids
    example = f"; the first one is {known[0]}" if known else ""
    raise InputError(f"--clip {name}: no such clip in {folder}{example}{near(name, known)}")


def onset(actions: np.ndarray) -> int:
    """The first step (of T, 16) in which the hand does something; the middle where it never does."""
    acts = np.flatnonzero(actions[:, 0] < 0.5)
    return int(acts[0]) if len(acts) else len(actions) // 2


def _what(clips: Clips) -> str:
    """The object of the only clip in words, and what is observed of it."""
    words = [clips.words[name][int(clips.columns[name][0])] for name in ("material", "shape") if name in clips.words]
    seen = [name for name in MODALITIES if clips.has(name)[0]]
    return f"{' '.join(words) or 'an object'}; observed by {', '.join(seen)}"
