from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import derived_facts
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.counterfactual import remove_fact
from nsmodels.systems.visual.reasoning.drawing import draw_proof, draw_tree, supporting_objects
from nsmodels.systems.visual.reasoning.execution import answer
from nsmodels.systems.visual.reasoning.facts import Fact, joint_probability, parse
from nsmodels.systems.visual.reasoning.proof import NoProof, Proof, prove
from nsmodels.systems.visual.reasoning.replay import ProofError, check


@pytest.fixture(scope="module")
def proofs(official_scenes, official_questions) -> list[Proof]:
    beliefs = [SceneBelief.from_scene(scene) for scene in official_scenes]
    return [prove(q["program"], beliefs[q["image_index"]]) for q in official_questions]


@pytest.fixture(scope="module")
def doubtful(official_scenes, official_questions, blurred) -> list[tuple[Proof, SceneBelief]]:
    rng, found = np.random.default_rng(0), []
    for question in official_questions:
        belief = blurred(official_scenes[question["image_index"]], rng, 10.0)
        found.append((prove(question["program"], belief), belief))
    return found


def color_question() -> list[dict]:
    """What colour is the large sphere?"""
    return [
        {"function": "scene", "inputs": [], "value_inputs": []},
        {"function": "filter_size", "inputs": [0], "value_inputs": ["large"]},
        {"function": "filter_shape", "inputs": [1], "value_inputs": ["sphere"]},
        {"function": "unique", "inputs": [2], "value_inputs": []},
        {"function": "query_color", "inputs": [3], "value_inputs": []},
    ]


@pytest.fixture
def three() -> SceneBelief:
    """o1 a large red sphere (0.9 red, 0.08 blue), o2 a small green sphere, o3 a large blue cube."""
    attributes = {
        "size": np.array([[0.95, 0.05], [0.1, 0.9], [1.0, 0.0]]),
        "color": np.array(
            [[0, 0.9, 0.08, 0, 0, 0.02, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0]], float
        ),
        "material": np.array([[1.0, 0.0]] * 3),
        "shape": np.array([[0.0, 1.0, 0.0], [0.02, 0.98, 0.0], [0.99, 0.01, 0.0]]),
    }
    coords = np.array([[0, 0, 0.7], [2, 0, 0.35], [-2, 1, 0.7]])
    pixels = np.array([[240, 160], [330, 190], [150, 120]], float)
    return SceneBelief.from_predictions(np.ones(3), attributes, coords, pixels, (480, 320))


def test_every_official_answer_is_proved_with_certainty(proofs, official_questions):
    for proof, question in zip(proofs, official_questions, strict=True):
        assert (proof.answer, proof.confidence) == (question["answer"], 1.0)
        check(proof)


def test_depth_and_derived_facts_are_those_of_the_programs(proofs, official_scenes, official_questions):
    for proof, question in zip(proofs, official_questions, strict=True):
        assert proof.num_derived == derived_facts(question["program"], official_scenes[question["image_index"]])
    assert 6.0 < np.mean([p.depth for p in proofs]) < 10.0
    assert 0.8 < np.mean([p.hops for p in proofs]) < 1.5
    assert 10.0 < np.mean([p.num_derived for p in proofs]) < 20.0


def test_proofs_of_uncertain_scenes_hold_and_follow_the_soft_answer(doubtful):
    agree = [proof.answer == answer(proof.program, belief).best for proof, belief in doubtful]
    assert np.mean(agree) > 0.95
    for proof, _ in doubtful:
        check(proof)
        assert 0.0 < proof.confidence < 1.0


def test_the_confidence_counts_each_leaf_fact_once(three):
    proof = prove(color_question(), three)
    assert proof.answer == "red"
    # o1 large .95, o2 not large .9, o3 large 1, o1 sphere 1, o3 no sphere .99, o1 red .9, three objects present
    assert proof.confidence == pytest.approx(0.95 * 0.9 * 0.99 * 0.9)
    assert "size(o2) != large" in {str(fact) for fact in proof.facts}


def test_facts_of_one_variable_are_not_multiplied():
    def fact(text: str, p: float) -> Fact:
        return replace(parse(text), probability=p)

    assert joint_probability([fact("color(o1)=red", 0.7), fact("color(o1)!=blue", 0.8)]) == pytest.approx(0.7)
    assert joint_probability([fact("color(o1)!=red", 0.9), fact("color(o1)!=blue", 0.8)]) == pytest.approx(0.7)
    assert joint_probability([fact("left(o1, o2)", 0.9), fact("right(o2, o1)", 0.9)]) == pytest.approx(0.9)
    assert joint_probability([fact("left(o1, o2)", 0.9), fact("not right(o1, o2)", 0.9)]) == pytest.approx(0.9)
    assert joint_probability([fact("left(o1, o2)", 0.9), fact("front(o1, o2)", 0.9)]) == pytest.approx(0.81)


