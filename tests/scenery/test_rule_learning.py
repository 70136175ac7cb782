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
from nsmodels.formats.scenes.graphs import SceneGraph, as_json
from nsmodels.logic.program import load
from nsmodels.scenery.composition import compose
from nsmodels.scenery.rule_learning.config import RuleStudyConfig, debug
from nsmodels.scenery.rule_learning.examples import derived, derived_by_rule, scenes_of
from nsmodels.scenery.rule_learning.measuring import Agreement, agreement, equal_rules
from nsmodels.scenery.rule_learning.perceiving import perceived
from nsmodels.scenery.rule_learning.study import study
from nsmodels.scenery.words import vocabulary


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
    manifest = study(order)
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
    assert study(order) == manifest


def test_data_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    for values, part in [
        ({"num_scenes": [301]}, "300 scenes, field 'num_scenes' asks for 301"),
        ({"targets": ["holding"]}, "derives no 'holding' of one object"),
        ({"rules": "nowhere"}, "give a rule file, or one of gqa, scenery, seeds"),
    ]:
        config = debug().with_values(values)
        with pytest.raises(InputError) as raised:
            study(Order("r", config, Inputs.of(folder), tmp_path / "r"))
        assert part in str(raised.value)
