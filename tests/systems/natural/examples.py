"""A small vocabulary, random scene graphs and random well-typed programs over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nsmodels.datasets.gqa.files.format import Question
from nsmodels.datasets.gqa.programs.operations import COMPARISONS, operation_of
from nsmodels.datasets.gqa.programs.parsing import Program, as_semantic, parse_text
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.derivation import Derivation
from nsmodels.systems.natural.language.grammar import Grammar, program_of
from nsmodels.systems.natural.language.mentions import Entry, Mention, Phrases
from nsmodels.systems.natural.language.trees import Frame, Token

WORDS = SceneVocabulary(
    names=("dog", "cat", "boy", "woman", "apple", "cake", "table", "red pepper"),
    parents={
        "dog": ("animal",),
        "cat": ("animal",),
        "boy": ("person",),
        "woman": ("person",),
        "apple": ("fruit", "food"),
        "cake": ("dessert", "food"),
        "red pepper": ("vegetable", "food"),
        "table": ("furniture",),
    },
    attributes={
        "color": ("red", "green", "brown"),
        "material": ("wood", "metal"),
        "size": ("small", "large"),
        "age": ("young", "old"),
        "shape": ("round", "square"),
    },
    relations=(LEFT, RIGHT, "on", "under", "near"),
    inverses={LEFT: RIGHT, RIGHT: LEFT, "on": "under", "under": "on", "near": "near"},
    plurals={"cat": "cats", "animal": "animals", "person": "people"},
    locations=("street", "kitchen", "beach"),
    weathers=("sunny", "rainy"),
)


def random_graph(rng: np.random.Generator, words: SceneVocabulary = WORDS) -> SceneGraph:
    """A scene of up to seven things; at most one value of a type each."""
    things = [_thing(str(k), rng, words) for k in range(rng.integers(1, 8))]
    related = [replace(each, relations=_relations(each, things, rng, words)) for each in things]
    place, weather = (("", *names)[rng.integers(len(names) + 1)] for names in (words.locations, words.weathers))
    return SceneGraph("1", 400, 300, tuple(related), place, weather)


def _thing(key: str, rng: np.random.Generator, words: SceneVocabulary) -> Thing:
    x, y = int(rng.integers(350)), int(rng.integers(250))
    box = Box(x, y, int(rng.integers(5, 50)), int(rng.integers(5, 50)))
    values = (values[rng.integers(len(values))] for values in words.attributes.values() if rng.random() < 0.5)
    return Thing(key, words.names[rng.integers(len(words.names))], box, tuple(values))


def _relations(
    thing: Thing, things: list[Thing], rng: np.random.Generator, words: SceneVocabulary
) -> tuple[Relation, ...]:
    others = [each.id for each in things if each.id != thing.id]
    drawn = [(name, other) for name in words.relations for other in others if rng.random() < 0.1]
    return tuple(Relation(*each) for each in drawn)


def random_program(rng: np.random.Generator, grammar: Grammar, longest: int = 14) -> Program:
    """A well-typed program whose words are those of the vocabulary."""
    entries = dict.fromkeys(entry for found in Phrases.of(grammar.words).by_words.values() for entry in found)
    mentions = [Mention(0, 1, Entry(*each)) for each in entries]
    num_tokens = len(grammar.tokens)
    derivation = Derivation(grammar, mentions)
    while derivation.num_open:
        slot, slack = derivation.slot, derivation.slack(longest)
        fitting = np.flatnonzero(grammar.fits[slot] & (grammar.costs <= slack)).tolist()
        tokens = [token for token in fitting if _is_sensible(grammar.tokens[token], grammar.words)]
        groups = grammar.groups_of[grammar.slots[slot]]
        pointed = [num_tokens + k for k, each in enumerate(mentions) if each.entry.group in groups]
        derivation.push(int(rng.choice([*tokens, *pointed])))
    return program_of(derivation.tree(), grammar.words)


def _is_sensible(token: Token, words: SceneVocabulary) -> bool:
    """Whether a vocabulary has the kind that a frame is about."""
    if not isinstance(token, Frame):
        return True
    kind = operation_of(token.operation).kind
    return kind in {"", "name", "rel", "hposition", "vposition", "place", "weather", *COMPARISONS, *words.attributes}


def asked(rng: np.random.Generator, num: int, words: SceneVocabulary = WORDS) -> list[Question]:
    """Questions worded by a few templates; answers are not worked out."""
    return [_question(*_asked(rng, words), number) for number in range(num)]


def _asked(rng: np.random.Generator, words: SceneVocabulary) -> tuple[str, str]:
    def draw(values: Sequence[str]) -> str:
        return values[int(rng.integers(len(values)))]

    name, other, relation = draw(words.names), draw(words.names), draw(words.relations)
    kind = draw([kind for kind, values in words.attributes.items() if len(values) > 1])
    value, rival = rng.permutation(words.attributes[kind])[:2]
    anchored = f"select: {other} (2)->relate: {name},{relation},s (1) [0]"
    return (
        (f"Is the {name} {value}?", f"select: {name} (1)->verify {kind}: {value} [0]"),
        (f"Is there a {value} {name}?", f"select: {name} (1)->filter {kind}: {value} [0]->exist: ? [1]"),
        (f"What {kind} is the {name} {relation} the {other}?", f"{anchored}->query: {kind} [1]"),
        (f"Is the {name} {value} or {rival}?", f"select: {name} (1)->choose {kind}: {value}|{rival} [0]"),
        (f"What is {relation} the {other}?", f"select: {other} (2)->relate: _,{relation},s (1) [0]->query: name [1]"),
        (
            f"Are there both a {name} and a {other}?",
            f"select: {other} (1)->exist: ? [0]->select: {name} (2) ->exist: ? [2]->and:  [1, 3]",
        ),
        (
            f"Is there any {name} that is not {value}?",
            f"select: {name} (1)->filter {kind}: not({value}) [0]->exist: ? [1]",
        ),
    )[rng.integers(7)]


def _question(text: str, program: str, number: int) -> Question:
    semantic = tuple(as_semantic(parse_text(program)))
    return Question(id=str(number), image=str(number % 10), text=text, answer="yes", semantic=semantic)
