"""From scenes to motion: packs the figures of the scenes, runs the mechanics, unpacks what it wrote."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nsmodels.datasets.impacts.physics import mechanics
from nsmodels.datasets.impacts.physics.layout import COLUMNS, IMPACT_SIZE, RECORD_SIZE
from nsmodels.datasets.impacts.physics.materials import BRITTLE
from nsmodels.datasets.impacts.scenes import FRAME, NUM_BINS, NUM_STEPS, Contacts, Motion, Scenes

MOST_IMPACTS = 48  # of a clip that are kept
_FLAGS = ("held", "broken")


def simulate(scenes: Scenes, num_steps: int = NUM_STEPS) -> Motion:
    """How the clips go, or their beginning of `num_steps` steps."""
    count = len(scenes)
    records = np.zeros((count, num_steps, RECORD_SIZE))
    slides, impacts = np.zeros((count, NUM_BINS, 2)), np.zeros((count, MOST_IMPACTS, IMPACT_SIZE))
    number = np.zeros(count, np.int64)
    mechanics.run(figures_of(scenes), records, slides, impacts, number)
    edges = np.cumsum([0, *COLUMNS.values()])
    values = {name: records[..., low:high] for name, (low, high) in zip(COLUMNS, pairwise(edges), strict=True)}
    values = {name: each[..., 0] if COLUMNS[name] == 1 else each for name, each in values.items()}
    values |= {name: values[name] > 0 for name in _FLAGS}
    values["tool"] = values["tool"].astype(np.int64)
    values["rotation"] = values["rotation"].reshape(count, num_steps, 3, 3)
    values |= {"slide_speed": slides[..., 0], "slide_force": slides[..., 1]}
    return Motion(**values, contacts=_contacts(impacts, number))


def figures_of(scenes: Scenes) -> np.ndarray:
    """The scenes as rows of `layout.SCENE_SIZE` columns, float64."""
    its = scenes.objects
    columns = [
        *(
            its.shape,
            its.wall,
            its.mass,
            its.volume,
            its.young,
            its.poisson,
            its.friction,
            its.restitution,
            its.strength,
        ),
        *(BRITTLE[its.material], its.drive, its.drive_rate, its.drive_direction),
        *(*its.extents.T, *its.inertia.T, *scenes.place.T, *scenes.neighbour[:, :4].T),
        *(scenes.has_support, scenes.has_neighbour, scenes.has_water, scenes.gravity, scenes.verb),
        *(scenes.onset * FRAME, scenes.duration * FRAME, scenes.contact[:, 0], scenes.direction),
        *(scenes.force, scenes.speed, scenes.tip, scenes.target, scenes.aperture),
    ]
    return np.stack(columns, 1).astype(np.float64)


def _contacts(impacts: np.ndarray, number: np.ndarray) -> Contacts:
    """The impacts of all clips, one after the other."""
    kept = impacts[np.arange(MOST_IMPACTS) < number[:, None]]
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
