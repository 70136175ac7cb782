"""From scenes to motion: packs the figures of the scenes, runs the mechanics, collects the impacts."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.physics import mechanics
from nsmodels.datasets.impacts.physics.materials import BRITTLE
from nsmodels.datasets.impacts.physics.mechanics import MOST_CONTACTS, Packed, Traces
from nsmodels.datasets.impacts.scenes import NUM_BINS, NUM_STEPS, Contacts, Motion, Scenes

_SIZES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("position", "angles", "velocity", "spin", "hand", "hand_angles"), (NUM_STEPS, 3)),
    **dict.fromkeys(("hand_velocity", "hand_acceleration"), (NUM_STEPS, 3)),
    **dict.fromkeys(("contact_force", "tilt", "aperture", "tool", "held", "broken", "grip", "energy"), (NUM_STEPS,)),
    **dict.fromkeys(("slide_speed", "slide_force"), (NUM_BINS,)),
    "rotation": (NUM_STEPS, 3, 3),
    "neighbour": (NUM_STEPS, 4),
    "wrench": (NUM_STEPS, 6),
    "work": (NUM_STEPS, 2),
    "impacts": (MOST_CONTACTS, 9),
    "num_impacts": (),
}
_TYPES = {"tool": np.int64, "num_impacts": np.int64, "held": np.bool_, "broken": np.bool_}


def simulate(scenes: Scenes) -> Motion:
    """How the clips go."""
    count = len(scenes)
    made = {name: np.zeros((count, *_SIZES[name]), _TYPES.get(name, np.float64)) for name in Traces._fields}
    mechanics.run(packed(scenes), Traces(**made))
    impacts, number = made.pop("impacts"), made.pop("num_impacts")
    return Motion(**made, contacts=_contacts(impacts, number))


def packed(scenes: Scenes) -> Packed:
    """The figures that the mechanics needs."""
    own = {name: getattr(scenes.objects, name) for name in Packed._fields if hasattr(scenes.objects, name)}
    around = {name: getattr(scenes, name) for name in Packed._fields if hasattr(scenes, name)}
    own["is_brittle"] = BRITTLE[scenes.objects.material]
    return Packed(**own, **around)


def _contacts(impacts: np.ndarray, number: np.ndarray) -> Contacts:
    """The impacts of all clips, one after the other."""
    kept = impacts[np.arange(MOST_CONTACTS) < number[:, None]]
    return Contacts(
        start=np.concatenate([[0], np.cumsum(number)]),
        time=kept[:, 0].copy(),
        body=kept[:, 1].astype(np.int64),
        impulse=kept[:, 2].copy(),
        speed=kept[:, 3].copy(),
        duration=kept[:, 4].copy(),
        place=kept[:, 5:8].copy(),
        held=kept[:, 8] > 0,
    )
