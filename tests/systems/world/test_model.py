"""The world model with random weights: what its answers may depend on, and what they may not."""

import dataclasses

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.formats.clips.names import MODALITIES, VARIABLES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.model import WorldModel
from nsmodels.systems.world.training.calibration import QUANTILE, Calibration, factor_of, shares_of
from tests.systems.world.sample import sample_clips

CONTEXT, HORIZON = 6, 10


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.untrained()


@pytest.fixture(scope="module")
def clips() -> Clips:
    return sample_clips(6)


def test_answers_are_unit_vectors_probabilities_and_deviations(model: WorldModel, clips: Clips) -> None:
    assert np.allclose(np.linalg.norm(model.embed(clips), axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(model.unimodal(clips, "audio"), axis=1), 1, atol=1e-5)
    properties, rollout = model.properties(clips), model.imagine(clips, CONTEXT, HORIZON)
    assert ((properties.mean >= 0) & (properties.mean <= 1)).all()
    assert (properties.std > 0).all()
    assert rollout.mean.shape == rollout.std.shape == (len(clips), HORIZON, 18)
    assert ((model.affordances(clips) >= 0) & (model.affordances(clips) <= 1)).all()


def test_a_clip_has_the_same_answers_in_any_company(model: WorldModel, clips: Clips) -> None:
    alone = np.concatenate([model.embed(clips.take(np.array([row]))) for row in range(len(clips))])
    assert np.allclose(model.embed(clips), alone, atol=1e-5)


@pytest.mark.parametrize("modality", MODALITIES)
def test_what_is_hidden_changes_nothing(model: WorldModel, clips: Clips, modality: str) -> None:
    rest = tuple(name for name in MODALITIES if name != modality)
    field = {"vision": "video", "audio": "audio", "proprio": "proprio"}[modality]
    changed = dataclasses.replace(clips, **{field: getattr(clips, field)[::-1].copy()})
    without = dataclasses.replace(clips, **{field: None}, observed=clips.observed & (np.array(MODALITIES) != modality))
    assert np.array_equal(model.embed(clips, rest), model.embed(changed, rest))
    assert np.array_equal(model.embed(clips, rest), model.embed(without))
    assert not np.array_equal(model.embed(clips), model.embed(changed))


def test_a_rollout_reads_nothing_of_what_comes_after_its_context(model: WorldModel, clips: Clips) -> None:
    future = dataclasses.replace(
        clips, video=_replaced(clips.video, CONTEXT), proprio=_replaced(clips.proprio, CONTEXT),
        audio=_replaced(clips.audio, CONTEXT * 800), states=None, outcomes=None, properties=None,
    )  # fmt: skip
    assert np.array_equal(model.imagine(clips, CONTEXT, HORIZON).mean, model.imagine(future, CONTEXT, HORIZON).mean)
    actions = np.array(clips.actions)
    actions[:, CONTEXT + 2 :] += 1
    asked = model.imagine(clips, CONTEXT, HORIZON, actions=actions).mean
    differs = np.abs(asked - model.imagine(clips, CONTEXT, HORIZON).mean).max((0, 2)) > 1e-6
    assert not differs[:2].any()
    assert differs[2:].all()


def _replaced(values: np.ndarray | None, first: int) -> np.ndarray:
    assert values is not None
    changed = np.array(values)
    changed[:, first:] = changed[::-1, first:]
    return changed


def test_no_change_has_no_effect(model: WorldModel, clips: Clips) -> None:
    variables = np.arange(len(clips)) % len(VARIABLES)
    none, some = (model.effect(clips, variables, np.full(len(clips), size)) for size in (0.0, 0.7))
    assert not none.states.any()
    assert not none.outcomes.any()
    assert np.allclose(none.events, none.events_before, atol=1e-6)
    assert np.abs(some.outcomes).max() > 1e-4


def test_requests_that_do_not_fit_are_refused(model: WorldModel, clips: Clips) -> None:
    with pytest.raises(InputError, match="context 6 and horizon 11 do not fit clips of 16 steps"):
        model.imagine(clips, 6, 11)
    with pytest.raises(InputError, match="expected some of vision, audio, proprio, got smell"):
        model.embed(clips, ("smell",))


def test_factors_make_nine_of_ten_errors_lie_within() -> None:
    random = np.random.default_rng(0)
    deviations = random.uniform(0.5, 2, (4000, 3))
    errors = random.standard_t(4, (4000, 3)) * deviations * np.array([0.3, 1.0, 5.0])
    within = np.abs(errors) <= QUANTILE * factor_of(errors, deviations) * deviations
    assert np.allclose(within.mean(0), 0.9, atol=0.002)


def test_what_never_has_an_effect_is_given_none(model: WorldModel, clips: Clips) -> None:
    random = np.random.default_rng(0)
    variable, true = np.arange(400) % 4, random.standard_normal((400, 3))
    true[variable == 2] = 0
    found = true * np.array([1.0, 2.0, 1.0, -1.0])[variable][:, None] + 0.1 * random.standard_normal(true.shape)
    true[::7, 1] = np.nan
    assert np.allclose(shares_of(found, true, variable)[:5], [1, 0.5, 0, 0, 1], atol=0.02)
    shares = np.stack([np.linspace(0, 1, len(VARIABLES)), np.linspace(1, 0, len(VARIABLES))], 1)
    fitted = dataclasses.replace(model, calibration=Calibration({"effects": shares}))
    variables, sizes = np.full(len(clips), 1), np.full(len(clips), 0.7)
    raw, weak = (each.effect(clips, variables, sizes) for each in (model, fitted))
    assert np.allclose(weak.states, raw.states * shares[1, 0], atol=1e-6)
    assert np.allclose(weak.outcomes, raw.outcomes * shares[1, 1], atol=1e-5)
    nothing = fitted.effect(clips, variables * 0, sizes)
    assert not nothing.states.any()
    assert not np.allclose(nothing.events, nothing.events_before)
