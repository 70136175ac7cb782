"""English of descriptions: articles, number, adjectives, relations, as pieces that remember which object they name."""

from __future__ import annotations

from functools import cache
from random import Random

from nsmodels.datasets.gqa.questions.nouns import ANY, Noun, Trait
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

Piece = str | tuple[str, int]  # text, or text that names an object
Pieces = list[Piece]

PICTURES = ("image", "picture", "photo", "photograph")
# Names that are plurals of what they show, and names of what is not counted.
PLURAL_NAMES = frozenset(
    ["grapes", "cherries", "fries", "pancakes", "jeans", "gloves", "socks", "glasses", "scissors", "pants", "shorts"]
)
UNCOUNTED = frozenset(["cheese", "bread", "corn", "broccoli", "milk", "juice", "wine", "beer", "coffee"])
# What is said for a category whose name is no countable noun.
SAID = {
    "fast food": "fast food item",
    "food": "food item",
    "clothing": "piece of clothing",
    "furniture": "piece of furniture",
    "footwear": "piece of footwear",
    "electronics": "electronic device",
    "stationery": "stationery item",
    "light": "source of light",
}
SYNONYMS = {
    "television": "TV",
    "airplane": "plane",
    "bicycle": "bike",
    "motorcycle": "motorbike",
    "couch": "sofa",
    "hamburger": "burger",
    "donut": "doughnut",
    "phone": "telephone",
    "rabbit": "bunny",
    "taxi": "cab",
    "eggplant": "aubergine",
    "handbag": "purse",
    "gift": "present",
}
# What follows "kind of", where it is not the name.
SORTS = {"electronics": "electronic device"}
SYNONYM = 0.2  # probability of a synonym
ADJECTIVES = {"wood": "wooden", "metal": "metal", "plastic": "plastic"}
# Order of adjectives before a noun: opinion and size, state, colour, pattern, material.
RANKS = {"size": 0, "height": 0, "pose": 1, "state": 2, "shape": 2, "color": 3, "pattern": 4, "material": 5}
SIDES = {
    "hposition": {"left": "on the left", "right": "on the right", "middle": "in the middle"},
    "vposition": {"top": "at the top", "bottom": "at the bottom", "middle": "in the middle"},
}


@cache
def article(text: str) -> str:
    """The indefinite article before a text."""
    return "an" if text[0] in "aeio" or text.startswith("umbrella") else "a"


def is_plural(name: str) -> bool:
    """Whether the name takes "are"."""
    return name in PLURAL_NAMES


def be(name: str) -> str:
    """The verb "is" for a name."""
    return "are" if name in PLURAL_NAMES else "is"


def do(name: str) -> str:
    """The verb "does" for a name."""
    return "do" if name in PLURAL_NAMES else "does"


def plural(name: str, said: str, words: SceneVocabulary) -> str:
    """Plural of a name or category that is called `said`; of what is not counted, the name."""
    if name in UNCOUNTED or name in PLURAL_NAMES:
        return name
    if said == name:
        return words.plurals.get(name, name + "s")
    first, of, rest = said.partition(" of ")
    return {"bunny": "bunnies"}.get(said, f"{first}s{of}{rest}")


def called(name: str, rng: Random) -> str:
    """What a name or category is called in a sentence."""
    if name in SYNONYMS and rng.random() < SYNONYM:
        return SYNONYMS[name]
    return SAID.get(name, name)


def predicate(kind: str, value: str, rng: Random) -> str:
    """What a sentence says with "is": "red", "made of wood", "on the left side of the photo"."""
    if kind == "material":
        return f"made of {value}"
    if kind in SIDES:
        side = SIDES[kind][value]
        return f"{side} {'side ' if kind == 'hposition' and value != 'middle' else ''}of the {rng.choice(PICTURES)}"
    return value


def adjective(value: str) -> str:
    """Word before a noun: "red", "wooden"."""
    return ADJECTIVES.get(value, value)


def noun_phrase(noun: Noun, determiner: str, rng: Random, words: SceneVocabulary, may_trail: bool = True) -> Pieces:
    """Pieces of a description.

    Args:
        noun: the description.
        determiner: "the", "a" (no article where none is taken), "plural" (no article), or "" (no article).
        rng: chooses among equivalent forms.
        words: plurals.
        may_trail: whether a single attribute may follow the name: "the dog that is red".
    """
    before, after = _traits(noun, determiner == "plural", rng, may_trail)
    name = "thing" if noun.name == ANY else noun.name
    said = called(name, rng)
    head = plural(name, said, words) if determiner == "plural" else said
    text = " ".join([*before, head]) if before else head
    pieces: Pieces = []
    if determiner == "the":
        pieces.append("the")
    elif determiner == "a" and name not in PLURAL_NAMES and name not in UNCOUNTED:
        pieces.append(article(text))
    pieces.append((text, noun.thing))
    if noun.link is not None:
        pieces += _link(noun, determiner == "plural", rng, words)
    return pieces + after if after else pieces


def _traits(noun: Noun, are_many: bool, rng: Random, may_trail: bool) -> tuple[list[str], list[str]]:
    """Words before and behind the name."""
    if not noun.traits:
        return [], []
    before: list[Trait] = []
    after: list[str] = []
    for trait in noun.traits:
        is_adjective = trait.kind not in SIDES and not trait.is_negated
        if is_adjective and (not may_trail or noun.link is not None or len(noun.traits) > 1 or rng.random() < 0.85):
            before.append(trait)
        else:
            after.append(_clause(trait, noun, are_many, rng))
    before.sort(key=lambda trait: RANKS.get(trait.kind, 3))
    return [adjective(trait.value) for trait in before], after


def _clause(trait: Trait, noun: Noun, are_many: bool, rng: Random) -> str:
    said = predicate(trait.kind, trait.value, rng)
    if trait.kind in SIDES and not trait.is_negated and rng.random() < 0.6:
        return said
    verb = "are" if are_many or is_plural(noun.name) else "is"
    return f"that {verb} {'not ' if trait.is_negated else ''}{said}"


def _link(noun: Noun, are_many: bool, rng: Random, words: SceneVocabulary) -> Pieces:
    assert noun.link is not None
    relation, role, to = noun.link
    anchor = noun_phrase(to, "the", rng, words, False)
    verb = "are" if are_many or is_plural(noun.name) else "is"
    if role == "s":
        return [f"that {verb} {relation}" if rng.random() < 0.3 else relation, *anchor]
    if role == "o":
        return ["that" if rng.random() < 0.6 else "", *anchor, be(to.name), relation]
    kind = relation.removeprefix("same ")
    has = "have" if verb == "are" else "has"
    return [f"that {has} the same {kind} as" if rng.random() < 0.5 else f"of the same {kind} as", *anchor]
