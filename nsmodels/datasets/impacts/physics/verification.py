"""Checks of the mechanics on given scenes: energy, momentum, another integrator. Each lists faults, one a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp

from nsmodels.datasets.impacts.physics import bodies, hand, meetings
from nsmodels.datasets.impacts.physics.impacts import BODY_BOUNCE
from nsmodels.datasets.impacts.physics.layout import BODY_SIZE, NEIGHBOUR_MASS, NOW_SIZE, PER_MASS, V
from nsmodels.datasets.impacts.physics.mechanics import _begin
from nsmodels.datasets.impacts.physics.simulation import figures_of, simulate
from nsmodels.datasets.impacts.scenes import BALL, FRAME, NUM_STEPS, Motion, Scenes

ENERGY, SHARE = 2e-4, 1e-2  # J, and of the range of a clip's energy, by which the steps may raise it
MOMENTUM = 1e-6  # of the largest momentum or energy
FREE = 5  # steps of the exploration, with the tap
ONSET = 7  # step at which actions begin, when the object is at rest again
HEIGHT, WAY = 4e-3, 4e-3  # m, by which two integrators may differ: a step of the mechanics at 4 m/s


def energy_grows(scenes: Scenes, motion: Motion) -> list[str]:
    """Clips in which the energy of object and neighbour grows by more than the work done on them."""
    own = motion.energy - motion.work.sum(axis=2)
    rise = own - np.minimum.accumulate(own, axis=1)
    allowed = ENERGY + SHARE * np.ptp(motion.energy, axis=1)
    return [
        f"clip {row}: the energy grows by {rise[row].max():.2g} J without work, expected at most {allowed[row]:.2g} J"
        for row in np.flatnonzero(rise.max(axis=1) > allowed)
    ]


def momentum_is_unbalanced(scenes: Scenes, motion: Motion) -> list[str]:
    """Clips of objects by themselves on level ground, where the momentum changes by other than weight and contacts.

    Over a step of the length T, m (v' - v) = (N - m g) T, N the mean force of the contacts.
    """
    alone = ~scenes.has_water & ~scenes.has_neighbour & np.isin(scenes.verb, (hand.NO_VERB, hand.SQUEEZE, hand.DROP))
    is_free = ~motion.held[:, FREE:] & ~motion.held[:, FREE - 1 : -1] & alone[:, None]
    mass, gravity = scenes.objects.mass[:, None], scenes.gravity[:, None]
    change = np.diff(motion.velocity[:, FREE - 1 :, 2], axis=1) * mass
    given = (motion.contact_force[:, FREE:] - mass * gravity) * FRAME
    wrong = is_free & (np.abs(change - given) > MOMENTUM + 0.01 * mass * gravity * FRAME)
    return [
        f"clip {row}, step {step + FREE}: momentum {change[row, step]:.4g} N s, of forces {given[row, step]:.4g} N s"
        for row, step in np.argwhere(wrong)
    ]


def collisions_are_unbalanced(scenes: Scenes) -> list[str]:
    """Scenes whose object and neighbour, sent at each other, do not keep their momentum, or gain energy."""
    found = []
    for row, f in enumerate(figures_of(scenes)):
        body, beside, now = np.zeros(BODY_SIZE), np.zeros(4), np.zeros(NOW_SIZE)
        _begin(f, body, beside, now)
        now[:] = 0
        beside[:2] = body[:2] + np.array([0.8, 0.6]) * 0.3 * scenes.objects.extents[row].max()
        body[V : V + 2], beside[2:] = (0.5, 0.3), (-0.2, -0.4)
        before = _momentum_and_energy(f, body, beside)
        meetings.meet_neighbour(f, body, beside, now, np.zeros((1, 9)))
        after = _momentum_and_energy(f, body, beside)
        scale = MOMENTUM * np.abs(before).max()
        if np.abs(after[:2] - before[:2]).max() > scale or after[2] > before[2] + scale:
            found.append(
                f"clip {row}: momentum and energy {before.round(6)} before, {after.round(6)} after a collision"
            )
    return found


def _momentum_and_energy(f: np.ndarray, body: np.ndarray, beside: np.ndarray) -> np.ndarray:
    mass, other = 1 / body[PER_MASS], f[NEIGHBOUR_MASS]
    energy = bodies.kinetic(body) + 0.5 * other * (beside[2:] ** 2).sum()
    return np.array([*(mass * body[V : V + 2] + other * beside[2:]), energy])


def integrators_differ(scenes: Scenes) -> list[str]:
    """Scenes whose falls and slides `scipy.integrate.solve_ivp` finds to go differently, with the same laws."""
    return _falls_differ(scenes) + _slides_differ(scenes)


def _plain(scenes: Scenes, verb: int, **values: np.ndarray) -> Scenes:
    """The objects, unbreakable, alone on the dry table, with an action at their middle."""
    count = len(scenes)
    absent, none = np.zeros(count, np.bool_), np.zeros(count)
    return replace(
        scenes,
        objects=replace(scenes.objects, drive=none, strength=np.full(count, np.inf)),
        place=np.zeros((count, 3)),
        has_support=~absent,
        has_neighbour=absent,
        has_water=absent,
        verb=np.full(count, verb),
        onset=np.full(count, ONSET),
        contact=np.zeros((count, 2)),
        direction=none,
        target=np.zeros(count, np.int64),
        **values,
    )


def _falls_differ(scenes: Scenes) -> list[str]:
    """Objects that are dropped flat: free fall, and a restitution of the speed where the lowest point touches."""
    count = len(scenes)
    length = np.full(count, 3)
    height = 0.03 + 0.12 * np.linspace(0, 1, count)
    scenes = _plain(
        scenes,
        hand.DROP,
        duration=length,
        speed=height / (length * FRAME),
        force=np.full(count, 1e3),
        aperture=np.ones(count),
    )
    motion = simulate(scenes)
    release = ONSET + 3
    its = scenes.objects
    found = []
    for row in range(count):
        bounce = its.restitution[row] * (1 if its.shape[row] == BALL else BODY_BOUNCE)
        start = motion.position[row, release - 1, 2] - its.extents[row, 2] / 2
        expected = _bounces(start, scenes.gravity[row], bounce, (NUM_STEPS - release) * FRAME)
        got = motion.position[row, release:, 2] - its.extents[row, 2] / 2
        if np.abs(got - expected).max() > HEIGHT:
            found.append(f"clip {row}: falls to {got.round(4)} m, expected {expected.round(4)} m")
    return found


def _bounces(height: float, gravity: float, restitution: float, length: float) -> np.ndarray:
    """Height at the ends of steps of a point that falls from rest and bounces."""
    times = np.arange(1, round(length / FRAME) + 1) * FRAME
    heights, begin, state = np.zeros(len(times)), 0.0, np.array([height, 0.0])

    def touches(_: float, state: np.ndarray) -> float:
        return state[0]

    touches.terminal, touches.direction = True, -1  # type: ignore[attr-defined]
    while begin < length:
        way = solve_ivp(
            lambda _, state: [state[1], -gravity],
            (begin, length),
            state,
            events=touches,
            dense_output=True,
            rtol=1e-9,
            atol=1e-12,
        )
        inside = (times > begin) & (times <= way.t[-1])
        heights[inside] = way.sol(times[inside])[0] if inside.any() else heights[inside]
        begin, state = float(way.t[-1]), np.array([1e-12, -restitution * way.y[1, -1]])
        if way.status != 1 or state[1] < bodies.REST_SPEED * restitution:
            break
    return heights


def _slides_differ(scenes: Scenes) -> list[str]:
    """Objects but balls that a rod strikes in their middle: they slide until Coulomb's friction stops them."""
    low = scenes.objects.extents[:, 2] < 0.4 * scenes.objects.extents[:, 0]
    scenes = scenes.take(low & (scenes.objects.shape != BALL))
    count = len(scenes)
    speed = 0.3 + 0.7 * np.linspace(0, 1, count)
    scenes = _plain(scenes, hand.STRIKE, duration=np.ones(count, np.int64), speed=speed)
    motion, its = simulate(scenes), scenes.objects
    found = []
    for row in range(count):
        reduced = 1 / (1 / its.mass[row] + 1 / hand.ROD_MASS)
        start = (1 + BODY_BOUNCE * its.restitution[row]) * speed[row] * reduced / its.mass[row]
        slowing = its.friction[row] * scenes.gravity[row]
        length = min(start / slowing, (NUM_STEPS - ONSET - 0.5) * FRAME)
        way = solve_ivp(lambda _, state, a=slowing: [state[1], -a], (0, length), [0, start], rtol=1e-9).y[0, -1]
        got = motion.position[row, -1, 0] - motion.position[row, ONSET - 1, 0]
        if abs(got - way) > WAY and way < 0.15:
            found.append(f"clip {row}: slides by {got:.4f} m, expected {way:.4f} m")
    return found
