"""The official metrics against values computed with the published evaluation."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.scoring.evaluation import report, score_file
from nsmodels.datasets.gqa.scoring.grounding import grounding
from nsmodels.datasets.gqa.scoring.items import item_of
from nsmodels.formats.scenes.graphs import read_graph
from tests.datasets.gqa.released import GOLDEN, GRAPHS, predicted, release, write


def expect(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if isinstance(value, dict):
            assert found[name].keys() == value.keys(), name
            for key, (share, number) in value.items():
                assert found[name][key] == [pytest.approx(share, abs=1e-6), number], (name, key)
        elif name != "printed":
            assert found[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (GOLDEN["predictions"], GOLDEN["expected"]),
        ({key: question["answer"] for key, question in GOLDEN["questions"].items()}, GOLDEN["expected_all_right"]),
        (dict.fromkeys(GOLDEN["questions"], "yes"), GOLDEN["expected_all_yes"]),
    ],
    ids=["random", "right", "yes"],
)
def test_the_metrics_are_the_published_ones(tmp_path: Path, answers: dict[str, str], wanted: dict[str, Any]) -> None:
    scores = score_file(predicted(tmp_path / "p.json", answers), release(tmp_path / "gqa"))
    expect(scores.as_dict(), wanted)
    assert set(wanted.get("printed", ())) <= set(report(scores).splitlines())


def mean(values: Sequence[float]) -> float:
    return 100 * sum(values) / len(values)


def by_the_formulas(predictions: dict[str, str]) -> dict[str, float]:
    """The metrics once more, as the paper words them, one question after the other."""
    questions, choices = GOLDEN["questions"], GOLDEN["choices"]
    balanced = {key: question for key, question in questions.items() if question["isBalanced"]}
    right = {key: predictions[key] == question["answer"] for key, question in questions.items()}
    common = ["color", "material", "shape"]
    allowed = {
        name: [
            predictions[key] in (common if "Common" in question["types"]["detailed"] else choices[key][name])
            for key, question in balanced.items()
        ]
        for name in ("valid", "plausible")
    }
    entailed = {key: [other for other in question["entailed"] if other != key] for key, question in balanced.items()}
    shares = [mean([right[o] for o in others]) / 100 for key, others in entailed.items() if others and right[key]]
    groups = {question["groups"]["global"] for question in balanced.values()} - {None}
    distances, sizes = [], []
    for group in groups:
        members = [key for key, question in balanced.items() if question["groups"]["global"] == group]
        gold = [questions[key]["answer"] for key in members]
        said = [predictions[key] for key in members]
        distances.append(sum((said.count(a) - gold.count(a)) ** 2 / gold.count(a) for a in set(gold)))
        sizes.append(len(members))
    return {
        "accuracy": mean([right[key] for key in balanced]),
        "binary": mean([right[k] for k, q in balanced.items() if q["types"]["structural"] != "query"]),
        "open": mean([right[k] for k, q in balanced.items() if q["types"]["structural"] == "query"]),
        "validity": mean(allowed["valid"]),
        "plausibility": mean(allowed["plausible"]),
        "consistency": mean(shares) if shares else 0.0,
        "distribution": sum(d * n for d, n in zip(distances, sizes, strict=True)) / sum(sizes) / 100,
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_metrics_are_those_of_a_second_implementation(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    answers = sorted({question["answer"] for question in GOLDEN["questions"].values()})
    drawn = {
        key: question["answer"] if rng.random() < 0.5 else rng.choice(answers)
        for key, question in GOLDEN["questions"].items()
    }
    scores = score_file(predicted(tmp_path / "p.json", drawn), release(tmp_path / "gqa")).as_dict()
    for name, value in by_the_formulas(drawn).items():
        assert scores[name] == pytest.approx(value, abs=1e-9), name


def test_grounding_is_the_published_one() -> None:
    for case in GOLDEN["grounding"]["cases"]:
        graph = read_graph(case["imageId"], GRAPHS[case["imageId"]], "here")
        item = item_of("q", case["question"])
        assert grounding(item, graph, case["attention"]) == pytest.approx(case["grounding"], abs=1e-6)


def test_grounding_fixed_adds_the_whole_image_and_takes_boxes() -> None:
    case = copy.deepcopy(GOLDEN["grounding"]["cases"][1])
    graph = read_graph(case["imageId"], GRAPHS[case["imageId"]], "here")
    case["question"]["semantic"] = [
        {"operation": "select", "dependencies": [], "argument": "scene"},
        {"operation": "query", "dependencies": [0], "argument": "place"},
    ]
    case["question"]["annotations"] = {"question": {}, "answer": {}, "fullAnswer": {}}
    item = item_of("q", case["question"])
    assert grounding(item, graph, case["attention"]) == 0
    assert grounding(item, graph, case["attention"], is_fixed=True) == pytest.approx(1, abs=1e-4)
    halves = [[0, 0, 0.5, 1, 0.25], [0.5, 0, 1, 1, 0.75]]
    assert grounding(item, graph, halves, is_fixed=True) == pytest.approx(1, abs=1e-4)


def test_grounding_of_a_file_of_maps(tmp_path: Path) -> None:
    case = GOLDEN["grounding"]["cases"][0]
    question = {**case["question"], "isBalanced": True, "entailed": []}
    root = release(tmp_path / "gqa", {"1": question}, {"1": {"valid": ["yes"], "plausible": ["no"]}})
    answers = predicted(tmp_path / "p.json", {"1": question["answer"]})
    maps = write(tmp_path / "a.json", [{"questionId": "1", "attention": case["attention"]}])
    assert score_file(answers, root, "val", maps).grounding == pytest.approx(100 * case["grounding"], abs=1e-4)
    with pytest.raises(InputError, match="attention maps lack question '1'"):
        score_file(answers, root, "val", write(tmp_path / "b.json", []))


def test_consistency_needs_the_unbalanced_questions_and_says_so(tmp_path: Path) -> None:
    root = release(tmp_path / "gqa")
    balanced = {key for key, question in GOLDEN["questions"].items() if question["isBalanced"]}
    few = {key: answer for key, answer in GOLDEN["predictions"].items() if key in balanced}
    scores = score_file(predicted(tmp_path / "p.json", few), root)
    assert scores.consistency is None
    assert "entailed" in scores.left_out["consistency"]
    assert scores.accuracy == pytest.approx(GOLDEN["expected"]["accuracy"], abs=1e-6)


def test_validity_is_left_out_without_choices(tmp_path: Path) -> None:
    scores = score_file(predicted(tmp_path / "p.json", GOLDEN["predictions"]), release(tmp_path / "gqa", choices=None))
    assert (scores.validity, scores.plausibility) == (None, None)
    assert "Validity: left out, there is no" in report(scores)
    assert scores.consistency == pytest.approx(GOLDEN["expected"]["consistency"], abs=1e-6)


def test_an_empty_group_counts_and_null_does_not(tmp_path: Path) -> None:
    question = next(q for q in GOLDEN["questions"].values() if q["isBalanced"])
    groups = ("", None)
    found = []
    for group in groups:
        asked = {"1": {**question, "groups": {"global": group, "local": "x"}, "answer": "a", "entailed": []}}
        root = release(tmp_path / f"{group}", asked, {"1": {"valid": [], "plausible": []}})
        found.append(score_file(predicted(tmp_path / "p.json", {"1": "b"}), root).distribution)
    assert found == [0.01, 0.0]


Change = Any
FAULTS: list[tuple[Change, str]] = [
    (lambda rows: rows[1:], r"no prediction for 1 balanced questions"),
    (lambda rows: [*rows, rows[0]], r"answered twice"),
    (lambda rows: [*rows, {"questionId": "7", "prediction": "no"}], r"for no question of split 'val'.*'7'"),
    (lambda rows: [{**rows[0], "prediction": 1}, *rows[1:]], r"\[0\], field 'prediction'.*expected a text, got 1"),
    (lambda rows: [{**rows[0], "questionId": 1}, *rows[1:]], r"\[0\], field 'questionId': expected a text"),
    (lambda rows: {"a": rows}, r"expected \[\{"),
    (lambda rows: [*rows, {"question": "7"}], r"expected an item"),
]


@pytest.mark.parametrize(("change", "line"), FAULTS)
def test_a_fault_of_the_predictions_is_one_line(tmp_path: Path, change: Change, line: str) -> None:
    balanced = [key for key, question in GOLDEN["questions"].items() if question["isBalanced"]]
    rows = [{"questionId": key, "prediction": "yes"} for key in balanced]
    path = write(tmp_path / "p.json", change(rows))
    with pytest.raises(InputError, match=line) as caught:
        score_file(path, release(tmp_path / "gqa"))
    assert "p.json" in str(caught.value)


def test_test_splits_and_vqa_folders_are_refused(tmp_path: Path) -> None:
    root = release(tmp_path / "gqa")
    asked = {"1": {"question": "What?", "imageId": "1", "isBalanced": True}}
    write(root / "questions" / "test_balanced_questions.json", asked)
    answers = predicted(tmp_path / "p.json", {"1": "no"})
    with pytest.raises(InputError, match=r"question '1'.*missing; questions of a test split cannot be scored"):
        score_file(answers, root, "test")
    with pytest.raises(InputError, match=r"no split 'vaal' \(there are: val, test\)"):
        score_file(answers, root, "vaal")
    vqa = write(tmp_path / "vqa" / "v2_OpenEnded_mscoco_val2014_questions.json", {}).parent
    with pytest.raises(InputError, match="a folder of VQA v2, expected one of GQA"):
        score_file(answers, vqa)
    (vqa / "sceneGraphs").mkdir()
    (vqa / "sceneGraphs" / "val_sceneGraphs.json").write_text("{}")
    assert main(["gqa", "execute", "--data", str(vqa)]) == 2
    assert json.loads((root / "eval" / "val_choices.json").read_text())
