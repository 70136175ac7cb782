"""The official accuracy of VQA v2, on answers scored by the official evaluation, and refused input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.__main__ import main
from nsmodels.datasets.vqa.scoring.accuracy import accuracy, score
from nsmodels.datasets.vqa.scoring.normalisation import normalised

DATA = Path(__file__).parents[2] / "data" / "vqa"
GOLDEN = json.loads((DATA / "golden.json").read_text())


def records(answers: list[str], has_ids: bool = True) -> list[dict[str, Any]]:
    return [{"answer": answer} | ({"answer_id": number} if has_ids else {}) for number, answer in enumerate(answers, 1)]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["why"])
def test_the_official_accuracy(case: dict[str, Any]) -> None:
    assert accuracy(case["prediction"], records(case["answers"], case["answer_ids"])) == case["score"]


@pytest.mark.parametrize("case", GOLDEN["normalisation"], ids=lambda case: case["text"])
def test_the_official_normal_form(case: dict[str, str]) -> None:
    assert normalised(case["text"]) == case["normalised"]


def test_the_official_aggregate() -> None:
    questions = GOLDEN["aggregate"]["questions"]
    annotations = [question | {"answers": records(question["answers"])} for question in questions]
    scores = score(annotations, {question["question_id"]: question["prediction"] for question in questions})
    found = scores.as_dict()
    assert found == {name: GOLDEN["aggregate"][name] for name in ("overall", "perAnswerType", "perQuestionType")}
    percents = {question["question_id"]: question["score_percent"] for question in questions}
    assert {key: round(100 * value, 2) for key, value in scores.by_question.items()} == percents


def left_out(prediction: str, answers: list[dict[str, Any]]) -> float:
    """The definition, word by word: who differs as a record, whose answer is equal, a third each."""
    total = 0.0
    for person in answers:
        equal = [one for one in answers if one != person and one["answer"] == prediction]
        total += min(1, len(equal) / 3)
    return total / len(answers)


def test_who_is_left_out_is_decided_by_the_whole_record() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2_000):
        answers = [{"answer": str(rng.choice(["red", "blue", "green"]))} for _ in range(10)]
        for name, values in (("answer_confidence", ["yes", "no"]), ("answer_id", [1, 2, 3, 4, 5])):
            if rng.random() < 0.5:
                answers = [{**each, name: values[rng.integers(len(values))]} for each in answers]
        assert accuracy("red", answers) == left_out("red", answers)


def test_answers_without_text_around_are_compared_clean() -> None:
    assert accuracy("Yes", records([" Yes\n"] * 9 + ["Yes"])) == 1.0  # unanimous once the white space is gone
    assert accuracy("yes", records([" Yes\n"] * 9 + ["Yes"])) == 0.0
    assert accuracy("yes", records([" Yes\n"] * 9 + ["no"])) == 1.0
    with pytest.raises(InputError, match="expected ten"):
        accuracy("yes", [])


# --- files --------------------------------------------------------------------------------------------------------


class Folder:
    """A folder of VQA v2 with two questions of one image and predictions for them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        head = {"info": {}, "license": {}, "data_subtype": "val2014"}
        asked = [{"image_id": 7, "question": "Is it?", "question_id": key} for key in (7000, 7001)]
        kinds = {"question_type": "is it", "answer_type": "yes/no", "multiple_choice_answer": "yes"}
        given = [{"question_id": key, "image_id": 7, **kinds, "answers": records(["yes"] * 10)} for key in (7000, 7001)]
        self.questions: dict[str, Any] = {**head, "questions": asked}
        self.annotations: dict[str, Any] = {**head, "annotations": given}
        self.predictions: Any = [{"question_id": 7000, "answer": "yes"}, {"question_id": 7001, "answer": "no"}]

    def run(self, *flags: str) -> int:
        files = {"v2_OpenEnded_mscoco_val2014_questions.json": self.questions, "results.json": self.predictions}
        files["v2_mscoco_val2014_annotations.json"] = self.annotations
        for name, value in files.items():
            (self.path / name).write_text(value if isinstance(value, str) else json.dumps(value))
        flags = flags or ("--data", str(self.path))
        return main(["score", "--predictions", str(self.path / "results.json"), *flags])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_folder_is_scored(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.run() == 0
    assert capsys.readouterr().out.splitlines() == [
        " 50.00          2  all questions",
        " 50.00          2  answer type: yes/no",
        " 50.00          2  question type: is it",
    ]
    files = {"--annotations": "v2_mscoco_val2014_annotations.json"}
    files["--questions"] = "v2_OpenEnded_mscoco_val2014_questions.json"
    flags = [word for flag, name in files.items() for word in (flag, str(folder.path / name))]
    assert folder.run(*flags, "--json", "--items", str(folder.path / "items.json")) == 0
    assert json.loads(capsys.readouterr().out) == {
        "overall": 50.0,
        "perAnswerType": {"yes/no": 50.0},
        "perQuestionType": {"is it": 50.0},
    }
    assert json.loads((folder.path / "items.json").read_text()) == {"7000": 100.0, "7001": 0.0}


def test_real_annotations_without_types_have_an_overall_score(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answers = {458752000: "mesh", 458752001: "catcher", 458752002: "orange"}
    file = tmp_path / "results.json"
    file.write_text(json.dumps([{"question_id": key, "answer": answer} for key, answer in answers.items()]))
    flags = ["--annotations", str(DATA / "v2_mscoco_train2014_annotations.json")]
    assert main(["score", "--predictions", str(file), *flags]) == 0
    found = capsys.readouterr()
    assert found.out == " 53.33          3  all questions\n"
    assert "has no types of questions or answers" in found.err


def change(what: str, value: Any, *place: Any):
    """A change of one value of a file: `what` is the file, `place` the keys that lead to the value."""

    def act(folder: Folder) -> None:
        if not place:
            setattr(folder, what, value)
            return
        owner = getattr(folder, what)
        for key in place[:-1]:
            owner = owner[key]
        if value is ...:
            del owner[place[-1]]
        else:
            owner[place[-1]] = value

    return act


TEN = records(["yes"] * 10)
FIRST = ("annotations", 0)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (change("predictions", ..., 1), "no prediction for 1 of 2 questions of val2014, the first is question 7001"),
        (change("predictions", 7000, 1, "question_id"), r"\[1\]: question 7000 is answered twice"),
        (change("predictions", 9, 1, "question_id"), "1 of 2 predictions are for no question of val2014.*question 9"),
        (change("predictions", "7001", 1, "question_id"), r"\[1\]: field 'question_id': expected a whole number"),
        (change("predictions", 3, 1, "answer"), r"field 'answer' of question 7001: expected a text, got 3"),
        (change("predictions", None, 1, "answer"), r"field 'answer' of question 7001: expected a text, got None"),
        (change("predictions", ..., 1, "answer"), r"\[1\]: expected a list of .*got an object with 'question_id'"),
        (change("predictions", {"7000": "yes"}), "expected a list of .*, got an object with '7000'"),
        (change("predictions", "[1"), "not JSON"),
        (change("annotations", TEN[:9], *FIRST, "answers"), "expected a list of ten answers, got 9 of them"),
        (change("annotations", [*TEN, TEN[0]], *FIRST, "answers"), "expected a list of ten answers, got 11"),
        (change("annotations", 3, *FIRST, "answers", 2, "answer"), r"answers\[2\]: expected an object with a text"),
        (change("annotations", 8, *FIRST, "image_id"), "field 'image_id': 8, but question 7000 is about image 7 in"),
        (change("annotations", 7001, *FIRST, "question_id"), r"annotations\[1\]: question 7001 is annotated twice"),
        (change("annotations", ..., "annotations", 1), "no annotation of 1 of 2 questions"),
        (change("annotations", 7005, *FIRST, "question_id"), "question 7005 is not in .*questions.json"),
        (change("annotations", ..., *FIRST, "answer_type"), "field 'answer_type' is in some records of the file only"),
        (change("annotations", "train2014", "data_subtype"), "annotations of train2014, but .* questions of val2014"),
        (change("questions", "test2015", "data_subtype"), "questions of test2015, whose answers are not released"),
        (change("questions", 7001, "questions", 0, "question_id"), "question_id 7001 is there twice"),
        (change("questions", "", "questions", 0, "question"), r"questions\[0\]: field 'question': expected a text"),
    ],
)
def test_bad_files_are_one_line(folder: Folder, act: Any, message: str) -> None:
    act(folder)
    with pytest.raises(InputError, match=message):
        folder.run()


def test_splits_and_folders_that_cannot_be_scored(folder: Folder, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with pytest.raises(InputError, match="split 'test2015' has no annotations, so it cannot be scored here"):
        folder.run(*data, "--split", "test2015")
    with pytest.raises(InputError, match=r"train2014_questions.json: missing .splits with annotations: val."):
        folder.run(*data, "--split", "train")
    (tmp_path / "questions").mkdir()
    with pytest.raises(InputError, match=r"has a folder questions/, as GQA and CLEVR have; expected VQA v2"):
        folder.run(*data, "--split", "train")
    with pytest.raises(InputError, match="give one of the two"):
        folder.run("--data", str(tmp_path), "--annotations", str(tmp_path / "results.json"))
    with pytest.raises(InputError, match="expected an object with a list 'annotations'"):
        folder.run("--annotations", str(tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json"))
