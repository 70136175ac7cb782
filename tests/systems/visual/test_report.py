from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.baselines.priors import PUBLISHED, Prior
from nsmodels.systems.visual.evaluation.latency import measure_latency
from nsmodels.systems.visual.evaluation.objects import object_lines, object_table
from nsmodels.systems.visual.evaluation.report import report, table
from nsmodels.systems.visual.evaluation.scoring import (
    HEADLINE,
    ROWS,
    Predictions,
    calibration,
    interval,
    rows,
    score_answers,
    to_released_form,
)
from nsmodels.systems.visual.perception.matching import match_points, object_metrics
from nsmodels.systems.visual.reasoning.belief import SceneBelief


@pytest.fixture(scope="module")
def perfect(official_scenes, official_questions) -> Predictions:
    beliefs = [SceneBelief.from_scene(scene) for scene in official_scenes]
    return Predictions(official_scenes, beliefs, official_questions, [q["program"] for q in official_questions])


@pytest.fixture(scope="module")
def imperfect(official_scenes, official_questions, blurred) -> Predictions:
    """Blurred scenes; every eighth program not parsed."""
    rng = np.random.default_rng(0)
    beliefs = [blurred(scene, rng, 8.0) for scene in official_scenes]
    programs = [None if k % 8 == 0 else q["program"] for k, q in enumerate(official_questions)]
    return Predictions(official_scenes, beliefs, official_questions, programs)


def test_truth_scores_exactly_one_in_all_rows(perfect):
    result, _ = rows(perfect)
    assert tuple(result) == ROWS
    for row in result.values():
        assert (row["accuracy"], row["unanswered"]) == (1.0, 0)
        assert row.get("hard", row)["accuracy"] == 1.0
        assert row["interval"] is None
        assert row["is_few"]  # eight images


def test_rows_separate_errors_of_perception_from_errors_of_parsing(imperfect):
    result, _ = rows(imperfect)
    parsed = np.mean([p is not None for p in imperfect.programs])
    assert result["true_scene_true_program"]["accuracy"] == 1.0
    assert result["true_scene_predicted_program"]["accuracy"] == pytest.approx(parsed)
    assert result["true_scene_predicted_program"]["unanswered"] == 10
    assert result[HEADLINE]["accuracy"] < result["predicted_scene_true_program"]["accuracy"] < 1.0
    soft = result["predicted_scene_true_program"]
    assert soft["hard"]["accuracy"] < soft["accuracy"]


def test_types_add_up(imperfect):
    row = rows(imperfect)[0][HEADLINE]
    by_type = row["by_type"].values()
    assert sum(t["n"] for t in by_type) == row["n"] == len(imperfect.questions)
    assert sum(t["n"] * t["accuracy"] for t in by_type if t["n"]) == pytest.approx(row["n"] * row["accuracy"])


def test_intervals_are_clustered_by_image_and_need_twenty():
    images, right = np.repeat(np.arange(20), 10), np.repeat(np.arange(20) % 4 > 0, 10).astype(float)
    low, high = interval(right, images)["interval"]
    alone_low, alone_high = interval(right, np.arange(200))["interval"]
    assert 0.0 <= low < alone_low < 0.75 < alone_high < high <= 1.0
    assert 0.8 < interval(np.ones(200), images)["interval"][0] < 0.85, "all right: Wilson's bound of 20 is 0.839"
    assert interval(right[:190], images[:190]) == {"interval": None, "is_few": True}


def test_a_type_without_questions_has_no_accuracy(official_questions):
    counts = [q for q in official_questions if q["program"][-1]["function"] == "count"]
    by_type = score_answers([q["answer"] for q in counts], counts)["by_type"]
    assert by_type["exist"] == {"accuracy": None, "interval": None, "n": 0}
    assert by_type["count"]["accuracy"] == 1.0


def test_the_prior_answers_by_type_and_the_majority_otherwise():
    def question(function: str, word: str) -> dict:
        return {"program": [{"function": function}], "answer": word}

    train = [question("count", "1")] * 3 + [question("count", "2")] + [question("exist", "yes")] * 2
    prior = Prior.fitted(train)
    assert prior.majority == "1"
    assert [prior.answer(question(f, "")) for f in ("count", "exist", "query_color")] == ["1", "yes", "1"]
    with pytest.raises(InputError, match="no training questions"):
        Prior.fitted([])


