"""States, outcomes and events of clips, read off their motion and their sound."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.scenes import NEIGHBOUR, Motion, Scenes
from nsmodels.datasets.impacts.sound.levels import is_heard, levels

EXPLORED = 5  # steps of the exploration, which outcomes of mechanics leave out
AFTER_TAP = 0.255  # s, when the object has come to rest after the tap
MOVED, FELL = 0.01, 0.01  # m


def states_of(motion: Motion) -> np.ndarray:
    """States float32 (n, T, S), see `names.STATES`."""
    parts = [motion.position, motion.angles, motion.velocity, motion.spin, motion.contact_force[..., None]]
    return np.concatenate([*parts, motion.neighbour, motion.tilt[..., None]], axis=2).astype(np.float32)


def outcomes_of(scenes: Scenes, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes float32 (n, O) and events bool (n, E), see `names`. NaN where there is none."""
    way = motion.position - motion.position[:, EXPLORED - 1 : EXPLORED]
    moved = np.linalg.norm(way[:, -1], axis=1)
    speed = np.linalg.norm(motion.velocity[:, EXPLORED:], axis=2).max(axis=1)
    force, time = _impacts(motion)
    force = np.maximum(force, motion.contact_force[:, EXPLORED:].max(axis=1))
    sound = levels(scenes, motion)
    peak = motion.position[:, EXPLORED:, 2].max(axis=1)
    values = [moved, peak, speed, np.log10(np.maximum(force, 0.01)), *sound.T, np.log10(time)]
    drop = motion.position[:, :, 2].max(axis=1) - motion.position[:, -1, 2]
    events = [moved > MOVED, drop > FELL, motion.broken[:, -1], is_heard(sound[:, 0]), _met_neighbour(motion)]
    return np.stack(values, 1).astype(np.float32), np.stack(events, 1)


def _impacts(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Largest force of the impacts after the tap, N, and their mean contact time by impulse, s; 0 and NaN without."""
    contacts, count = motion.contacts, len(motion)
    is_later = contacts.time > AFTER_TAP
    clip = np.repeat(np.arange(count), np.diff(contacts.start))[is_later]
    impulse, time = contacts.impulse[is_later], contacts.duration[is_later]
    largest, whole, weighted = np.zeros((3, count))
    np.maximum.at(largest, clip, np.pi * impulse / (2 * time))
    np.add.at(whole, clip, impulse)
    np.add.at(weighted, clip, impulse * time)
    with np.errstate(invalid="ignore"):
        return largest, weighted / whole


def _met_neighbour(motion: Motion) -> np.ndarray:
    """Whether the object hit its neighbour, bool (n,)."""
    met = np.concatenate([[0], np.cumsum(motion.contacts.body == NEIGHBOUR)])
    return np.diff(met[motion.contacts.start]) > 0
