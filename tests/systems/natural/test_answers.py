"""Answers of ten people: what questions name, soft targets, attention, symbolic first, the official score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.gqa.programs.parsing import parse_text
from nsmodels.datasets.vqa.files.names import annotations_name, image_name, questions_name
from nsmodels.datasets.vqa.scoring.accuracy import accuracy
from nsmodels.datasets.vqa.scoring.predictions import score_files
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.formats.images.commands import KEYS
from nsmodels.formats.scenes.graphs import Box, SceneGraph, Thing
from nsmodels.layers.answers.batches import Pictures
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.answering.choosing.features import FeatureShape, cached_features, read_features
from nsmodels.systems.natural.answering.choosing.network import AnswerNetwork
from nsmodels.systems.natural.answering.choosing.questions import EncodedQuestions, Nouns, encoded_asked, read_asked
from nsmodels.systems.natural.answering.choosing.task import choose
from nsmodels.systems.natural.answering.reasoner import conclude
from nsmodels.systems.natural.answering.respondent import Respondent, Response, is_decisive
from nsmodels.systems.natural.beliefs import belief_of
from nsmodels.systems.natural.config import AnswersConfig, NaturalEvaluation
from nsmodels.systems.natural.evaluation.several import joined
from nsmodels.systems.natural.evaluation.vqa.evaluate import answer_split, score
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of
from nsmodels.systems.natural.perception.calibration import load_calibrated
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from tests.shared import Shared, Trained
from tests.systems.natural.examples import WORDS

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPE = FeatureShape(
    objects=3, features=8, names=len(WORDS.names), values=11, scene=4, crop=2, map_width=2, map_height=2, channels=5
)
ANSWERS = ("yes", "no", "dog", "cat", "red", "2")


@pytest.fixture(scope="module")
def trained(shared: Shared) -> Trained:
    return shared.trained("natural", "vqa")


def records(num: int, seed: int = 0) -> np.ndarray:
    rng, found = np.random.default_rng(seed), np.zeros(num, SHAPE.record)
    for name in found.dtype.names or ():
        part = found[name]
        is_bytes = part.dtype == np.uint8
        found[name] = rng.integers(0, 256, part.shape) if is_bytes else rng.random(part.shape)
    found["presence"] = 0.9
    return found


def network(**values) -> AnswerNetwork:
    torch.manual_seed(0)
    config = AnswersConfig(embedding_dim=8, hidden_dim=8, object_dim=8, num_heads=2, answer_dim=16, dropout=0.0)
    words = Vocabulary.from_questions([words_of("what color is the dog or cat how many red")])
    return AnswerNetwork(config.with_values(values), SHAPE, WORDS, words.words, ANSWERS).eval()


def test_questions_name_nouns_and_values_in_order() -> None:
    nouns = Nouns(WORDS)

    def named(text: str) -> tuple[list[str], list[str]]:
        found, values = nouns.find(words_of(text))
        return [(*nouns.nouns, "")[k] for k in found], [(*nouns.values, "")[k] for k in values]

    assert named("Is the red cat to the left of the dog?") == (["cat", "dog"], ["red", "", ""])
    assert named("How many animals are there?") == (["animal", ""], ["", "", ""])
    assert named("Is the red pepper green or brown?") == (["red pepper", ""], ["red", "green", "brown"])
    animal = nouns.meant[nouns.nouns.index("animal")]
    assert [name for name, is_meant in zip(WORDS.names, animal, strict=True) if is_meant] == ["dog", "cat"]
    assert not nouns.meant[-1].any()


def test_soft_targets_are_what_the_official_evaluation_gives(shared: Shared) -> None:
    data = shared.data("vqa")
    asked, answers = read_asked(data, "train"), AnswerVocabulary.read(data)
    words = Vocabulary.from_questions(words_of(question.text) for question in asked.questions)
    encoded = encoded_asked(asked, words, answers, Pictures.none(len(asked.paths)))
    rows = np.arange(0, len(asked), 5)
    targets = encoded.batch(rows).answers
    for row, target in zip(rows.tolist(), targets, strict=True):
        wanted = [accuracy(answer, asked.annotations[row]["answers"]) for answer in answers.answers]
        assert target.tolist() == pytest.approx(wanted, abs=1e-6)
    assert {round(each, 2) for each in targets.unique().tolist()} <= {0.0, 0.3, 0.6, 0.9, 1.0}


def test_without_cross_attention_it_has_fewer_parameters_and_no_eye_for_what_is_asked() -> None:
    asked = [(0, "what color is the dog"), (0, "how many cat")]
    sizes, changes = {}, {}
    for has_attention in (True, False):
        model = network(cross_attention=has_attention)
        respondent = Respondent(torch.nn.Identity(), model, None)  # type: ignore[arg-type]
        sizes[has_attention] = sum(p.numel() for p in model.parameters())
        credit, attention = respondent.choose(records(1), asked)
        assert attention.shape[1] == (SHAPE.objects + SHAPE.cells + 1 if has_attention else 0)
        if has_attention:
            assert attention.sum(1) == pytest.approx([1, 1], abs=1e-4)
        swapped = records(1)
        swapped["names"] = swapped["names"][:, :, ::-1]
        moved = respondent.choose(swapped, asked)[0] - credit
        changes[has_attention] = np.abs(moved).max()
    assert sizes[False] < sizes[True] / 1.3
    assert changes[True] > 0
    # An object that is not there is never read.
    model, absent = network(), records(1)
    absent["presence"][:, 2] = 0
    other = absent.copy()
    other["features"][:, 2] = 7
    respondent = Respondent(torch.nn.Identity(), model, None)  # type: ignore[arg-type]
    assert respondent.choose(absent, asked)[0] == pytest.approx(respondent.choose(other, asked)[0])


def test_a_question_is_answered_the_same_whatever_is_asked_beside_it() -> None:
    respondent = Respondent(torch.nn.Identity(), network(), None)  # type: ignore[arg-type]
    images = records(3)
    asked = [(2, "what color is the dog"), (0, "how many cat"), (2, "is the dog or cat red"), (1, "dog")]
    together = respondent.choose(images, asked)[0]
    alone = [respondent.choose(images, [each])[0][0] for each in asked]
    assert together == pytest.approx(np.stack(alone), abs=1e-5)


def scene() -> SceneGraph:
    return SceneGraph("1", 100, 80, (Thing("1", "dog", Box(10, 10, 30, 30), ("brown",)),))


@pytest.mark.parametrize(
    ("probability", "doubts", "decides"), [(0.99, (), True), (0.6, (), False), (0.99, ("unknown word 'so'",), False)]
)
def test_symbolic_first(probability: float, doubts: tuple[str, ...], decides: bool) -> None:
    belief = belief_of(scene(), WORDS)
    program = parse_text("select: dog (1)->query: color [0]")
    given = conclude(None, "What color is the dog?", belief, Parse(program, probability, doubts), Lexicon(WORDS))
    assert is_decisive(given) is decides
    respondent = Respondent(torch.nn.Identity(), network(), None)  # type: ignore[arg-type]
    respondent.perception.space = replace_space()  # type: ignore[assignment]
    credit, attention = np.array([0.1, 0.2, 0.7, 0.1, 0.3, 0.1]), np.array([0.1, 0.6, 0.0, 0.3, 0, 0, 0, 0])
    response = respondent._response(None, given.question, given, credit, attention, records(1)[0])
    assert response.is_proved is decides
    assert response.answer == ("brown" if decides else "dog")
    assert response.chosen == ("dog", 0.7)
    assert ("not proved" in response.text()) is not decides
    assert [round(each.weight, 3) for each in response.evidence] == [0.6, 0.3, 0.1]
    assert [bool(each.name) for each in response.evidence] == [True, False, True]
    assert response.record()["is_proved"] is decides


def replace_space():
    from nsmodels.systems.natural.perception.labels import LabelSpace

    return LabelSpace(WORDS)


def test_features_are_those_of_the_image_and_kept(trained: Trained, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    monkeypatch.setattr("nsmodels.systems.natural.answering.choosing.features.SMALLEST_CACHE", 2)
    model = load_calibrated(trained.folder, "cpu")
    asked = read_asked(trained.data, "val")
    shape = FeatureShape.of(model, AnswersConfig(max_objects=4, map_width=2, map_height=2))
    kept = cached_features(model, "weights", asked.paths, shape, 0)
    assert isinstance(kept, np.memmap)
    files = list((tmp_path / ".cache").glob("features_*.npy"))
    again = cached_features(model, "weights", asked.paths, shape, 0)
    assert list((tmp_path / ".cache").glob("features_*.npy")) == files
    assert (again["cells"] == kept["cells"]).all()
    from nsmodels.formats.images.cache import read_image

    pixels = np.stack([read_image(asked.paths[1], model.config.image_width, model.config.image_height)])
    alone = read_features(model, pixels, shape)[0]
    for name in ("presence", "names", "cells", "patches", "scene"):
        assert alone[name].astype(float) == pytest.approx(kept[1][name].astype(float), abs=2e-2), name
    assert (np.diff(kept["presence"].astype(float), axis=1) <= 0).all()  # the most certain first


def test_the_report_has_the_official_scores(trained: Trained, tmp_path: Path) -> None:
    order = Order(
        "evaluation",
        NaturalEvaluation(device="cpu"),
        Inputs.of(trained.data, model=("model", trained.folder)),
        tmp_path / "evaluation",
    )
    result = score(order)
    respondent = Respondent.load(trained.folder, "cpu")
    found = answer_split(respondent, {}, AnswerVocabulary.read(trained.folder), trained.data, "val")
    predictions = [
        {"question_id": question.id, "answer": answer}
        for question, answer in zip(found.asked.questions, found.answers, strict=True)
    ]
    (tmp_path / "predictions.json").write_text(json.dumps(predictions))
    places = (trained.data / name("val") for name in (annotations_name, questions_name))
    official = score_files(tmp_path / "predictions.json", *places)
    row = result.report["rows"]["symbolic_first"]
    assert row["official"] == official.as_dict()
    assert 100 * row["score"] == pytest.approx(official.overall.percent, abs=0.006)
    assert result.outcomes[0].mean == pytest.approx(row["score"])
    for kind, mean in official.by_answer_type.items():
        assert 100 * row["by_answer_type"][kind]["score"] == pytest.approx(mean.percent, abs=0.006)
    assert result.report["ceilings"]["vocabulary"]["score"] >= max(
        each["score"] for each in result.report["baselines"].values()
    )
    assert f"{official.overall.percent:.2f} %" in result.table


def test_a_checkpoint_of_one_dataset_does_not_score_the_other(trained: Trained, shared: Shared) -> None:
    order = Order(
        "evaluation",
        NaturalEvaluation(device="cpu"),
        Inputs.of(shared.data("gqa"), model=("model", trained.folder)),
        trained.root,
    )
    with pytest.raises(InputError, match="has not learnt to answer GQA"):
        SYSTEM.score(order)


def test_answers_are_printed_with_their_evidence(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    asked = read_asked(trained.data, "val")
    image = trained.data / image_name("val", asked.questions[0].image)
    command = ["natural", "answer", "--checkpoint", str(trained.folder), "--image", str(image), "--device", "cpu"]
    assert main([*command, "Is there a dog?"]) == 1
    out = capsys.readouterr().out
    assert "(not proved: the checkpoint reads no programs)" in out
    assert out.count("seen: ") == 3
    assert main([*command, "--json", "-", "Is there a dog?"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["answer"] == record["chosen"]["answer"]
    assert set(KEYS) <= set(record)
    assert main([*command, "--without", "dog(o1)", "Is there a dog?"]) == 2


def test_a_trained_network_answers_as_it_is_asked(trained: Trained) -> None:
    respondent = Respondent.load(trained.folder, "cpu")
    asked, answers = read_asked(trained.data, "val"), AnswerVocabulary.read(trained.folder)
    seen = respondent.see(asked.paths)
    network = respondent.network
    encoded = EncodedQuestions(asked, network.vocabulary, answers, network.nouns, Pictures.records(seen.records).of)
    credit, _ = choose(network, encoded)
    questions = [(int(place), each.text) for place, each in zip(asked.places, asked.questions, strict=True)]
    responses: list[Response] = respondent.answer(seen, questions, asked.paths)
    assert [each.answer for each in responses] == [network.answers[k] for k in credit.argmax(1)]


def test_an_evaluation_of_both_keeps_the_figures_and_outcomes_of_each() -> None:
    drawn: list[str] = []

    def scored(metric: str, value: float) -> EvaluationResult:
        outcomes = Outcomes(metric, "val", ["a", "b"], ["i", "j"], np.full(2, value))
        metrics = {metric: value, "baseline/chance": 0.1, f"{metric}/detail": 0.2}
        report = {"rows": {metric: {"score": value}}, "headline": metric}
        return EvaluationResult(report, f"table of {metric}", [outcomes], metrics, lambda _: drawn.append(metric))

    both = joined({"gqa": scored("accuracy", 0.5), "vqa": scored("vqa_score", 0.25)})
    assert [(each.metric, each.mean) for each in both.outcomes] == [("accuracy", 0.5), ("vqa_score", 0.25)]
    assert both.report["headline"] == "accuracy"
    assert both.report["vqa"]["rows"] == {"vqa_score": {"score": 0.25}}
    assert both.metrics["accuracy"] == 0.5
    assert both.metrics["vqa_score"] == both.metrics["vqa/vqa_score"] == 0.25
    assert both.metrics["vqa/baseline/chance"] == both.metrics["baseline/chance"] == 0.1
    assert both.table == "table of accuracy\n\ntable of vqa_score"
    both.draw(None)  # type: ignore[arg-type]
    assert drawn == ["accuracy", "vqa_score"]
