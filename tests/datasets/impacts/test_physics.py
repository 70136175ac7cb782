"""Mechanics, touch and labels of simulated clips, against closed formulas."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from nsmodels.datasets.impacts.drawing.actions import draw_scenes
from nsmodels.datasets.impacts.drawing.objects import draw_objects
from nsmodels.datasets.impacts.drawing.twins import draw_twins, intervene
from nsmodels.datasets.impacts.labels.affordances import affordances_of
from nsmodels.datasets.impacts.labels.outcomes import outcomes_of, states_of
from nsmodels.datasets.impacts.labels.properties import properties_of
from nsmodels.datasets.impacts.physics import contact, hand, verification
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.physics.touch import feel, heat
from nsmodels.datasets.impacts.scenes import BALL, BOX, FRAME, OPEN, Motion, Scenes
from nsmodels.formats.clips.names import AFFORDANCES, EVENTS, PLACEBO, PROPERTIES, VARIABLES

NUM = 160


@cache
def drawn(confounding: float = 0.0) -> Scenes:
    number = np.arange(NUM)
    objects = draw_objects(number, number % 5, number // 5 % 8, 0, confounding, 0.5)
    return draw_scenes(objects, number, 0)


@cache
def moved() -> Motion:
    return simulate(drawn())


def test_energy_momentum_and_another_integrator_agree() -> None:
    scenes, motion = drawn(), moved()
    assert verification.energy_grows(scenes, motion) == []
    assert verification.momentum_is_unbalanced(scenes, motion) == []
    assert verification.collisions_are_unbalanced(scenes.take(np.arange(40))) == []
    assert verification.integrators_differ(scenes.take(np.arange(40))) == []


def test_energy_and_momentum_from_nowhere_are_found() -> None:
    scenes, motion = drawn(), moved()
    energy = motion.energy.copy()
    energy[3, 10:] += 1.0
    assert [line.split(":")[0] for line in verification.energy_grows(scenes, replace(motion, energy=energy))] == [
        "clip 3"
    ]
    lighter = replace(motion, contact_force=motion.contact_force * 0.9)
    assert verification.momentum_is_unbalanced(scenes, lighter)


def test_an_object_slides_on_a_slope_that_is_steeper_than_its_friction() -> None:
    scenes = drawn()
    is_flat = (scenes.objects.shape != BALL) & (scenes.objects.drive == 0)
    scenes = scenes.take(is_flat & scenes.has_support & ~scenes.has_water & ~scenes.has_neighbour)
    count = len(scenes)
    end = np.arctan(scenes.objects.friction) * np.where(np.arange(count) % 2, 0.9, 1.15)
    length = np.full(count, 5)
    tilting = {
        "verb": np.full(count, hand.TILT),
        "onset": length + 2,
        "duration": length,
        "speed": end / (length * FRAME),
    }
    motion = simulate(replace(scenes, **tilting))
    way = np.linalg.norm(motion.position[:, -1] - motion.position[:, 6], axis=1)
    by_table = 2 * np.sin(end / 2) * np.hypot(motion.position[:, 6, 0], scenes.objects.extents[:, 2])
    assert ((way > by_table + 2e-3) == (np.arange(count) % 2 == 0)).mean() > 0.9


def test_the_hand_feels_weight_width_and_warmth() -> None:
    scenes, motion = drawn(), moved()
    proprio = feel(scenes, motion)
    its = scenes.objects
    dry = ~scenes.has_water & (scenes.objects.drive == 0)
    # While it weighs the object the hand is at rest before and after: the mean force is the weight.
    mass = motion.wrench[dry, :2, 2].mean(axis=1) / scenes.gravity[dry]
    assert mass == pytest.approx(scenes.objects.mass[dry], rel=1e-3)
    # Rubbed over the table and pressed down, with its weight: the force is that of the friction.
    force = np.hypot(*motion.wrench[dry & scenes.has_support, 2:4, :2].sum(axis=1).T) / 2
    pressed = (its.mass * scenes.gravity + hand.RUB_FORCE)[dry & scenes.has_support]
    assert force / pressed == pytest.approx(its.friction[dry & scenes.has_support], rel=0.03)
    assert (proprio[:, 0, 18] <= scenes.objects.extents[:, 1] + 1e-3).all()
    warm = heat(scenes, motion)[:, 0] < 0
    assert (warm == (scenes.objects.temperature > 33)).all()
    assert np.array_equal(feel(scenes.take(np.arange(3)), simulate(scenes.take(np.arange(3)))), proprio[:3])


def test_paint_has_the_confounding_that_is_asked_for() -> None:
    number = np.arange(2_000)
    for wanted in (0.0, 0.9):
        objects = draw_objects(number, number % 5, number // 5 % 8, 1, wanted, 0.5)
        assert np.corrcoef(objects.hue, np.log(objects.density))[0, 1] == pytest.approx(wanted, abs=0.06)


def test_twins_change_one_thing_and_the_placebo_nothing() -> None:
    scenes = drawn().take(np.arange(24))
    outcomes, events = outcomes_of(scenes, simulate(scenes))
    changed = draw_twins(scenes, np.arange(24), len(VARIABLES), 0)
    motion = simulate(changed.scenes)
    others, other_events = outcomes_of(changed.scenes, motion)
    placebo = changed.variable == VARIABLES.index(PLACEBO)
    base = changed.base[placebo]
    assert np.array_equal(others[placebo], outcomes[base], equal_nan=True)
    assert np.array_equal(other_events[placebo], events[base])
    assert np.array_equal(states_of(motion)[placebo], states_of(simulate(scenes))[base])
    for name in set(VARIABLES) - {PLACEBO}:
        rows = changed.variable == VARIABLES.index(name)
        assert not np.array_equal(np.nan_to_num(others[rows]), np.nan_to_num(outcomes[changed.base[rows]])), name
    heavier = intervene(scenes, np.zeros(24, np.int64), np.full(24, np.log(2.0)))
    assert heavier.objects.mass == pytest.approx(2 * scenes.objects.mass)
    assert np.array_equal(heavier.objects.extents, scenes.objects.extents)


def test_properties_and_affordances_follow_from_the_object() -> None:
    objects = drawn().objects
    values = dict(zip(PROPERTIES, properties_of(objects).T, strict=True))
    does = dict(zip(AFFORDANCES, affordances_of(objects).T, strict=True))
    assert ((properties_of(objects) >= 0) & (properties_of(objects) <= 1)).all()
    assert np.array_equal(does["rollable"], objects.shape == BALL)
    assert np.array_equal(does["containable"], (objects.shape == BOX) & (objects.opening == OPEN))
    assert np.array_equal(values["containment"] > 0, objects.opening == OPEN)
    assert all(0 < share.mean() < 1 for share in does.values())
    assert np.corrcoef(values["weight"], np.log(objects.mass))[0, 1] > 0.99


def test_contact_times_are_those_of_hertz() -> None:
    """Two steel balls of 1 cm radius at 1 m/s: m* = 0.0164 kg, R* = 5 mm, E* = 110 GPa."""
    assert contact.duration(0.0164, 0.005, 110e9, 1.0) == pytest.approx(6.0e-5, rel=0.2)


def test_without_a_support_the_object_falls() -> None:
    scenes = drawn()
    alone = scenes.take((scenes.verb == hand.NO_VERB) | (scenes.verb == hand.PUSH))
    falling = replace(alone, has_support=np.zeros(len(alone), bool), has_water=np.zeros(len(alone), bool))
    _, events = outcomes_of(falling, simulate(falling))
    assert events[:, EVENTS.index("fell")].all()
