"""Affordances of objects, each decided by a test in the simulator: nothing is looked up by shape or material."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nsmodels.datasets.impacts.physics import hand
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.scenes import BALL, DISC, FLOOR, FRAME, NUM_STEPS, OPEN, Motion, Objects, Scenes
from nsmodels.formats.clips.names import AFFORDANCES

GRAVITY = 9.81
PUSH_FORCE, GRIP_FORCE, THROW_FORCE, PULL_FORCE = 1.5, 30.0, 12.0, 8.0  # N
WIDEST_GRIP = 0.085  # m
SLOPE = np.radians(8.0)
FALL = 1.0  # m
SWING, THROW_SPEED = 0.3, 4.0  # m, m/s: way of the throwing arm, and what it has to reach
GRAIN = 0.004  # m, radius
TEST_STEPS = 12  # of a test in the simulator, 0.6 s


def affordances_of(objects: Objects) -> np.ndarray:
    """Affordances bool (n, 8), see `names.AFFORDANCES`.

    pushable: a finger with 1.5 N moves it by 1 cm. graspable: fingers that open by 8.5 cm and press with 30 N carry
    it. rollable: on a slope of 8 degrees it goes and turns. stackable: there it stays, and carries grains on its top.
    breakable: it breaks in a fall from 1 m. containable: grains that are dropped on it stay inside. throwable: it can
    be carried, and an arm with 12 N brings it to 4 m/s within 30 cm. openable: a pull of 8 N lifts its lid.
    """
    still = replace(objects, drive=np.zeros(len(objects)))
    inside, on_top = _pour(objects)
    rolls, stays = _on_slope(still)
    carried = _is_carried(still)
    found = {
        "pushable": _is_pushed(still),
        "graspable": carried,
        "rollable": rolls,
        "stackable": stays & on_top,
        "breakable": _breaks(still),
        "containable": inside,
        "throwable": carried & (_pulled(objects.mass, THROW_FORCE - objects.mass * GRAVITY, SWING) > THROW_SPEED),
        "openable": _pulled(0.1 * objects.mass, PULL_FORCE - objects.seal - 0.1 * objects.mass * GRAVITY, 0.01) > 0,
    }
    return np.stack([found[name] for name in AFFORDANCES], 1)


def _trial(objects: Objects, verb: int, **values: float) -> Motion:
    """How a test with each object alone goes."""
    count = len(objects)
    numbers = {
        **dict.fromkeys(("direction", "force", "speed", "tip", "aperture"), 0.0),
        **{"gravity": GRAVITY, "onset": 5, "duration": 4, "has_support": True},
        **values,
    }
    whole = {name: np.full(count, numbers.pop(name), np.int64) for name in ("onset", "duration")}
    has_support = np.full(count, bool(numbers.pop("has_support")))
    absent = np.zeros(count, np.bool_)
    scenes = Scenes(
        objects=objects,
        place=np.zeros((count, 3)),
        has_support=has_support,
        has_neighbour=absent,
        has_water=absent,
        neighbour=np.zeros((count, 5)),
        verb=np.full(count, verb),
        contact=np.zeros((count, 2)),
        target=np.zeros(count, np.int64),
        seed=np.zeros(count, np.uint64),
        **whole,
        **{name: np.full(count, float(value)) for name, value in numbers.items()},
    )
    return simulate(scenes, TEST_STEPS)


def _is_pushed(objects: Objects) -> np.ndarray:
    motion = _trial(objects, hand.PUSH, force=PUSH_FORCE, speed=0.2)
    return np.linalg.norm(motion.position[:, -1] - motion.position[:, 4], axis=1) > 0.01


def _is_carried(objects: Objects) -> np.ndarray:
    motion = _trial(objects, hand.LIFT, force=GRIP_FORCE, speed=0.2, aperture=WIDEST_GRIP)
    return motion.held[:, -1]


def _on_slope(objects: Objects) -> tuple[np.ndarray, np.ndarray]:
    """Whether an object goes down a gentle slope turning, and whether it stays where it is."""
    motion = _trial(objects, hand.TILT, duration=2, speed=SLOPE / (2 * FRAME))
    way = np.linalg.norm(motion.position[:, -1] - motion.position[:, 4], axis=1)
    turned = np.abs(motion.angles[:, -1, 1] - motion.angles[:, 4, 1])
    return (way > 0.02) & (turned * objects.extents[:, 2] > way), way < 0.01


def _breaks(objects: Objects) -> np.ndarray:
    """The fall is that from the hand to the floor, with a gravity that brings it to the speed of a fall from 1 m."""
    gravity = GRAVITY * FALL / (hand.HELD_HEIGHT - FLOOR)
    motion = _trial(objects, hand.NO_VERB, has_support=False, gravity=gravity)
    return motion.broken[:, -1]


def _pulled(mass: np.ndarray, force: np.ndarray, way: float) -> np.ndarray:
    """Speed, m/s, of what a force moves from rest over a way within a clip; 0 if it does not get there."""
    speed, moved, reached = np.zeros((3, len(mass)))
    for _ in range(round(NUM_STEPS * FRAME / 1e-3)):
        speed = np.maximum(speed + force / mass * 1e-3, 0)
        moved = moved + speed * 1e-3
        reached = np.where((moved >= way) & (reached == 0), speed, reached)
    return reached


def _pour(objects: Objects) -> tuple[np.ndarray, np.ndarray]:
    """Whether all of some grains that are dropped on an object end inside it, and whether they stay on its top.

    A grain lands on the surface below it and then follows its slope (which only a ball has), until it rests or is over
    the edge.
    """
    half = 0.5 * objects.extents
    inside, on_top = np.ones((2, len(objects)), np.bool_)
    for u, v in ((0.1, 0.05), (-0.4, 0.3), (0.3, -0.5)):
        x, y = u * half[:, 0], v * half[:, 1]
        for _ in range(100):
            slope = np.where(objects.shape == BALL, 0.1, 0.0)
            x, y = x * (1 + slope), y * (1 + slope)
        is_over = (np.abs(x) < half[:, 0]) & (np.abs(y) < half[:, 1])
        is_over &= (objects.shape != DISC) | (np.hypot(x / half[:, 0], y / half[:, 1]) < 1)
        room = half - objects.wall[:, None] - GRAIN
        falls_in = (objects.opening == OPEN) & (np.abs(x) < room[:, 0]) & (np.abs(y) < room[:, 1])
        inside &= is_over & falls_in & (2 * half[:, 2] > objects.wall + 2 * GRAIN)
        on_top &= is_over & ~falls_in
    return inside, on_top