def test_json_round_trip(proofs, doubtful):
    for proof in [*proofs, *(p for p, _ in doubtful)]:
        assert Proof.from_json(proof.to_json()) == proof


def test_the_text_shows_steps_and_negative_facts(three):
    proof = prove(color_question(), three)
    assert "s1 filter_size[large](s0) → {o1, o3}" in proof.text()
    assert "- size(o2) != large" in proof.text()
    assert "!=" not in proof.text(has_negative=False)


def _with_step(proof: Proof, number: int, **changes) -> Proof:
    steps = list(proof.steps)
    steps[number] = replace(steps[number], **changes)
    return replace(proof, steps=tuple(steps))


def test_flipping_any_fact_is_noticed(doubtful):
    for proof, _ in doubtful[::4]:
        for step in proof.steps:
            for k, fact in enumerate(step.facts):
                flipped = (*step.facts[:k], replace(fact, holds=not fact.holds), *step.facts[k + 1 :])
                with pytest.raises(ProofError):
                    check(_with_step(proof, step.number, facts=flipped))


def test_dropping_or_inventing_a_fact_is_noticed(doubtful):
    for proof, _ in doubtful[::4]:
        step = next(s for s in reversed(proof.steps) if s.facts)
        with pytest.raises(ProofError):
            check(_with_step(proof, step.number, facts=step.facts[1:]))
        with pytest.raises(ProofError):
            check(
                _with_step(proof, step.number, facts=(*step.facts, parse("shape(o1) = cube"), parse("front(o1, o2)")))
            )


def test_another_probability_is_noticed(doubtful):
    for proof, _ in doubtful[::4]:
        step = next(s for s in proof.steps if any(f.probability > 0.2 for f in s.facts))
        weaker = tuple(replace(fact, probability=fact.probability / 2) for fact in step.facts)
        with pytest.raises(ProofError):
            check(_with_step(proof, step.number, facts=weaker))


def test_another_output_answer_confidence_or_program_is_noticed(doubtful):
    for proof, _ in doubtful[::4]:
        for step in proof.steps:
            other = [*step.output, 99] if isinstance(step.output, list) else "something"
            with pytest.raises(ProofError):
                check(_with_step(proof, step.number, output=other))
        for broken in (
            replace(proof, answer="nothing"),
            replace(proof, confidence=proof.confidence * 1.001),
            replace(proof, steps=proof.steps[1:]),
            replace(proof, steps=proof.steps[:-1]),
            replace(proof, steps=()),
        ):
            with pytest.raises(ProofError):
                check(broken)


def test_an_object_without_a_fact_is_noticed(three):
    count = [color_question()[0], {"function": "count", "inputs": [0], "value_inputs": []}]
    proof = prove(count, three)
    check(proof)
    assert (proof.answer, proof.num_objects) == ("3", 3)
    scene, end = proof.steps
    fewer = (replace(scene, facts=scene.facts[:2], output=[1, 2]), replace(end, output=2))
    with pytest.raises(ProofError, match=r"no fact that decides present\(o3\)"):
        check(replace(proof, steps=fewer, answer="2"))
    with pytest.raises(ProofError, match="lists facts that differ"):
        check(replace(proof, num_objects=2))
    text = proof.to_json()
    with pytest.raises(InputError, match="num_objects"):
        Proof.from_json(text.replace('"num_objects": 3,', ""))


@pytest.mark.parametrize(
    ("number", "changes", "message"),
    [
        (2, {"function": "filter_color", "values": ("red",), "inputs": (1,)}, "takes a set, step 1 gives a int"),
        (2, {"function": "query_color", "inputs": (0,)}, "takes a object, step 0 gives a set"),
        (2, {"function": "equal_integer", "inputs": (1, 0)}, "takes a int, step 0 gives a set"),
        (2, {"function": "filter_color", "inputs": (0,)}, "instead of one of"),
        (2, {"function": "filter_color", "values": ("cube",), "inputs": (0,)}, "instead of one of"),
        (2, {"function": "relate", "values": ("under",), "inputs": (0,)}, "takes a object"),
        (2, {"function": "count", "values": ("red",), "inputs": (0,)}, "instead of one of no value"),
        (2, {"function": "count", "values": (3,), "inputs": (0,)}, "instead of one of no value"),
        (2, {"function": "count", "inputs": ("0",)}, "does not precede it"),
        (1, {"output": 3.0}, "the proof states 3.0"),
    ],
)
def test_an_ill_typed_proof_is_no_proof(number, changes, message, three):
    count = [color_question()[0], *[{"function": "count", "inputs": [0], "value_inputs": []}] * 2]
    with pytest.raises(ProofError, match=message):
        check(_with_step(prove(count, three), number, **changes))


