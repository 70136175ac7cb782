"""The command `nsmodels rules`: verbs, status and lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nsmodels.commands.rules import main
from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import as_json
from nsmodels.logic.program import load
from nsmodels.scenery.composition import compose
from nsmodels.scenery.words import vocabulary

RULES = """
note "for tests".
type object. concept person, wet, rain: object. type weather. concept weather: weather.
0.9 :: wet(X) :- person(X), weather(rainy).
"""
FACTS = [["person", ["bob"], 0.5], ["person", ["ann"]], ["weather", ["rainy"]], ["sun", []]]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "r.rules").write_text(RULES)
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    return tmp_path / "r.rules"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "sceneGraphs").mkdir()
    vocabulary().write(folder)
    for split, number in (("train", 150), ("val", 40)):
        graphs = {graph.image: as_json(graph) for graph in (compose(0, split, k).graph for k in range(number))}
        (folder / f"sceneGraphs/{split}_sceneGraphs.json").write_text(json.dumps(graphs))
    return folder


def test_check(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(rules), "seeds"]) == 0
    first, note, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{rules}: 4 concepts, 1 rules, 0 facts, 3 strata; no fault"
    assert note == "  note: for tests"
    rules.write_text(RULES.replace("person(X)", "persn(X)").replace("0.9", "9") + "wet(X) :- rain(Y).\n")
    assert main(["check", str(rules), "seeds"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].removeprefix(f"{rules}:") for line in lines] == ["4", "4", "5"]


def test_ask(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = ["--facts", str(rules.parent / "facts.json")]
    assert main(["ask", str(rules), "wet(X)", *facts]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "wet(ann)   0.9 (exact), depth 1"
    assert err == f"  note: for tests\nnot used, unknown to {rules}: facts of sun\n"
    assert main(["ask", str(rules), "wet(X)", "--json", *facts]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["fact"], each["probability"]) for each in answers] == [
        (["wet", ["ann"]], 0.9),
        (["wet", ["bob"]], pytest.approx(0.45)),
    ]
    assert main(["ask", str(rules), "rain(X)", *facts]) == 1
    assert main(["ask", str(rules), "wet(X)", "--max-proofs", "0", *facts]) == 0
    assert "given" not in capsys.readouterr().out


def test_ask_about_a_scene(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scenes / "sceneGraphs/train_sceneGraphs.json"
    graphs = json.loads(path.read_text())
    for image, graph in list(graphs.items())[:20]:
        status = main(["ask", "scenery", "busy(X)", "--scene", str(path), "--image", image, "--json"])
        found = {json.loads(line)["fact"][1][0] for line in capsys.readouterr().out.splitlines()}
        holding = {
            f"o{key}"
            for key, thing in graph["objects"].items()
            if any(relation["name"] == "holding" for relation in thing["relations"])
        }
        assert found == holding
        assert status == (0 if found else 1)


def test_learn(scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "learnt.rules"
    words = ["learn", "--data", str(scenes), "--target", "busy", "holding_it", "--rules", "scenery", "--out", str(out)]
    with pytest.raises(InputError, match="no predicate 'holding_it' of one object"):
        main(words)
    words.remove("holding_it")
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "busy(X) :- holding(X, Y)." in printed
    assert "precision 1.000, recall 1.000" in printed
    learnt = load(out)
    assert {rule.head.predicate for rule in learnt.rules} == {"busy"}
    assert learnt.notes == ("learnt from data",)


def test_learn_a_label_that_the_facts_state(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "--data", str(scenes), "--target", "mammal", "--min-examples", "1"]) == 0
    assert "mammal(X) :- " in capsys.readouterr().out
    with pytest.raises(InputError, match="no object is 'mamal'; did you mean mammal"):
        main(["learn", "--data", str(scenes), "--target", "mamal"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--facts", "f.json", "--scene", "s.json"], "give one of --facts, --scene and --model"),
        (["--image", "3"], "--image needs --scene"),
        (["--scene", "nowhere.json"], "missing; expected scene graphs"),
        (["--scene", "{scenes}"], "150 scene graphs; choose one by --image ID"),
        (["--scene", "{scenes}", "--image", "x"], "no image 'x'"),
        (["--num-worlds", "65"], "num_worlds"),
    ],
)
def test_bad_input(rules: Path, scenes: Path, words: list[str], part: str) -> None:
    graphs = str(scenes / "sceneGraphs/train_sceneGraphs.json")
    with pytest.raises(InputError) as raised:
        main(["ask", str(rules), "wet(X)", *(word.format(scenes=graphs) for word in words)])
    assert part in str(raised.value)
