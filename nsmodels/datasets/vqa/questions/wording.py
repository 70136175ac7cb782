"""Wordings of queries, our own, several of each kind; many begin as the official question types do.

In braces: {the}, {a}, {many}: the noun with article, in the plural; {is}, {does}: the verb for it; {0}, {1}: the words
of the query, prepared by kind.
"""

from __future__ import annotations

from random import Random

from nsmodels.datasets.vqa.questions.english import a, article, is_plural, many, one
from nsmodels.datasets.vqa.questions.queries import Noun, Query
from nsmodels.formats.scenes.graphs import LEFT, RIGHT
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.scenery.words import HOLDING, RIDING, WEARING

VERBS = {HOLDING: "hold", WEARING: "wear", RIDING: "ride"}
SHOWN = ("picture", "photo", "image", "scene")
INDOOR_ROOMS = ("kitchen", "living room")

# By kind, and kind with its first word where that decides.
WORDINGS: dict[str, tuple[str, ...]] = {
    "exists": (
        "{Is} there {a}?", "{Is} there {a} in the {shown}?", "Are there any {many}?", "Are there any {many} here?",
        "Can you see {a}?", "Do you see {a}?", "Does this {shown} have {a} in it?", "{IsA} visible?",
        "Are there {many} in the {shown}?",
    ),
    "count": (
        "How many {many} are there?", "How many {many} are in the {shown}?", "How many {many} can you see?",
        "How many {many} are shown?", "What number of {many} is in this {shown}?",
    ),
    "count person": (
        "How many people are there?", "How many people are in this {shown}?", "How many people are shown?",
        "How many people can you see?",
    ),
    "value color": (
        "What color {is} {the}?", "What color {is} {the} in this {shown}?", "What is the color of {the}?",
        "Which color {does} {the} have?",
    ),
    "value pattern": (
        "What pattern {does} {the} have?", "What kind of pattern is on {the}?", "What is the pattern on {the}?",
        "Which pattern is on {the}?",
    ),
    "value material": (
        "What {is} {the} made of?", "What kind of material {is} {the}?", "What type of material {is} {the} made of?",
        "What is the material of {the}?",
    ),
    "value": ("What is the {0} of {the}?",),
    "has color": (
        "{Is} {the} {0}?", "{Is} {the} in this {shown} {0}?", "{Does} {the} look {0}?", "Could you call {the} {0}?",
    ),
    "has pattern": ("{Is} {the} {0}?", "{Does} {the} have a {0} pattern?"),
    "has material": ("{Is} {the} made of {0}?", "{Is} {the} made out of {0}?"),
    "has": ("{Is} {the} {0}?", "Would you say {the} {is} {0}?"),
    "choice material": ("{Is} {the} made of {0} or {1}?", "Which is {the} made of, {0} or {1}?"),
    "choice": ("{Is} {the} {0} or {1}?", "{Is} {the} {0}, or {1}?", "What {is} {the}, {0} or {1}?"),
    "object holding": ("What is {the} holding?", "What does {the} hold?", "What is in the hand of {the}?"),
    "object wearing": ("What is {the} wearing?", "What does {the} wear?", "What is {the} dressed in?"),
    "object riding": ("What is {the} riding?", "What is {the} riding on?", "What does {the} ride?"),
    "object": ("What is {the} {0}?",),
    "subject riding": ("Who is riding {the}?", "Who is on {the}?"),
    "subject on": ("What is on {the}?", "What is on top of {the}?", "What is placed on {the}?"),
    "subject": ("What is {0} {the}?", "What can be seen {0} {the}?"),
    "related do": ("{Is} {the} {0} {1}?", "{Does} {the} {verb} {1}?"),
    "related": ("{Is} {the} {0} {1}?", "Can you see {the} {0} {1}?"),
    "which": (
        "What {one} is this?", "What {one} is in the {shown}?", "What kind of {one} is this?",
        "What type of {one} is shown?",
        "Which {one} can you see?", "What is the name of this {one}?",
    ),
    "which animal": (
        "What animal is this?", "What animal is in the {shown}?", "What kind of animal is this?",
        "What type of animal can you see?",
    ),
    "which person": ("Who is in the {shown}?", "Who is this?", "Who is shown here?"),
    "where": ("Where {is} {the}?", "Where {is} {the} placed?", "Where in the {shown} {is} {the}?"),
    "doing": ("What is {the} doing?", "What does {the} do?"),
    "does": ("Is {the} {0}?", "Is {the} in the {shown} {0}?"),
    "place": (
        "What is the place in this {shown}?", "Where is this?", "Where was this {shown} taken?", "What place is shown?",
        "What kind of place is this?",
    ),
    "is_place": ("Is this {0}?", "Is that {0}?", "Was this {shown} taken {in0}?", "Does this look like {0}?"),
    "is_indoors": ("Is this indoors?", "Is this {shown} taken indoors?", "Is it indoors?", "Are we inside a building?"),
    "weather": (
        "What is the weather like?", "How is the weather?", "What kind of weather is it?",
        "What does the weather look like?",
    ),
    "is_weather": ("Is it {0}?", "Is the weather {0}?", "Does the weather look {0}?", "Is it a {0} day?"),
}  # fmt: skip


def wordings(query: Query, words: SceneVocabulary) -> tuple[str, ...]:
    """The wordings that a query may have."""
    first = words.type_of.get(query.words[0], query.words[0]) if query.words else query.noun.what
    if query.kind == "related" and query.words[0] in VERBS:
        first = "do"
    if query.kind == "count" and query.noun.value:
        first = ""
    if query.kind == "object" and query.noun.what not in ("man", "woman") and first in VERBS:
        return WORDINGS[f"object {first}"][:2]
    return WORDINGS.get(f"{query.kind} {first}", WORDINGS.get(query.kind, ()))


def spoken(query: Query, words: SceneVocabulary, rng: Random) -> str:
    """A wording of a query, drawn at random."""
    noun = query.noun
    are = is_plural(noun)
    fields: dict[str, str] = {"is": "are" if are else "is", "does": "do" if are else "does", "shown": rng.choice(SHOWN)}
    fields |= {"Is": fields["is"].capitalize(), "Does": fields["does"].capitalize()}
    if noun.what:
        fields |= {
            "IsA": f"{fields['Is']} {a(noun)}",
            "a": a(noun),
            "one": noun.what,
            "the": f"the {one(noun)}",
            "many": many(noun, words),
        }
    if query.words:
        fields |= _prepared(query)
    given = [_said(query, word, number) for number, word in enumerate(query.words)]
    return rng.choice(wordings(query, words)).format(*given, **fields)


def _prepared(query: Query) -> dict[str, str]:
    first = query.words[0]
    if query.kind == "is_place":
        inside = "in" if first in INDOOR_ROOMS or first in ("street", "mountains", "field") else "at"
        return {"in0": f"{inside} {_place(first)}"}
    return {"verb": VERBS.get(first, "")}


def _said(query: Query, word: str, number: int) -> str:
    if query.kind == "is_place":
        return _place(word)
    if query.kind == "related" and number == 1:
        other = Noun(word)
        return a(other) if query.words[0] in VERBS else f"the {one(other)}"
    if query.kind == "does" and word.startswith(f"{RIDING} "):
        return f"{RIDING} {a(Noun(word.removeprefix(f'{RIDING} ')))}"
    return {LEFT: "to the left of", RIGHT: "to the right of"}.get(word, word)


def _place(place: str) -> str:
    return f"the {place}" if place.endswith("s") else article(place)
