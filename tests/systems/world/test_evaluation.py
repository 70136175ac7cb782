"""The six metrics: exact answers reach their ceiling, and what is shuffled or untrained falls to chance."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import OUTCOMES, PLACEBO, STATES, VARIABLES
from nsmodels.formats.clips.tables import Clips, Twins
from nsmodels.systems.world import evaluate
from nsmodels.systems.world.config import EVALUATION_PRESETS, EvaluationConfig
from nsmodels.systems.world.evaluation import concepts, effects, observation, properties, retrieval, rollouts
from nsmodels.systems.world.evaluation.ablation import Scored, compared
from nsmodels.systems.world.evaluation.report import table
from nsmodels.systems.world.evaluation.retrieval import Pair
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD, Metric
from nsmodels.systems.world.evaluation.subject import Subject, read_subject
from nsmodels.systems.world.evaluation.subsets import SUBSETS
from nsmodels.systems.world.model import WorldModel
from tests.systems.world.sample import sample_clips

RANDOM = np.random.default_rng(0)
WORDS: dict[str, tuple[str, ...]] = {"material": tuple("abcdefgh"), "shape": tuple("vwxyz")}


def labelled(clips: Clips, num_concepts: int = 10) -> Clips:
    """The clips with a material, a shape and an object each, four clips to an object."""
    objects = np.arange(len(clips)) // 4
    concept = objects % num_concepts
    columns = {"object": objects, "material": concept % 8, "shape": concept % 5}
    return dataclasses.replace(clips, columns=columns, words=WORDS)


def small(num: int, seed: int = 0, samples: int = 200) -> Clips:
    return labelled(sample_clips(num, seed, size=32, samples=samples))


@pytest.fixture(scope="module")
def clips() -> Clips:
    return small(400)


def twins_of(clips: Clips, num: int, seed: int = 0) -> Twins:
    """Twins whose outcomes rise with the change of every variable but the placebo, by a figure of the variable."""
    random = np.random.default_rng(seed)
    base, variable = np.arange(num) % len(clips), random.integers(0, len(VARIABLES), num)
    change = random.choice([-1.0, 1.0], num) * random.uniform(0.5, 1.5, num)
    effect = np.where(variable == VARIABLES.index(PLACEBO), 0, (1 + variable) * change)[:, None]
    states = np.asarray(clips.states)[base] + 0.1 * effect[..., None]
    is_flipped = (effect < -2) & np.asarray(clips.events)[base]
    return Twins(
        base, variable, change.astype(np.float32), np.ones(num, np.float32), np.exp(change).astype(np.float32), states,
        np.asarray(clips.properties)[base], np.asarray(clips.affordances)[base],
        np.asarray(clips.outcomes)[base] + effect * np.ones(len(OUTCOMES)),
        np.asarray(clips.events)[base] & ~is_flipped,
    )  # fmt: skip


def means(metrics: list[Metric]) -> dict[str, float]:
    return {each.name: each.outcomes.mean for each in metrics}


def test_shuffled_pairs_are_retrieved_by_chance_and_true_ones_are_found(clips: Clips) -> None:
    vectors = RANDOM.normal(size=(len(clips), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rivals = {WORLD: Pair(vectors, vectors), "shuffled": Pair(vectors, np.roll(vectors, 200, 0))}
    found = {each.name: each for each in retrieval.retrieval(clips, "test", rivals, "", 100, 0)}
    assert found["image_to_sound_r1"].outcomes.mean == found["sound_to_image_mrr"].outcomes.mean == 1
    for name, chance in (("image_to_sound_r10", 0.1), ("sound_to_image_r10", 0.1), ("image_to_sound_r1", 0.01)):
        assert found[name].levels[CHANCE] == chance
        assert found[name].scores["shuffled"].mean() == pytest.approx(chance, abs=0.05)


def test_equal_vectors_are_ties_that_chance_decides() -> None:
    """A model that has collapsed to one vector gets no credit for it."""
    same = Pair(np.ones((50, 4)), np.ones((50, 4)))
    ranks = retrieval.ranks_of(same, [np.arange(50)], "image_to_sound")
    assert retrieval.hits(ranks, 10).mean() == pytest.approx(0.2)
    assert retrieval.reciprocal(ranks).mean() == pytest.approx(np.mean(1 / np.arange(1, 51)))


def test_concepts_are_named_and_learnt_from_features_that_show_them_and_not_with_shuffled_labels(clips: Clips) -> None:
    codes = {name: np.eye(8)[clips.columns[name]] for name in ("material", "shape")}
    features = np.concatenate([*codes.values()], 1) + 0.1 * RANDOM.normal(size=(len(clips), 16))
    shuffled = features[RANDOM.permutation(len(clips))]
    rivals = {WORLD: features, "shuffled": shuffled}
    named = {name: concepts.probabilities(each, each, clips) for name, each in rivals.items()}
    named["shuffled"] = concepts.probabilities(shuffled, features, clips)
    zero = concepts.zero_shot(clips, "novel", named, "")
    spaces = {name: concepts.within_concepts(each, clips)(each) for name, each in rivals.items()}
    few = concepts.few_shot(clips, "novel", spaces, "", 60, 0)
    assert few is not None
    for metric in (zero, few):
        assert metric.outcomes.mean > 0.95
        assert metric.scores["shuffled"].mean() == pytest.approx(metric.levels[CHANCE], abs=0.06)


def test_examples_and_queries_are_different_objects_of_one_concept(clips: Clips) -> None:
    drawn = concepts.episodes(clips, 20, 0)
    assert drawn is not None
    objects, names = clips.columns["object"], concepts.concepts_of(clips)
    for support, query in zip(*drawn, strict=True):
        assert not set(objects[support].ravel().tolist()) & set(objects[query].ravel().tolist())
        assert len(set(names[support[:, 0]].tolist())) == 5
        assert (names[query] == names[support[:, :1]]).all()


def test_dynamics_of_the_truth_have_no_error_and_honest_intervals_cover_what_they_say(clips: Clips) -> None:
    scale, (context, horizon) = rollouts.scale_of(clips), rollouts.context_of(clips)
    truth = np.asarray(clips.states, np.float64)[:, context:]
    others, noise = rollouts.rivals(clips, clips), 0.1 * RANDOM.normal(size=truth.shape)
    exact, _ = rollouts.dynamics(clips, "test", truth, np.full(truth.shape, 0.1), others, scale)
    honest, curves = rollouts.dynamics(clips, "test", truth + noise, np.full(truth.shape, 0.1), others, scale)
    assert means(exact)[f"dynamics_nmse_h{horizon}"] == 0
    assert means(exact)["dynamics_coverage_error"] == pytest.approx(0.1)
    assert exact[0].scores[rollouts.PERSISTENCE].mean() == pytest.approx(1)
    assert means(honest)["dynamics_coverage_error"] < 0.02
    assert curves["coverage"]["50"] == pytest.approx([0.5] * horizon, abs=0.03)
    assert set(curves["by_state"]) == set(STATES)


def test_only_properties_that_a_modality_shows_count(clips: Clips) -> None:
    truth = np.asarray(clips.properties, np.float64)
    found = {subset: truth if "audio" in subset else 1 - truth for subset in SUBSETS}
    matrix = np.zeros((9, 3))
    matrix[0], matrix[1, 1] = 0.9, 0.8
    metrics, report = properties.properties(clips, "test", found, found, matrix)
    pairs = {each.name: each for each in metrics}["property_r_pairs"]
    assert means(metrics)["property_r"] == pytest.approx(1)
    assert len(pairs.items) == 7 + 4
    assert pairs.outcomes.mean == pytest.approx((4 + 4 - 3) / 11)
    assert report["subsets"]["vision"]["hardness"]["r"] == pytest.approx(-1)


def test_effects_are_judged_by_twins_and_confounded_observation_fails_the_placebo(clips: Clips) -> None:
    """In training the colour goes with the outcome, in the twins it does nothing."""
    hue = RANDOM.random(len(clips))
    outcomes = (5 * hue[:, None] + 0.1 * RANDOM.normal(size=(len(clips), len(OUTCOMES)))).astype(np.float32)
    train = dataclasses.replace(clips, outcomes=outcomes, columns={**clips.columns, "hue": hue})
    twins, train_twins = twins_of(train, 300), twins_of(train, 300, seed=1)
    scales: Any = effects.deviations(train), rollouts.scale_of(train).deviation
    truth, others = effects.truth_of(train, twins), observation.rivals(train, train_twins, train, twins)
    metrics, report = effects.causal(train, "test", twins, truth, others, *scales)
    assert means(metrics) == {
        "causal_sign_accuracy": 1, "counterfactual_nmse": 0, "counterfactual_state_nmse": 0, "placebo_invariance": 1,
        "but_for_accuracy": 1,
    }  # fmt: skip
    found = {each.name: each for each in metrics}
    assert found["placebo_invariance"].scores[observation.OBSERVATION].mean() < 0.2
    assert found["causal_sign_accuracy"].scores[observation.OBSERVATION].mean() < 0.8
    assert found["causal_sign_accuracy"].scores[observation.USUAL].mean() == 1
    assert found["but_for_accuracy"].scores["nothing flips"].mean() == 0.5
    assert PLACEBO not in report["by_variable"]  # pyright: ignore[reportOperatorIssue]


def test_the_best_of_each_number_of_modalities_are_compared_by_object() -> None:
    noise = RANDOM.normal(size=60)
    scores = {" + ".join(subset): len(subset) + noise for subset in SUBSETS}
    found = compared(Scored(scores, [str(k // 2) for k in range(60)], "higher", "test"))
    assert [(step["more"].count("+"), step["fewer"].count("+")) for step in found["steps"]] == [(1, 0), (2, 1)]
    assert all(step["ahead"] == pytest.approx(1) and step["interval"][0] > 0 for step in found["steps"])


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A network with random weights, before clips of three splits."""
    folder = tmp_path_factory.mktemp("clips")
    for seed, (split, num) in enumerate({"train": 60, "test": 60, "novel": 80}.items()):
        clips = small(num, seed, samples=16_000)
        files.write(folder, split, clips)
        files.write_twins(folder, split, twins_of(clips, 40, seed))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WorldModel, "load", lambda folder, device: WorldModel.untrained())
        return read_subject(Path("nowhere"), folder, EVALUATION_PRESETS["debug"]())


