"""Twins: scenes once more with one thing changed, everything random kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nsmodels.datasets.impacts.drawing.objects import paint, weighed
from nsmodels.datasets.impacts.scenes import Objects, Scenes
from nsmodels.formats.clips.names import SWITCHES, VARIABLES, VERBS

# Smallest and largest factor of a change; it is at least `LEAST` one way or the other.
FACTORS = {
    "mass": (0.25, 4.0),
    "friction": (0.15, 2.5),
    "stiffness": (0.1, 10.0),
    "restitution": (0.05, 1.5),
    "size": (0.6, 1.6),
    "force": (0.25, 4.0),
    "gravity": (0.1, 2.5),
}
LEAST = 1.4
_STRIKE, _SQUEEZE = VERBS.index("strike"), VERBS.index("squeeze")


@dataclass(frozen=True, eq=False)
class Changed:
    """m changed scenes; arrays (m,) as in `formats.clips.tables.Twins`."""

    scenes: Scenes
    base: np.ndarray
    variable: np.ndarray
    change: np.ndarray
    before: np.ndarray
    after: np.ndarray


def draw_twins(scenes: Scenes, number: np.ndarray, per_clip: int, seed: int) -> Changed:
    """`per_clip` twins of each scene, each with a different variable changed; `number` int64 (n,), of the clips."""
    names, base, amounts = [], [], []
    for row, each in enumerate(number):
        chance = np.random.default_rng((seed, 3, int(each)))
        order = [name for name in chance.permutation(VARIABLES) if _applies(scenes, row, str(name))]
        for name in order[:per_clip]:
            names.append(str(name))
            base.append(row)
            amounts.append(_amount(str(name), float(chance.random()), scenes, row))
    rows = np.array(base, np.int64)
    variable = np.array([VARIABLES.index(name) for name in names], np.int64)
    changed = scenes.take(rows)
    before = values_of(changed, variable)
    change = np.array(amounts, np.float64)
    changed = intervene(changed, variable, change)
    return Changed(changed, rows, variable, change, before, values_of(changed, variable))


def intervene(scenes: Scenes, variable: np.ndarray, change: np.ndarray) -> Scenes:
    """The scenes, each with one variable, int64 (n,), changed as `tables.Twins.change`, float64 (n,), has it."""
    factor = {name: np.where(variable == VARIABLES.index(name), np.exp(change), 1.0) for name in FACTORS}
    switched = {name: variable == VARIABLES.index(name) for name in SWITCHES}
    return replace(
        scenes,
        objects=_change_objects(scenes.objects, factor, np.where(variable == VARIABLES.index("colour"), change, 0)),
        gravity=scenes.gravity * factor["gravity"],
        force=scenes.force * factor["force"],
        speed=scenes.speed * np.where(scenes.verb == _STRIKE, factor["force"], 1.0),
        has_support=scenes.has_support ^ switched["support"],
        has_neighbour=scenes.has_neighbour ^ switched["neighbour"],
    )


def values_of(scenes: Scenes, variable: np.ndarray) -> np.ndarray:
    """Value of each scene's variable, in its unit."""
    objects = scenes.objects
    values = {
        "mass": objects.mass,
        "friction": objects.friction,
        "stiffness": objects.young,
        "restitution": objects.restitution,
        "size": objects.extents.max(axis=1),
        "force": np.where(scenes.verb == _STRIKE, scenes.speed, scenes.force),
        "gravity": scenes.gravity,
        "support": scenes.has_support.astype(float),
        "neighbour": scenes.has_neighbour.astype(float),
        "colour": objects.hue,
    }
    return np.stack([values[name] for name in VARIABLES], 1)[np.arange(len(variable)), variable]


def _change_objects(objects: Objects, factor: dict[str, np.ndarray], turn: np.ndarray) -> Objects:
    hue = (objects.hue + turn) % 1.0
    shown = np.where(objects.painted[:, None], paint(hue), objects.colour)
    return weighed(
        replace(
            objects,
            density=objects.density * factor["mass"],
            friction=objects.friction * factor["friction"],
            young=objects.young * factor["stiffness"],
            restitution=np.minimum(objects.restitution * factor["restitution"], 0.95),
            extents=objects.extents * factor["size"][:, None],
            wall=objects.wall * factor["size"],
            hue=hue,
            colour=np.where(turn[:, None] == 0, objects.colour, shown),
        )
    )


def _applies(scenes: Scenes, row: int, name: str) -> bool:
    """Whether a variable of a scene can be changed: water has a basin around it, in which nothing else is."""
    return not (scenes.has_water[row] and name in SWITCHES)


def _amount(name: str, chance: float, scenes: Scenes, row: int) -> float:
    """Change of a variable: log of a factor, -1 or 1 for a switch, part of a turn."""
    if name in SWITCHES:
        return -1.0 if getattr(scenes, f"has_{name}")[row] else 1.0
    if name not in FACTORS:
        return 0.1 + 0.8 * chance
    low, high = np.log(FACTORS[name])
    least = min(np.log(LEAST), high)
    place = low + chance * (high - low - 2 * least)
    return float(place if place < -least else place + 2 * least)
