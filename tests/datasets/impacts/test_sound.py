"""Sound of impacts: frequencies by other methods, sines as written, levels, and nothing of what lies beside a clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial.legendre import Legendre, leggauss
from scipy.linalg import eigh
from scipy.special import iv, ivp, jv, jvp

from nsmodels.datasets.impacts.config import SHAPES, ImpactsConfig
from nsmodels.datasets.impacts.generation import scenes_of
from nsmodels.datasets.impacts.physics.simulation import simulate
from nsmodels.datasets.impacts.scenes import TIP, Contacts, Motion, Scenes
from nsmodels.datasets.impacts.sound import modes
from nsmodels.datasets.impacts.sound.blows import blows_of
from nsmodels.datasets.impacts.sound.levels import levels
from nsmodels.datasets.impacts.sound.synthesis import FULL_SCALE, NUM_SAMPLES, ROOM, SAMPLE_RATE, synthesize
from nsmodels.datasets.impacts.sound.voices import voices_of

NUM = 40


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return scenes_of(ImpactsConfig(), "train", np.arange(NUM))


@pytest.fixture(scope="module")
def tapped(scenes: Scenes) -> Motion:
    """One blow of a rod on each object, nothing else."""
    motion = simulate(scenes)
    fill = {"body": np.full(NUM, TIP), "impulse": np.full(NUM, 0.02), "speed": np.ones(NUM)}
    place = 0.3 * scenes.objects.extents * (1, 1, 0) + 0.5 * scenes.objects.extents * (0, 0, 1)
    time = 0.1 + 0.2 * np.random.default_rng(0).random(NUM)
    blow = Contacts(
        np.arange(NUM + 1), time, duration=np.full(NUM, 2e-4), place=place, held=np.zeros(NUM, bool), **fill
    )
    still = {name: np.zeros_like(getattr(motion, name)) for name in ("slide_speed", "slide_force", "held", "broken")}
    return replace(motion, **still, contacts=blow)


def test_plates_have_the_frequencies_of_a_ritz_series() -> None:
    x, weight = leggauss(28)
    basis = [Legendre.basis(degree) for degree in range(12)]
    values = [np.array([(one.deriv(order) if order else one)(x) for one in basis]) for order in range(3)]

    def product(a: int, b: int) -> np.ndarray:
        return (values[a] * weight) @ values[b].T

    # Energy of bending of a plate of side 2 with ν = 0.3, against its kinetic energy; three modes are rigid motions.
    bent = np.kron(product(2, 2), product(0, 0)) + np.kron(product(0, 0), product(2, 2))
    cross = np.kron(product(2, 0), product(0, 2))
    stiffness = bent + 0.3 * (cross + cross.T) + 1.4 * np.kron(product(1, 1), product(1, 1))
    roots = np.sqrt(np.abs(eigh(stiffness, np.kron(product(0, 0), product(0, 0)), eigvals_only=True)))[3:] * 4
    np.testing.assert_allclose(modes.PLATE, roots[:8], rtol=0.01)


def test_bars_and_discs_have_the_roots_of_their_equations() -> None:
    below, above = ((modes.BAR * near) for near in (1 - 1e-6, 1 + 1e-6))
    assert ((np.cosh(below) * np.cos(below) - 1) * (np.cosh(above) * np.cos(above) - 1) < 0).all()
    nu = 1 / 3
    for n, square in zip((2, 0, 3, 1, 4, 5, 2, 0), modes.DISC, strict=True):
        near = np.sqrt(square) * np.linspace(0.99, 1.01, 3)
        # Moment and force at a free edge vanish (Leissa, Vibration of Plates, 1969, eq. 2.9): a determinant, which
        # changes its sign at a root.
        a = near**2 * jv(n, near) + (1 - nu) * (near * jvp(n, near) - n**2 * jv(n, near))
        b = near**2 * iv(n, near) - (1 - nu) * (near * ivp(n, near) - n**2 * iv(n, near))
        c = near**3 * jvp(n, near) + (1 - nu) * n**2 * (near * jvp(n, near) - jv(n, near))
        d = near**3 * ivp(n, near) - (1 - nu) * n**2 * (near * ivp(n, near) - iv(n, near))
        determinant = a * d - b * c
        assert determinant[0] * determinant[2] < 0, (n, square)


def test_a_blow_is_a_sum_of_damped_sines(scenes: Scenes, tapped: Motion) -> None:
    sound = synthesize(scenes, tapped).astype(np.float64) * FULL_SCALE
    voices = voices_of(scenes)
    blows = blows_of(scenes, tapped, voices)
    assert (np.abs(blows.amplitude).max(axis=1) > 10 * ROOM).sum() > NUM / 3
    for i in range(NUM):
        time = np.maximum(np.arange(NUM_SAMPLES) / SAMPLE_RATE - tapped.contacts.time[i], 0)[:, None]
        sines = np.exp(-voices.damping[i] * time) * np.sin(2 * np.pi * voices.frequency[i] * time)
        rest = sound[i] - sines @ blows.amplitude[i]
        # What is left is the click, which is short, noise, and rounding to 16 bits.
        click = slice(int(tapped.contacts.time[i] * SAMPLE_RATE) - 1, int(tapped.contacts.time[i] * SAMPLE_RATE) + 8)
        rest[click] = 0
        assert 0.95 * ROOM < rest.std() < 1.05 * ROOM + 3e-4 * np.abs(sound[i]).max(), i


def test_levels_are_those_of_the_samples(scenes: Scenes, tapped: Motion) -> None:
    found = levels(scenes, tapped)
    sound = synthesize(scenes, tapped).astype(np.float64) * FULL_SCALE
    measured = 10 * np.log10((sound**2).mean(axis=1) / 20e-6**2)
    np.testing.assert_allclose(found[:, 0], measured, atol=2.5)
    assert np.abs(found[:, 0] - measured).mean() < 1
    contacts = replace(tapped.contacts, impulse=2 * tapped.contacts.impulse)
    louder = levels(scenes, replace(tapped, contacts=contacts))
    is_loud = found[:, 0] > 65
    np.testing.assert_allclose((louder - found)[is_loud, 0], 20 * np.log10(2), atol=0.1)
    np.testing.assert_allclose((louder - found)[is_loud, 1:], 0, atol=1e-9)


def test_a_sound_follows_from_its_own_clip_and_not_from_colours(scenes: Scenes) -> None:
    motion = simulate(scenes)
    sound = synthesize(scenes, motion)
    rows = np.array([31, 3])
    np.testing.assert_array_equal(synthesize(scenes.take(rows), simulate(scenes.take(rows))), sound[rows])
    painted = replace(scenes, objects=replace(scenes.objects, colour=1 - scenes.objects.colour))
    np.testing.assert_array_equal(synthesize(painted, motion), sound)


def test_stiff_things_are_higher_and_lossy_things_shorter(scenes: Scenes, tapped: Motion) -> None:
    objects = scenes.objects
    is_plate = objects.shape == SHAPES.index("plate")
    before = voices_of(scenes)
    after = voices_of(replace(scenes, objects=replace(objects, young=4 * objects.young, loss=2 * objects.loss)))
    np.testing.assert_allclose(after.frequency[:, :8], 2 * before.frequency[:, :8])
    assert is_plate.any()
    assert (after.damping[is_plate, :8] > 2 * before.damping[is_plate, :8]).all()