def test_a_tampered_file_is_refused(three):
    text = prove(color_question(), three).to_json()
    with pytest.raises(InputError, match="not the JSON of a proof"):
        Proof.from_json(text.replace("s4 = red", "s4 = blue"))
    with pytest.raises(InputError, match="not the JSON of a proof"):
        Proof.from_json("{}")
    with pytest.raises(ProofError):
        check(Proof.from_json(text.replace("color(o1) = red", "color(o1) = blue")))


def test_a_proof_is_found_where_the_likeliest_scene_is_ill_posed(three):
    size = np.array([[0.45, 0.55], [0.1, 0.9], [1.0, 0.0]])
    belief = replace(three, attributes={**three.attributes, "size": size})
    proof = prove(color_question(), belief)
    check(proof)
    assert proof.answer == "red"
    assert {str(f): f.probability for f in proof.facts}["size(o1) = large"] == pytest.approx(0.45)


def test_a_question_that_is_ill_posed_in_every_world_has_no_proof(official_scenes):
    ill_posed = [color_question()[0], {**color_question()[3], "inputs": [0]}, {**color_question()[4], "inputs": [1]}]
    with pytest.raises(NoProof):
        prove(ill_posed, SceneBelief.from_scene(official_scenes[0]))


def test_removing_the_answers_fact_gives_the_next_best_value(three):
    change = remove_fact(prove(color_question(), three), three, "color(o1)=red")
    assert change.after is not None
    assert (change.before.answer, change.after.answer, change.first_difference) == ("red", "blue", 4)
    assert change.after.confidence == pytest.approx(0.95 * 0.9 * 0.99 * 0.8)
    assert "answer red → blue" in change.text()
    assert "s4 query_color(s3): red → blue" in change.text()


def test_removing_a_fact_that_is_not_used_changes_nothing(three):
    change = remove_fact(color_question(), three, "material(o2) = rubber")
    assert not change.is_used
    assert not change.is_changed
    assert change.first_difference is None
    assert "unchanged" in change.text()


def test_removing_an_object_leaves_the_question_without_answer_when_nothing_else_fits(three):
    shape = np.eye(3)[[1, 1, 0]]
    size = np.eye(2)[[0, 1, 0]]
    belief = replace(three, attributes={**three.attributes, "shape": shape, "size": size})
    change = remove_fact(color_question(), belief, "present(o1)")
    assert change.after is None
    assert change.is_changed
    assert "none: no proof" in change.text()


def test_removing_a_relation_turns_the_pair_round(three):
    left_of_o1 = [
        *color_question()[:4],
        {"function": "relate", "inputs": [3], "value_inputs": ["left"]},
        {"function": "count", "inputs": [4], "value_inputs": []},
    ]
    before = prove(left_of_o1, three)
    change = remove_fact(before, three, "left(o3, o1)")
    assert change.after is not None
    assert (before.answer, change.after.answer) == ("1", "0")
    opposite = remove_fact(before, three, "right(o1, o3)")
    assert opposite.after is not None
    assert opposite.after.answer == "0"


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("the red one", "cannot be read"),
        ("colour(o1)=red", "known names: size, color"),
        ("color(o1)=pink", "known: gray, red"),
        ("color(o9)=red", "objects o1 to o3"),
        ("color(o1)=green", r"known: color\(o1\) = red \(p 0.900\)"),
        ("left(o1, o1)", "unknown or malformed"),
        ("absent(o1)", r"known: present\(o1\)"),
    ],
)
def test_bad_facts_are_reported_with_the_known_ones(fact, message, three):
    with pytest.raises(InputError, match=message):
        remove_fact(color_question(), three, fact)


def test_facts_are_read_as_they_are_written(proofs):
    for proof in proofs:
        assert all(parse(str(fact)) == fact.literal for fact in proof.facts)


def test_drawings_are_written_and_only_in_known_formats(three, tmp_path):
    proof, image = prove(color_question(), three), np.full((320, 480, 3), 128, np.uint8)
    draw_proof(image, proof, three, tmp_path / "proof.png", "What colour is the large sphere?")
    draw_tree(proof, tmp_path / "tree.svg")
    assert (tmp_path / "proof.png").read_bytes().startswith(b"\x89PNG")
    assert "filter_size" in (tmp_path / "tree.svg").read_text()
    assert supporting_objects(proof) == [1]
    with pytest.raises(InputError, match=r"name it \.png"):
        draw_tree(proof, tmp_path / "tree.txt")