def test_an_untrained_network_scores_by_chance_in_every_metric(untrained: Subject) -> None:
    metrics, details, notes = evaluate.measured(untrained, EVALUATION_PRESETS["debug"]())
    assert not notes
    assert {each.family for each in metrics} == set(evaluate.METRICS) - {"modalities"}
    found = {each.name: each for each in metrics}
    for name in ("zero_shot_accuracy", "image_to_sound_r10", "sound_to_image_r5", "causal_sign_accuracy"):
        interval = found[name].outcomes.interval
        assert interval is not None
        assert interval[0] - 0.05 <= found[name].levels[CHANCE] <= interval[1] + 0.05
    report = {"metrics": {each.name: each.report() for each in metrics}, "details": details, "data": _about(untrained)}
    text = table(report)
    assert all(f"ceiling: {each.ceiling}" in text for each in metrics if each.ceiling)
    assert "Effects are taught by twins" in text


def test_answers_from_encoded_clips_are_those_from_the_clips(untrained: Subject) -> None:
    split = "test"
    for subset in (("vision",), ("audio", "proprio"), SUBSETS[-1]):
        plain = untrained.model.properties(untrained.splits[split], subset).mean
        assert np.abs(untrained.properties(split, subset) - plain).max() < 1e-3


def test_metrics_whose_truth_is_missing_are_left_out_with_a_note(untrained: Subject) -> None:
    """Pictures and sounds alone: only retrieval can be scored."""
    bare = {
        name: dataclasses.replace(each, states=None, properties=None, outcomes=None, events=None, columns={}, words={})
        for name, each in untrained.splits.items()
    }
    subject = Subject(untrained.model, untrained.untrained, bare, {})
    metrics, _, notes = evaluate.measured(subject, EvaluationConfig(num_gallery=20))
    assert {each.family for each in metrics} == {"retrieval"}
    assert [note.partition(":")[0] for note in notes] == [
        "zero-shot", "few-shot", "dynamics", "properties", "causal", "modalities",
    ]  # fmt: skip


def _about(subject: Subject) -> dict[str, Any]:
    return {
        "source": "random clips", "split": "test", "num_clips": {}, "trained_on": "nothing", "checkpoint": "-",
        "seed": 0,
        "num_parameters": subject.model.num_parameters, "intervals": evaluate.INTERVALS, "notes": [],
        "twins": effects.supervision({"objective": {"causal_weight": 1.0}}),
    }  # fmt: skip
