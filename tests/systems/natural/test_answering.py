"""Answers to questions about images: command line, report, official metrics, baselines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question, each_question, read_graphs
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.answering.answer import NaturalAnswer, Reading
from nsmodels.systems.natural.answering.judging import fit_verdicts
from nsmodels.systems.natural.answering.posing import Posing, fit_posing
from nsmodels.systems.natural.answering.reasoner import Reasoner, conclude
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.beliefs import belief_of
from nsmodels.systems.natural.evaluation.official import official
from nsmodels.systems.natural.evaluation.scoring import ROWS, score_answers
from nsmodels.systems.natural.evaluation.subject import Subject, read_subject
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.language.task import asked
from nsmodels.systems.natural.reasoning.execution import SoftExecutor
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.replay import check
from nsmodels.systems.natural.reasoning.verdicts import Verdicts
from tests.shared import Shared, Trained
from tests.systems import orders


@pytest.fixture(scope="module")
def trained(shared: Shared) -> Trained:
    return shared.trained("natural", "gqa")


@pytest.fixture(scope="module")
def subject(trained: Trained) -> Subject:
    return read_subject(Reasoner.load(trained.folder, "cpu"), trained.data, "val")


def perfect(subject: Subject) -> Subject:
    """The same questions, with true scenes and true programs in place of what the networks see and read."""
    beliefs = {image: belief_of(graph, subject.reasoner.words) for image, graph in subject.graphs.items()}
    programs = [asked(each, subject.reasoner.parser.grammar).program for each in subject.questions]
    parses = [Parse(program, 1.0) for program in programs]
    return Subject(
        subject.data, "val", subject.questions, subject.num_balanced, subject.graphs, beliefs, parses, subject.reasoner
    )


def test_true_scenes_and_programs_give_every_answer_with_a_proof_that_replays(subject: Subject) -> None:
    best = perfect(subject)
    assert [each.best for each in best.answers] == [each.answer for each in best.questions]
    lexicon = Lexicon(subject.reasoner.words)
    for question, parse in zip(best.balanced, best.parses, strict=False):
        given = conclude(None, question.text, best.beliefs[question.image], parse, lexicon)
        assert given.is_proved, given.text()
        assert given.record()["answer"] == question.answer
        check(given.needed_proof, subject.reasoner.words)


def test_official_metrics_of_perfect_answers_are_perfect(subject: Subject) -> None:
    best = perfect(subject)
    answers = {"ours": [each.best for each in best.answers], "yes": ["yes" for _ in best.questions]}
    scores = official(best, answers, ("ours",))
    ours = scores["ours"]
    assert [ours[name] for name in ("accuracy", "consistency", "validity", "plausibility")] == [100] * 4
    assert ours["distribution"] == 0
    assert ours["grounding"] > 50  # of the attention on the objects that question and answer name
    assert scores["yes"]["accuracy"] < 60
    assert "grounding" not in scores["yes"]


def test_rows_separate_the_errors_of_perception_and_parser(trained: Trained) -> None:
    report = orders.score(SYSTEM, trained.folder, trained.data, num_proofs=20)
    accuracy = {name: row["accuracy"] for name, row in report["rows"].items()}
    assert accuracy[ROWS[0]] == 1
    assert max(accuracy[ROWS[1]], accuracy[ROWS[2]]) >= accuracy[ROWS[3]]
    assert {"chance", "majority", "type_prior", "global_prior", "local_prior", "blind", "cnn_lstm"} == set(
        report["baselines"]
    )
    assert set(report["shifted"]) == {"ood", "unseen"}
    assert report["proofs"]["replayed"] in (None, 1)
    assert report["official"]["blind"]["accuracy"] == pytest.approx(100 * report["baselines"]["blind"]["accuracy"])


def test_the_command_answers_several_questions_as_json(
    trained: Trained, subject: Subject, capsys, tmp_path: Path
) -> None:
    image = image_path(trained.data, subject.balanced[0].image)
    command = ["natural", "answer", "--checkpoint", str(trained.folder), "--image", str(image), "--device", "cpu"]
    status = main([*command, "Is there a dog?", "What color is the cat?", "--json", str(tmp_path / "answers.jsonl")])
    records = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [record["question"] for record in records] == ["Is there a dog?", "What color is the cat?"]
    assert status == (0 if all(record["is_proved"] for record in records) else 1)
    assert all((record["answer"] is None) == bool(record["refusal"]) for record in records)
    assert "read as:" in capsys.readouterr().out


def test_bad_input_of_the_command_is_refused_in_a_line(trained: Trained, tmp_path: Path, capsys) -> None:
    model = ["natural", "answer", "--checkpoint", str(trained.folder), "--image"]
    image = str(image_path(trained.data, next(each_question(trained.data, "val")).image))
    for arguments, message in (
        ([str(tmp_path / "none.jpg"), "Is there a dog?"], "none.jpg"),
        ([image, "?!"], "at least one word"),
        ([image, "Is there a dog?", "Is there a cat?", "--without", "present(o1)"], "--without goes with one question"),
    ):
        assert main([*model, *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_what_is_not_decided_is_not_proved(subject: Subject) -> None:
    question = next(q for q in subject.balanced if (q.types or {})["structural"] == "query")
    program = asked(question, subject.reasoner.parser.grammar).program
    belief = belief_of(read_graphs(subject.data, "val")[question.image], subject.reasoner.words)
    sure = conclude(None, question.text, belief, Parse(program, 1.0), subject.reasoner.lexicon)
    unsure = conclude(None, question.text, belief, Parse(program, 0.3, ("unknown word 'x'",)), subject.reasoner.lexicon)
    assert (sure.is_proved, unsure.is_proved) == (True, False)
    assert sure.confidence == pytest.approx(1)
    assert unsure.record()["answer"] is None
    assert "unknown word 'x'" in unsure.refusal
    blank = NaturalAnswer(None, "", belief, Reading(program, 1.0), subject.answers[0])
    with pytest.raises(InputError, match="proof"):
        _ = blank.needed_proof


def test_priors_are_the_most_frequent_answers_of_type_and_group() -> None:
    def question(number: int, answer: str, semantic: str, whole: str, local: str) -> Question:
        types = {"semantic": semantic, "structural": "query", "detailed": "x"}
        groups = {"global_group": whole, "local_group": local}
        return Question(id=str(number), image="1", text="x", answer=answer, types=types, **groups)

    seen = [("red", "attr", "color", "1"), ("red", "attr", "color", "1"), ("blue", "attr", "color", "2")]
    seen += [("dog", "obj", "animal", "3"), ("cat", "obj", "animal", "3"), ("tall", "attr", "height", "4")]
    priors = Priors.fitted([question(k, *each) for k, each in enumerate(seen)])
    asked_here = [question(0, "", "attr", "height", "2"), question(1, "", "obj", "", "9"), question(2, "", "c", "", "")]
    assert [priors.of_type(each) for each in asked_here] == ["red", "cat", "red"]
    assert [priors.of_global(each) for each in asked_here] == ["tall", "cat", "red"]
    assert [priors.of_local(each) for each in asked_here] == ["blue", "cat", "red"]
    assert priors.chance(asked_here[0]) == pytest.approx(1 / 5)
    with pytest.raises(InputError, match="no training questions"):
        Priors.fitted([])


def test_scores_have_intervals_by_image() -> None:
    types = {"structural": "query", "semantic": "attr", "detailed": "how"}
    questions = [Question(id=str(k), image=str(k // 4), text="x", answer="yes", types=types) for k in range(200)]
    # All four answers about an image are right or all are wrong: the interval is that of 50 images.
    answers = ["yes" if k // 4 % 2 else "no" for k in range(200)]
    row = score_answers(answers, questions)
    low, high = row["interval"]
    assert row["accuracy"] == 0.5
    assert high - low > 1.8 * 1.96 * np.sqrt(0.25 / 200)
    assert row["binary"]["n"] == 0


def test_posing_tells_questions_about_other_images_from_those_about_their_own(subject: Subject) -> None:
    best = perfect(subject)
    posing = fit_posing(best.balanced, best.scenes, best.executors, seed=0)
    assert posing.slope > 0
    assert posing.probability(1.0) > 0.9 > 0.1 > posing.probability(0.0)
    assert Posing().probability(0.3) == pytest.approx(0.3)


def test_verdicts_move_doubtful_truths_and_leave_certain_ones(subject: Subject, tmp_path: Path) -> None:
    best = perfect(subject)
    # Beliefs in which every name is a doubtful one: what is there is found with a low probability.
    vague = {image: replace(b, names=0.1 * b.names + 0.9 / b.names.shape[1]) for image, b in best.beliefs.items()}
    executors = {image: SoftExecutor(belief, best.reasoner.lexicon) for image, belief in vague.items()}
    verdicts = fit_verdicts(best.questions, best.scenes, executors)
    verdicts.write(tmp_path)
    assert Verdicts.read(tmp_path) == verdicts
    asked_here = [(q, p.program) for q, p in zip(best.questions, best.parses, strict=True) if q.answer in ("yes", "no")]

    def share_right(maps: Verdicts) -> float:
        found = [
            SoftExecutor(vague[q.image], best.reasoner.lexicon, maps).answer(program).best for q, program in asked_here
        ]
        return float(np.mean([given == q.answer for given, (q, _) in zip(found, asked_here, strict=True)]))

    assert share_right(verdicts) > share_right(Verdicts()) + 0.1
    exact = [
        SoftExecutor(best.beliefs[q.image], best.reasoner.lexicon, verdicts).answer(program)
        for q, program in asked_here
    ]
    assert [(given.best, given.confidence) for given in exact] == [(q.answer, 1.0) for q, _ in asked_here]
    (tmp_path / "verdicts.json").write_text("{}")
    with pytest.raises(InputError, match=r"verdicts\.json: missing or broken"):
        Verdicts.read(tmp_path)
