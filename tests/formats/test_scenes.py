"""Scene graphs: the released form and back, errors that name the place, the vocabulary as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import LEFT, Box, Relation, SceneGraph, Thing, as_json, read_graph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

GRAPH = SceneGraph(
    image="n578564",
    width=500,
    height=333,
    things=(
        Thing("7", "dog", Box(10, 20, 30, 41), ("brown", "small"), (Relation(LEFT, "8"),)),
        Thing("8", "tree", Box(90, 5, 60, 200), ("green", "brown")),
    ),
    location="park",
)
WORDS = SceneVocabulary(
    names=("dog", "tree"),
    parents={"dog": ("animal",)},
    attributes={"color": ("green", "brown"), "size": ("small",)},
    relations=(LEFT,),
    plurals={"dog": "dogs", "animal": "animals"},
)


def test_a_graph_survives_its_released_form() -> None:
    document = as_json(GRAPH)
    assert read_graph("n578564", document, "file") == GRAPH
    assert document["objects"]["7"]["relations"] == [{"name": LEFT, "object": "8"}]
    assert "weather" not in document
    assert GRAPH.by_id["7"].box.centre == (25, 40.5)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"width": 0}, "field 'width': expected a whole number from 1 on, got 0"),
        ({"objects": []}, "field 'objects': expected a JSON object, got list"),
        ({"weather": 3}, "field 'weather': expected a string, got 3"),
    ],
)
def test_a_malformed_graph_is_refused_by_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=r"file: image 'n578564'") as caught:
        read_graph("n578564", as_json(GRAPH) | change, "file")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"x": "1"}, "object '7', field 'x': expected a whole number, got '1'"),
        ({"attributes": "brown"}, "field 'attributes': expected a list of strings, got 'brown'"),
        ({"relations": [{"name": "on", "object": "9"}]}, "'on' names object '9', expected one of the 2 objects"),
        ({"relations": [{"name": "on"}]}, "field 'object': expected a string, got None"),
    ],
)
def test_a_malformed_object_is_refused_by_field(change: dict[str, Any], named: str) -> None:
    document = as_json(GRAPH)
    document["objects"]["7"] |= change
    with pytest.raises(InputError) as caught:
        read_graph("n578564", document, "file")
    assert named in str(caught.value)


def test_words_of_scenes_survive_their_file(tmp_path: Path) -> None:
    WORDS.write(tmp_path)
    assert SceneVocabulary.read(tmp_path) == WORDS


def test_a_name_is_its_categories_and_their_plurals() -> None:
    assert all(WORDS.is_a("dog", what) for what in ("dog", "dogs", "animal", "animals"))
    assert not WORDS.is_a("tree", "animal")
    assert WORDS.type_of["small"] == "size"


@pytest.mark.parametrize(("text", "named"), [("{", "not JSON"), ('{"nouns": []}', "expected an object with fields")])
def test_a_malformed_vocabulary_is_refused(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "vocabulary.json").write_text(text)
    with pytest.raises(InputError, match=named):
        SceneVocabulary.read(tmp_path)
