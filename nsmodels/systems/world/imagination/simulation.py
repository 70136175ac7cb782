"""The simulator beside the model: a clip of sealed impacts simulated again, with a different action or a change."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.impacts.config import CODE_VERSION, MAKER, ImpactsConfig
from nsmodels.datasets.impacts.drawing.twins import intervene
from nsmodels.datasets.impacts.generation import scenes_of
from nsmodels.datasets.impacts.labels.outcomes import outcomes_of, states_of
from nsmodels.datasets.impacts.physics.hand import ROD_MASS
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.physics.touch import actions_of
from nsmodels.datasets.impacts.scenes import NUM_STEPS, Scenes
from nsmodels.formats.clips.names import VERBS
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.imagination.actions import Action, Change

# By verb, the middle of what the data have: force (N), speed (m/s, rad/s) and number of steps.
TYPICAL = {
    "none": (0.0, 0.0, 1),
    "push": (5.0, 0.3, 5),
    "lift": (22.0, 0.35, 4),
    "strike": (0.0, 1.0, 1),
    "squeeze": (17.0, 0.0, 4),
    "drop": (30.0, 0.6, 3),
    "tilt": (0.0, 2.0, 5),
}
SWING = 0.025  # s in which the force of a strike brings the rod to its speed


@dataclass(frozen=True)
class Course:
    """How a clip went: actions (T, 16), states (T, S), outcomes (O,) and events (E,), as in `Clips`."""

    actions: np.ndarray
    states: np.ndarray
    outcomes: np.ndarray
    events: np.ndarray


def recorded(clips: Clips) -> Course:
    """The only clip of a table as it was recorded."""
    assert clips.actions is not None
    assert clips.states is not None
    assert clips.outcomes is not None
    assert clips.events is not None
    return Course(*(np.asarray(each[0]) for each in (clips.actions, clips.states, clips.outcomes, clips.events)))


def scene_of(folder: Path, split: str, row: int) -> Scenes:
    """The scene of a clip. Raises InputError for data that were not simulated here."""
    manifest = artifact.read_manifest(folder)
    fields = {name: value for name, value in manifest.config.items() if name in ImpactsConfig.model_fields}
    if manifest.maker != MAKER or fields.get("source") != "synthetic":
        raise InputError(f"{folder}: these clips were not simulated here, so that none can be simulated again")
    if manifest.code_version != CODE_VERSION:
        raise InputError(
            f"{folder}: simulated by version {manifest.code_version}, and this is {CODE_VERSION}; make the data again"
        )
    return scenes_of(ImpactsConfig.from_mapping(fields, str(folder)), split, np.array([row]))


def course_of(scene: Scenes) -> Course:
    """How one scene goes."""
    motion = simulate(scene)
    outcomes, events = outcomes_of(scene, motion)
    return Course(actions_of(scene)[0], states_of(motion)[0], outcomes[0], events[0])


def with_action(scene: Scenes, action: Action) -> Scenes:
    """One scene with another action; what is not given is as in the scene for the same verb, else typical of the verb.

    The force of a strike brings the rod to its speed, m v = F t in the time `SWING`.
    Raises InputError for a target that is not there, and for an action that does not fit the clip.
    """
    given, verb = dict(action.values), VERBS.index(action.verb)
    is_same = int(scene.verb[0]) == verb
    force, speed, steps = TYPICAL[action.verb]
    if action.verb == "strike" and "force" in given:
        given["speed"] = given.pop("force") * SWING / ROD_MASS
    found = {
        "verb": verb,
        "force": given.get("force", scene.force[0] if is_same else force),
        "speed": given.get("speed", scene.speed[0] if is_same else speed),
        "duration": given.get("for", scene.duration[0] if is_same else steps),
        "onset": given.get("from", scene.onset[0]),
        "target": given.get("target", scene.target[0] if is_same else 0),
        "tip": given.get("tip", scene.tip[0]),
        "aperture": given.get("aperture", scene.aperture[0]),
        "direction": math.radians(given["direction"]) if "direction" in given else scene.direction[0],
        "contact": given.get("at", scene.contact[0]),
    }
    _require_possible(scene, found)
    changed = {name: np.array([value], getattr(scene, name).dtype) for name, value in found.items()}
    return dataclasses.replace(scene, **changed)


def _require_possible(scene: Scenes, action: dict) -> None:
    first, last = int(scene.onset[0]), action["onset"] + action["duration"]
    if action["target"] and not scene.has_neighbour[0]:
        raise InputError("--action: target=neighbour, but there is none in this clip; leave the target out")
    if not (first <= action["onset"] and action["duration"] >= 1 and last <= NUM_STEPS):
        raise InputError(
            f"--action: steps {action['onset']} to {last - 1} do not fit the clip: give from={first} or more, for=1 or "
            f"more, and an end at step {NUM_STEPS - 1} at the latest"
        )


def changed(scene: Scenes, change: Change) -> Scenes:
    """One scene with one thing changed from its start, everything random kept.

    Raises InputError for what is absent or present already, and for what cannot be where there is water.
    """
    name, value = change.variable, bool(change.value)
    if change.is_switch and bool(getattr(scene, f"has_{name}")[0]) == value:
        raise InputError(f"--do {name}: it is {'present' if value else 'absent'} in this clip; ask for the opposite")
    if change.is_switch and scene.has_water[0]:
        raise InputError(f"--do {name}: this clip is in a basin of water, where it cannot be changed")
    return intervene(scene, np.array([change.index]), np.array([change.size]))
