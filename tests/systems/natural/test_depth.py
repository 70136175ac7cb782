"""Accuracy by steps, consistency, objects by name: against the official metrics; the figures of an evaluation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import Box, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.beliefs import belief_of
from nsmodels.systems.natural.evaluation import figures
from nsmodels.systems.natural.evaluation.depth import by_steps, consistency
from nsmodels.systems.natural.evaluation.official import official
from nsmodels.systems.natural.evaluation.studies.scoring import object_outcomes
from nsmodels.systems.natural.evaluation.subject import Subject, read_subject
from nsmodels.systems.natural.perception import frequencies
from nsmodels.systems.natural.perception.labels import LabelSpace, Photograph
from tests.shared import Shared, Trained

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trained(shared: Shared) -> Trained:
    return shared.trained("natural", "gqa")


@pytest.fixture(scope="module")
def subject(trained: Trained) -> Subject:
    return read_subject(Reasoner.load(trained.folder, "cpu"), trained.data, "val")


@pytest.fixture(scope="module")
def answers(subject: Subject) -> dict[str, list[str]]:
    """Answers of which some are right."""
    rng = np.random.default_rng(0)
    guesses = [[q.answer if rng.random() < share else "?" for q in subject.questions] for share in (0.8, 0.4)]
    return {"good": guesses[0], "poor": guesses[1]}


def test_steps_and_consistency_agree_with_the_official_metrics(subject: Subject, answers: dict[str, list[str]]) -> None:
    wanted, steps, found = official(subject, answers, ()), by_steps(subject, answers), consistency(subject, answers)
    for name in answers:
        table = {k: (100 * row["accuracy"], row["n"]) for k, row in steps[name].items()}
        assert table.keys() == wanted[name]["accuracyPerSteps"].keys()
        for key, pair in wanted[name]["accuracyPerSteps"].items():
            assert table[key] == pytest.approx(tuple(pair))
        assert 100 * found[name]["accuracy"] == pytest.approx(wanted[name]["consistency"])
        assert sum(row["n"] for row in found[name]["by_structural"].values()) == found[name]["n"]
    few = replace(subject, questions=subject.balanced)
    assert consistency(few, {"good": answers["good"][: subject.num_balanced]}) == {}  # entailed ones are missing


def test_only_the_first_images_are_read_where_that_is_asked(trained: Trained, subject: Subject) -> None:
    few = read_subject(subject.reasoner, trained.data, "val", 3, has_unbalanced=False)
    images = list(dict.fromkeys(question.image for question in subject.balanced))[:3]
    assert set(few.graphs) == set(images)
    assert [q.id for q in few.questions] == [q.id for q in subject.balanced if q.image in images]


def test_objects_are_judged_by_name_by_rarity_and_within_their_class() -> None:
    names = ("dog", "cat", "cow", "table")
    parents = dict.fromkeys(names[:3], ("pet", "animal")) | {"table": ("furniture",)}
    space = LabelSpace(SceneVocabulary(names=names, parents=parents, attributes={}), ())
    things = tuple(Thing(str(k), name, Box(50 * k, 5, 30, 30)) for k, name in enumerate(names))
    graph = SceneGraph("7", 300, 100, things)
    # The dog is read right, the cat as a cow, the cow as a table; the table is missed.
    seen = [replace(thing, name=name) for thing, name in zip(things[:3], ("dog", "cow", "table"), strict=True)]
    read = belief_of(replace(graph, things=tuple(seen)), space.words)
    counts = {"dog": 9, "cat": 1, "cow": 9, "table": 9}
    found = {each.metric: each for each in object_outcomes([Photograph("a.jpg", graph)], [read], space, counts, "val")}
    assert found["objects"].scores.tolist() == [1, 0, 0, 0]
    assert found["class_errors"].scores.tolist() == [0, 1, 0, 0]
    assert found["class_errors"].direction == "lower"
    assert found["rare_objects"].items == ["7/1"]  # of four names one is rare, the cat
    assert found["rare_objects"].scores.tolist() == [0]


def test_a_checkpoint_has_the_frequencies_of_names_in_its_training_images(trained: Trained, tmp_path: Path) -> None:
    graphs = json.loads((trained.data / "sceneGraphs" / "train_sceneGraphs.json").read_text())
    images = list(graphs.values())[: trained.config_of(trained.system.stages[-1]).max_images]
    found = frequencies.read(trained.folder)
    assert sum(found.values()) == sum(len(graph["objects"]) for graph in images)
    assert frequencies.read(tmp_path) == {}
    (tmp_path / frequencies.FILE).write_text("[1]")
    with pytest.raises(InputError, match=r"names\.json: cannot be read"):
        frequencies.read(tmp_path)


def test_figures_are_drawn_from_a_sealed_evaluation_alone(
    subject: Subject, answers: dict[str, list[str]], tmp_path: Path
) -> None:
    about = {"source": "synthetic GQA", "split": "val", "num_questions": subject.num_balanced, "seed": 0}
    report = {"data": about, "steps": by_steps(subject, answers), "consistency": consistency(subject, answers)}
    folder = tmp_path / "gqa_mini_evaluation"
    with artifact.build(folder, key="e", maker="m", config={}, code_version="1", source="synthetic GQA") as part:
        (part.path / "report.json").write_text(json.dumps(report))
    for draw in (figures.reasoning_depth, figures.consistency):
        made = tmp_path / f"gqa_{draw.__name__}"
        draw(folder, made, folder.name)
        assert {path.suffix for path in made.iterdir()} == {".pdf", ".png", ".json"}
        assert b"/FontFile2" in (made / f"{draw.__name__}.pdf").read_bytes()  # embedded, as TrueType
    (folder / "report.json").write_text(json.dumps({"data": about}))
    with pytest.raises(InputError, match=r"report\.json"):
        figures.consistency(folder, tmp_path / "again", folder.name)