def test_object_metrics_of_the_truth_are_one(official_scenes):
    found = object_metrics(official_scenes, [SceneBelief.from_scene(scene) for scene in official_scenes])
    assert all(value == 1.0 for name, value in found.items() if name not in ("objects", "scenes"))
    assert found["objects"] == sum(len(scene["objects"]) for scene in official_scenes)


def test_object_metrics_count_each_kind_of_error(official_scenes):
    scene = next(s for s in official_scenes if len(s["objects"]) >= 4)
    truth, count = SceneBelief.from_scene(scene), len(scene["objects"])
    color = np.roll(truth.attributes["color"], 1, axis=1)
    wrong_color = truth.attributes["color"].copy()
    wrong_color[0] = color[0]
    presence = np.ones(count)
    presence[-1] = 0.1
    pixels = truth.pixels.copy()
    pixels[1] += 200.0
    seen = replace(truth, presence=presence, pixels=pixels, attributes={**truth.attributes, "color": wrong_color})
    found = object_metrics([scene], [seen])
    assert found["precision"] == pytest.approx((count - 2) / (count - 1))
    assert found["recall"] == pytest.approx((count - 2) / count)
    assert found["color"] == found["all_attributes"] == pytest.approx((count - 3) / (count - 2))
    assert (found["shape"], found["relations"], found["scene_exact"]) == (1.0, 1.0, 0.0)


def test_attributes_are_counted_of_matched_and_of_all_true_objects(official_scenes):
    scene = next(s for s in official_scenes if {o["size"] for o in s["objects"]} == {"large", "small"})
    truth, things = SceneBelief.from_scene(scene), scene["objects"]
    cubes = [k for k, o in enumerate(things) if o["shape"] == "cube"]
    small = sum(o["size"] == "small" for o in things)
    presence, shape = np.ones(len(things)), truth.attributes["shape"].copy()
    missed = cubes[0]
    presence[missed] = 0.1
    wrong = next(k for k in range(len(things)) if k != missed and things[k]["size"] == things[missed]["size"])
    shape[wrong] = np.roll(shape[wrong], 1)
    seen = replace(truth, presence=presence, attributes={**truth.attributes, "shape": shape})
    found = object_table([scene], [seen])
    total, size = found["groups"]["all"], found["groups"][things[missed]["size"]]
    num = small if things[missed]["size"] == "small" else len(things) - small
    assert total["of_true"]["all_attributes"]["accuracy"] == pytest.approx((len(things) - 2) / len(things))
    assert total["of_matched"]["all_attributes"]["accuracy"] == pytest.approx((len(things) - 2) / (len(things) - 1))
    assert total["of_matched"]["color"]["accuracy"] == 1.0
    assert size["of_true"]["shape"]["accuracy"] == pytest.approx((num - 2) / num)
    assert found["shapes"]["cube"]["not found"] == 1
    assert sum(n for true, row in found["shapes"].items() for as_, n in row.items() if true != as_) == 2
    assert total["of_true"]["shape"]["interval"] is None  # one image
    assert "too few for intervals" in "\n".join(object_lines(found))


def test_one_wrong_relation_is_counted_and_spoils_the_scene(official_scenes):
    truth = SceneBelief.from_scene(official_scenes[0])
    left = truth.relations["left"].copy()
    left[0, 1] = 1.0 - left[0, 1]
    found = object_metrics(official_scenes[:1], [replace(truth, relations={**truth.relations, "left": left})])
    count = len(truth)
    assert found["relations"] == pytest.approx(1.0 - 1.0 / (4 * count * (count - 1)))
    assert (found["all_attributes"], found["scene_exact"]) == (1.0, 0.0)


def test_matching_takes_the_nearest_pair_first_and_each_point_once():
    predicted, true = np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([[3.0, 0.0], [20.0, 0.0]])
    assert match_points(predicted, true, 5.0) == [(1, 0)]
    assert match_points(np.zeros((0, 2)), true, 5.0) == []


def test_confidence_is_reported_with_its_bins(imperfect):
    _, found = rows(imperfect)
    trust = calibration(found, imperfect.questions)
    assert sum(b["n"] for b in trust["bins"]) == len(imperfect.questions)
    assert list(trust["selective_accuracy"]) == ["100%", "90%", "80%"]
    assert trust["selective_accuracy"]["80%"] > trust["selective_accuracy"]["100%"]
    assert 0.0 <= trust["ece"] <= 1.0


