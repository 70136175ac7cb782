"""What is perceived as weighted facts, and rules applied to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nsmodels.commands.perceiving import perceiver
from nsmodels.commands.rules import main
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import read_graphs
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.formats.scenes.facts import ScenePredicates
from nsmodels.formats.scenes.perceived import matches
from nsmodels.logic.answers import ask
from nsmodels.logic.program import load
from nsmodels.systems.natural.beliefs import belief_of
from nsmodels.systems.natural.perception.weighted_facts import weighted_facts
from tests.shared import Shared
from tests.systems.natural.examples import WORDS, random_graph


def test_a_certain_belief_has_the_facts_of_its_graph() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        graph = random_graph(rng)
        # a belief numbers its objects from 1, graphs of these examples from 0
        rename = {f"o{thing.id}": f"o{row}" for row, thing in enumerate(graph, start=1)}
        stated = {
            (name, tuple(rename.get(each, each) for each in values))
            for name, values in ScenePredicates(WORDS).facts(graph)
        }
        seen = weighted_facts(belief_of(graph, WORDS))
        assert seen.likely() == stated
        assert set(seen.facts.values()) <= {1.0}
        assert list(seen.names.values()) == [thing.name for thing in graph]


def test_facts_are_as_probable_as_the_objects_and_what_is_said_of_them() -> None:
    graph = next(g for g in map(random_graph, [np.random.default_rng(5)] * 50) if _has_relation(g))
    belief = belief_of(graph, WORDS)
    relations = belief.relations * 0.5
    presence = np.linspace(0.4, 1.0, len(belief)).astype(np.float32)
    seen = weighted_facts(replace(belief, presence=presence, relations=relations))
    predicates = ScenePredicates(WORDS)
    for row, thing in enumerate(graph):
        assert seen.facts[predicates.of_name(thing.name), (f"o{row + 1}",)] == pytest.approx(presence[row])
    name, one, two = (int(each) for each in np.argwhere(belief.relations > 0)[0])
    fact = predicates.of_relation(WORDS.relations[name]), (f"o{one + 1}", f"o{two + 1}")
    assert seen.facts[fact] == pytest.approx(0.5 * presence[one] * presence[two])
    assert fact not in seen.likely()


def _has_relation(graph) -> bool:
    return any(thing.relations for thing in graph)


def test_objects_are_matched_once_and_the_best_first() -> None:
    true = {"a": (0.0, 0.0, 10.0, 10.0), "b": (20.0, 0.0, 10.0, 10.0)}
    found = {"1": (1.0, 0.0, 10.0, 10.0), "2": (0.0, 0.0, 10.0, 10.0), "3": (27.0, 0.0, 10.0, 10.0)}
    assert matches(found, true) == {"2": "a"}


def test_rules_are_asked_about_what_a_model_sees(shared: Shared, capsys: pytest.CaptureFixture[str]) -> None:
    trained = shared.trained("natural", "gqa")
    image = image_path(trained.data, next(iter(read_graphs(trained.data, "val"))))
    words = ["ask", "scenery", "served(X)", "--model", str(trained.folder), "--image", str(image), "--json"]
    (seen,) = perceiver(trained.folder, "cpu")([Path(image)])
    wanted = ask(load("scenery"), seen.facts, "served(X)")
    capsys.readouterr()
    assert main(words) == (0 if wanted else 1)
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["probability"] for each in found] == pytest.approx([each.probability for each in wanted], abs=1e-6)
    assert [line.partition(":")[0] for line in err.splitlines() if line.startswith("o")] == list(seen.boxes)
    with pytest.raises(InputError, match="--model needs --image FILE"):
        main(words[:5])
    with pytest.raises(InputError, match="reads no facts of named objects"):
        main([*words[:4], str(shared.trained("visual", "clevr").folder), *words[5:]])
