"""The study of rule learning: planted rules over composed scenes, wrong facts and labels, the sealed report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.formats.scenes.facts import ScenePredicates, constant_of
from nsmodels.formats.scenes.graphs import SceneGraph, as_json
from nsmodels.formats.scenes.perceived import PerceivedScene
from nsmodels.logic.program import load
from nsmodels.scenery.composition import compose
from nsmodels.scenery.rule_learning.config import RuleStudyConfig, debug
from nsmodels.scenery.rule_learning.examples import derived, derived_by_rule, scenes_of
from nsmodels.scenery.rule_learning.measuring import Agreement, agreement, equal_rules
from nsmodels.scenery.rule_learning.perceiving import perceived
from nsmodels.scenery.rule_learning.questions import draw_questions
from nsmodels.scenery.rule_learning.seeing import SeenScenes
from nsmodels.scenery.rule_learning.study import study
from nsmodels.scenery.words import vocabulary

PREDICATES = ScenePredicates(vocabulary())


@pytest.fixture(scope="module")
def graphs() -> dict[str, list[SceneGraph]]:
    return {split: [compose(0, split, k).graph for k in range(n)] for split, n in (("train", 300), ("val", 100))}


@pytest.fixture(scope="module")
def folder(graphs: dict[str, list[SceneGraph]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    (place / "sceneGraphs").mkdir()
    vocabulary().write(place)
    for split, some in graphs.items():
        text = json.dumps({graph.image: as_json(graph) for graph in some})
        (place / f"sceneGraphs/{split}_sceneGraphs.json").write_text(text)
    return place


def facts_of(graph: SceneGraph) -> Counter[str]:
    """Names, attributes and relations of a graph, each as a text."""
    found = Counter(f"{thing.id} {thing.name}" for thing in graph)
    found.update(f"{thing.id} {value}" for thing in graph for value in thing.attributes)
    found.update(f"{thing.id} {each.name} {each.target}" for thing in graph for each in thing.relations)
    return found


def test_as_many_facts_are_wrong_as_asked(graphs: dict[str, list[SceneGraph]]) -> None:
    chance = np.random.default_rng(0)
    for share in (0.0, 0.05, 0.2):
        total = missing = invented = 0
        for graph in graphs["train"]:
            true, seen = facts_of(graph), facts_of(perceived(graph, vocabulary(), share, chance))
            total, missing = total + true.total(), missing + (true - seen).total()
            invented += (seen - true).total()
        assert missing / total == pytest.approx(share, rel=0.1)
        assert invented / total == pytest.approx(share, rel=0.15)


def test_inverse_relations_are_seen_alike(graphs: dict[str, list[SceneGraph]]) -> None:
    words = vocabulary()
    graph = perceived(graphs["train"][0], words, 0.5, np.random.default_rng(1))
    stated = {(thing.id, each.name, each.target) for thing in graph for each in thing.relations}
    assert stated == stated | {(t, words.inverses[n], o) for o, n, t in stated if n in words.inverses}


def test_labels_by_rule(graphs: dict[str, list[SceneGraph]]) -> None:
    program, scenes = load("scenery"), scenes_of(graphs["train"][:100], vocabulary())
    by_rule = derived_by_rule(program, "busy", scenes)
    holding = [any(each.name == "holding" for each in thing.relations) for g in graphs["train"][:100] for thing in g]
    assert len(by_rule) == 1
    assert derived(program, "busy", scenes).tolist() == holding


def test_agreement() -> None:
    found, truth = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert agreement(found, truth) == Agreement(1, 2, 2)
    assert (agreement(found, truth) + Agreement(1, 1, 2)).recall == 0.5
    assert equal_rules([found, truth], [truth, ~truth]) == (1, 1)


def test_the_study_is_sealed_with_its_report_and_figure(folder: Path, tmp_path: Path) -> None:
    config = RuleStudyConfig(
        targets=["busy", "served"], num_scenes=[30, 300], wrong_shares=[0.0, 0.3], num_held_out=100, seeds=[0]
    )
    order = Order("rule_learning", config, Inputs.of(folder), tmp_path / "rule_learning")
    manifest = study(order, vocabulary())
    assert manifest == read_manifest(order.folder)
    expected = {"report.json", "table.txt", "learnt.rules", "figures/rule_learning.pdf", "figures/rule_learning.png"}
    assert manifest.files.keys() == expected
    report = json.loads((order.folder / "report.json").read_text())
    (few, many), (right, wrong) = report["by_scenes"], report["by_wrong_facts"]
    assert report["targets"] == {"busy": 1, "served": 2}
    assert many["num_planted"] == 3
    assert many["rule_precision"] == many["rule_recall"] == 1.0
    assert few["rule_recall"] < 1.0
    assert right["labels_recall"] == right["perceived_recall"] == 1.0
    assert wrong["perceived_recall"] < 0.9
    assert many["baseline_recall"] < 0.9
    assert "busy(X) :- holding(X, Y)." in (order.folder / "learnt.rules").read_text()
    assert study(order, vocabulary()) == manifest


def test_data_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    for values, part in [
        ({"num_scenes": [301]}, "300 scenes, field 'num_scenes' asks for 301"),
        ({"targets": ["holding"]}, "derives no 'holding' of one object"),
        ({"rules": "nowhere"}, "give a rule file, or one of gqa, scenery, seeds"),
    ]:
        config = debug().with_values(values)
        with pytest.raises(InputError) as raised:
            study(Order("r", config, Inputs.of(folder), tmp_path / "r"), vocabulary())
        assert part in str(raised.value)


# --- facts of a perception, and questions that only rules answer --------------------------------------------------


def seen_as_it_is(graph: SceneGraph) -> PerceivedScene:
    """Every true fact with certainty, about objects of other constants in the reverse order."""
    rename = {constant_of(thing): f"o{k}" for k, thing in enumerate(reversed(graph.things), start=1)}
    facts = {(name, tuple(rename.get(each, each) for each in values)): 1.0 for name, values in PREDICATES.facts(graph)}
    boxes = {rename[constant_of(each)]: (each.box.x, each.box.y, each.box.w, each.box.h) for each in graph}
    return PerceivedScene(facts, dict(sorted(boxes.items())))


def without_first(seen: PerceivedScene) -> PerceivedScene:
    """The same with its first object unlikely, and a thing that is not there."""
    gone = min(seen.boxes)
    facts = {fact: 0.3 if gone in fact[1] else p for fact, p in seen.facts.items()}
    facts |= {("object", ("o99",)): 0.9, ("person", ("o99",)): 0.9}
    return PerceivedScene(facts, {**seen.boxes, "o99": (-90.0, -90.0, 20.0, 20.0)})


def test_labels_of_perceived_objects_are_those_of_the_objects_that_they_are(
    graphs: dict[str, list[SceneGraph]],
) -> None:
    some, program = graphs["train"][:60], load("scenery")
    truth = derived(program, "served", scenes_of(some, vocabulary()))
    seen = SeenScenes(some, [seen_as_it_is(graph) for graph in some])
    found = derived(program, "served", seen.scenes)
    assert found.sum() > 0
    assert np.array_equal(found, seen.labels(truth))
    assert seen.agreement(found, truth) == Agreement(truth.sum(), truth.sum(), truth.sum())
    assert seen.facts_right(PREDICATES).recall == seen.facts_right(PREDICATES).precision == 1
    worse = SeenScenes(some, [without_first(each) for each in seen.seen])
    assert [len(each.objects) for each in worse.scenes] == [len(graph.things) for graph in some]
    assert (worse.places == -1).sum() == len(some)
    everything = np.ones(len(worse.places), bool)
    assert worse.agreement(everything, np.ones(len(truth), bool)).num_right == len(truth) - len(some)
    assert worse.facts_right(PREDICATES).precision < 1
    assert worse.facts_right(PREDICATES).recall < 0.9


def test_a_perception_without_error_is_as_good_as_the_truth(folder: Path, tmp_path: Path) -> None:
    config = RuleStudyConfig(
        targets=["busy", "served"], num_scenes=[300], wrong_shares=[], num_perceived=[30, 300, 3_000], seeds=[0]
    )
    config = config.with_values({"num_held_out": 100, "model": "a model"})
    order = Order("rule_learning", config, Inputs.of(folder), tmp_path / "rule_learning")
    study(order, vocabulary(), lambda some: [seen_as_it_is(graph) for graph in some])
    report = json.loads((order.folder / "report.json").read_text())
    (true,), (few, many) = report["by_scenes"], report["by_perceived"]
    assert (few["perceived"], many["perceived"]) == (30, 300)  # there are no 3,000 scenes
    names = ["rule_precision", "rule_recall", "labels_recall", "perceived_precision", "perceived_recall", "num_learnt"]
    assert [many[name] for name in names] == [true[name] for name in names]
    assert report["perceived_facts"] == {"precision": 1.0, "recall": 1.0}
    assert "busy(X) :- holding(X, Y)." in (order.folder / "perceived.rules").read_text()
    rows = report["questions"]["rows"]
    for facts in ("true", "perceived"):
        assert rows[f"rules given, {facts} facts"] == {"is": 1.0, "what": 1.0}
        assert rows[f"rules learnt, {facts} facts"] == {"is": 1.0, "what": 1.0}
        assert rows[f"without rules, {facts} facts"] == rows["prior"]
    assert rows["prior"]["is"] == rows["chance"]["is"] == 0.5
    assert 0 < rows["chance"]["what"] < 0.5
    assert "Is the dog wet?" in (order.folder / "table.txt").read_text()


def test_questions_are_about_single_things_and_balanced(graphs: dict[str, list[SceneGraph]]) -> None:
    some, program = graphs["train"], load("scenery")
    labels = {name: derived(program, name, scenes_of(some, vocabulary())) for name in ("served", "busy")}
    asked = draw_questions(some, labels, 20, np.random.default_rng(0))
    first = np.cumsum([0, *(len(graph.things) for graph in some)])
    for question in asked:
        things, has = some[question.scene].things, labels[question.target][first[question.scene] :]
        named = [k for k, thing in enumerate(things) if thing.name == (question.name or question.answer)]
        if question.name:
            assert len(named) == 1
            assert question.answer == ("yes" if has[named[0]] else "no")
        else:
            assert [k for k in range(len(things)) if has[k]] == [k for k in named if has[k]] != []
    for target in labels:
        answers = Counter(each.answer for each in asked if each.target == target and each.name)
        assert answers["yes"] == answers["no"] == 10