def test_the_report_is_json_and_its_table_is_complete(imperfect, official_questions):
    source = {"source": "synthetic", "split": "val", "num_annotated_images": 1000, "num_annotated_questions": 9000}
    prior = Prior.fitted(official_questions, "the official sample")
    parameters = {"perception": 1_234_567, "parser": 1_000}
    result = report(imperfect, prior, source=source, num_parameters=parameters)
    assert json.loads(json.dumps(result)) == result
    assert set(result) >= {"rows", "objects", "baselines", "calibration", "latency", "num_parameters", "data"}
    assert result["objects"]["program_exact"] == pytest.approx(0.875)
    assert result["baselines"]["chance"]["accuracy"] == pytest.approx(1 / 28)
    assert result["baselines"]["question_type_prior"]["accuracy"] >= result["baselines"]["majority"]["accuracy"]
    assert result["num_parameters"]["total"] == 1_235_567
    assert result["baselines"]["majority"]["fitted_on"] == "the official sample"
    shown = table(result)
    annotated = "annotations of 1000 images and programs of 9000 questions"
    counted = "counted in the official sample"
    for text in ("source synthetic", annotated, counted, "hard execution", "majority", "1,234,567", "NS-VQA"):
        assert text in shown
    older = {**result, "data": {**result["data"], "num_annotated_questions": None}}
    assert "trained on scene annotations of 1000 images\n" in table(older)
    assert sum(entry["n"] for entry in result["depth"]["by_depth"].values()) == len(official_questions)
    for name, found in result["depth"]["beside"].items():  # by depth they are what they are as a whole
        mean = sum(entry["n"] * entry["accuracy"] for entry in found.values()) / len(official_questions)
        assert mean == pytest.approx(result["baselines"][name]["accuracy"])
    assert "question_type_prior" in result["depth"]["beside"]


def test_published_rows_name_their_sources():
    assert all(row["source"][-4:].isdigit() and "not comparable" in row["note"] for row in PUBLISHED)


def test_latency_times_every_part(perfect):
    beliefs, programs = iter(perfect.beliefs), iter(perfect.programs)
    found = measure_latency(
        lambda images: [next(beliefs)], lambda texts: [next(programs)], [np.zeros((2, 2, 3))] * 6, ["?"] * 6
    )
    assert found["n"] == 3
    assert set(found["parts"]) == {"perceive", "parse", "answer", "prove"}
    assert found["milliseconds_median"] <= found["milliseconds_p95"]
    assert (found["device"], found["num_threads"]) == ("cpu", torch.get_num_threads())
    assert found["peak_process_memory_mib"] == found["peak_memory_mib"] > 1


@pytest.mark.parametrize("num_pairs", [0, 1, 2, 4])
def test_latency_of_few_questions_is_what_there_is(perfect, official_questions, num_pairs):
    belief, program = perfect.beliefs[0], perfect.programs[0]
    found = measure_latency(
        lambda images: [belief], lambda texts: [program], [np.zeros((2, 2, 3))] * num_pairs, ["?"] * num_pairs
    )
    assert found.get("n") == (1 if num_pairs else None)
    shown = table(report(perfect, Prior.fitted(official_questions), latency=found))
    assert ("latency, batch 1" in shown) == bool(num_pairs)


def test_bad_predictions_are_refused(perfect):
    with pytest.raises(InputError, match="a belief per scene"):
        replace(perfect, beliefs=perfect.beliefs[1:])
    with pytest.raises(InputError, match="has no scene"):
        replace(perfect, scenes=perfect.scenes[1:], beliefs=perfect.beliefs[1:])
    unanswered = [{k: v for k, v in q.items() if k != "answer"} for q in perfect.questions]
    with pytest.raises(InputError, match="test split"):
        replace(perfect, questions=unanswered)


def test_both_spellings_of_a_program_are_one():
    theirs = [{"type": "scene", "inputs": [], "_output": [0]}, {"type": "count", "inputs": [0], "side_inputs": []}]
    assert [node["function"] for node in to_released_form(theirs)] == ["scene", "count"]
    assert to_released_form(theirs)[1] == {"function": "count", "inputs": [0], "value_inputs": []}
