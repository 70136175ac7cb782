"""What the hand feels in a clip, with the noise of its sensors, and what it is told to do."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.scenes import FRAME, NUM_STEPS, TABLE, Motion, Scenes
from nsmodels.formats.clips.names import ACTION, PROPRIO, VERBS

SKIN = 33.0  # degrees Celsius, of the pads
PAD_EFFUSIVITY = 1500.0  # W s^.5 / (m2 K)
PAD_AREA = 3e-4  # m2, of both pads
# Standard deviation of the noise: a constant part by channel, as `names.PROPRIO`, and a share of the force of the step.
NOISE = np.array([5e-4] * 3 + [5e-3] * 3 + [0.05] * 3 + [5e-3] * 3 + [0.03] * 3 + [2e-3] * 3 + [1.5e-4, 0.05])
FORCE_NOISE = 0.005
# What the channels of an action are measured in: N, m/s.
FORCE_UNIT, SPEED_UNIT = 20.0, 1.0


def feel(scenes: Scenes, motion: Motion) -> np.ndarray:
    """Proprioception float32 (n, T, P): position, velocity, acceleration, angles, wrench, aperture, heat."""
    exact = np.concatenate(
        [
            *(motion.hand, motion.hand_velocity, motion.hand_acceleration, motion.hand_angles, motion.wrench),
            *(motion.aperture[..., None], heat(scenes, motion)[..., None]),
        ],
        axis=2,
    )
    spread = np.broadcast_to(NOISE, exact.shape).copy()
    spread[..., 12:18] += FORCE_NOISE * np.abs(exact[..., 12:18])
    noise = np.stack(
        [np.random.default_rng((int(seed), 1)).standard_normal((NUM_STEPS, len(PROPRIO))) for seed in scenes.seed]
    )
    return (exact + spread * noise).astype(np.float32)


def heat(scenes: Scenes, motion: Motion) -> np.ndarray:
    """Heat, W, that flows from the pads into the object, mean over each step (n, T).

    Two half spaces that touch, with effusivities b and B and a difference of temperature D: after a time t the heat
    flows at D / (sqrt(pi t) (1 / b + 1 / B)) per area; its mean over a step follows from the integral of 1 / sqrt(t),
    which is 2 sqrt(t) (Carslaw and Jaeger, Conduction of Heat in Solids).
    """
    both = 1 / (1 / PAD_EFFUSIVITY + 1 / scenes.objects.effusivity)
    strength = PAD_AREA * both * (SKIN - scenes.objects.temperature) / np.sqrt(np.pi)
    age = np.zeros(len(scenes))
    flow = np.zeros((len(scenes), NUM_STEPS))
    for step in range(NUM_STEPS):
        holds = motion.held[:, step]
        flow[:, step] = np.where(holds, 2 * (np.sqrt(age + FRAME) - np.sqrt(age)) / FRAME * strength, 0)
        age = np.where(holds, age + FRAME, 0)
    return flow


def actions_of(scenes: Scenes) -> np.ndarray:
    """Actions float32 (n, T, 16): those of the verb while it acts, else none."""
    found = np.zeros((len(scenes), NUM_STEPS, len(ACTION)), np.float32)
    found[..., 0] = 1
    step = np.arange(NUM_STEPS)
    acts = (
        (step >= scenes.onset[:, None])
        & (step < (scenes.onset + scenes.duration)[:, None])
        & (scenes.verb > 0)[:, None]
    )
    row = np.zeros((len(scenes), len(ACTION)), np.float32)
    row[np.arange(len(scenes)), scenes.verb] = 1
    row[:, len(VERBS) :] = np.stack(
        [
            *scenes.contact.T,
            *(np.cos(scenes.direction), np.sin(scenes.direction)),
            *(scenes.force / FORCE_UNIT, scenes.speed / SPEED_UNIT, (scenes.tip - 9) / 2),
            *(scenes.target, scenes.aperture / (0.5 * TABLE)),
        ],
        axis=1,
    )
    found[acts] = np.broadcast_to(row[:, None], found.shape)[acts]
    return found
