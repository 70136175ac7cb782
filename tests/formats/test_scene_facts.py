"""Scene graphs as facts: words, clashes, and agreement with rule files over the same vocabulary."""

from __future__ import annotations

from nsmodels.formats.scenes.facts import ScenePredicates, word_of
from nsmodels.formats.scenes.graphs import LEFT, Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.program import load, read
from nsmodels.scenery.words import vocabulary

WORDS = SceneVocabulary(
    names=("orange", "T-shirt", "weather", "3 men", "object"),
    parents={"orange": ("fruit", "food")},
    attributes={"color": ("orange", "red"), "food type": ("fruit",)},
    relations=(LEFT, "wearing", "red", "food"),
)
GRAPH = SceneGraph(
    "1",
    10,
    10,
    (
        Thing("7", "orange", Box(0, 0, 1, 1), ("orange", "red", "red"), (Relation(LEFT, "8"), Relation(LEFT, "8"))),
        Thing("8", "T-shirt", Box(0, 0, 1, 1), ("fruit", "unheard of"), (Relation("red", "7"),)),
        Thing("9", "weather", Box(0, 0, 1, 1)),
    ),
    location="Living  Room",
    weather="rainy",
)


def test_facts_of_a_scene() -> None:
    assert ScenePredicates(WORDS).facts(GRAPH) == [
        ("location", ("living_room",)),
        ("weather", ("rainy",)),
        ("object", ("o7",)),
        ("orange", ("o7",)),
        ("fruit", ("o7",)),
        ("food", ("o7",)),
        ("orange_color", ("o7",)),
        ("red", ("o7",)),
        ("to_the_left_of", ("o7", "o8")),
        ("object", ("o8",)),
        ("t_shirt", ("o8",)),
        ("fruit_food_type", ("o8",)),
        ("unheard_of", ("o8",)),
        ("red_relation", ("o8", "o7")),
        ("object", ("o9",)),
        ("weather_name", ("o9",)),
    ]


def test_words_need_no_quotes() -> None:
    for text in ("3 men", "T-shirt", "Été", "-", "not", "猫 猫"):
        assert len(read(f"{word_of(text)}_x(a).").rules) == 1


def test_declarations_cover_every_fact() -> None:
    for words in (WORDS, vocabulary()):
        predicates = ScenePredicates(words)
        arities = read(predicates.declarations()).arities
        for name in (*words.names, *words.categories):
            assert arities[predicates.of_name(name)] == 1
        for value in words.type_of:
            assert arities[predicates.of_attribute(value)] == 1
        for relation in words.relations:
            assert arities[predicates.of_relation(relation)] == 2


def test_the_rules_of_composed_scenes_know_their_words() -> None:
    declared, shipped = read(ScenePredicates(vocabulary()).declarations()), load("scenery")
    assert declared.concepts.items() <= shipped.concepts.items()
