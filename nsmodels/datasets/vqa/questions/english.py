"""English of nouns in questions: articles, number, what categories are called."""

from __future__ import annotations

from nsmodels.datasets.vqa.questions.queries import Noun
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

# Names that are plurals.
PLURALS = frozenset(
    ("grapes", "cherries", "fries", "pancakes", "jeans", "gloves", "socks", "glasses", "scissors")
)  # fmt: skip
# Names of what is not counted, and what several of them are.
UNCOUNTED = {
    "cheese": "pieces of cheese",
    "bread": "loaves of bread",
    "corn": "ears of corn",
    "broccoli": "pieces of broccoli",
    "milk": "glasses of milk",
    "juice": "boxes of juice",
    "wine": "glasses of wine",
    "beer": "mugs of beer",
    "coffee": "cups of coffee",
    "ice cream": "scoops of ice cream",
}
# What categories are called where they are no nouns that can be counted: one of them, several.
CALLED = {
    "food": ("piece of food", "pieces of food"),
    "fast food": ("fast food dish", "fast food dishes"),
    "clothing": ("piece of clothing", "pieces of clothing"),
    "furniture": ("piece of furniture", "pieces of furniture"),
    "footwear": ("piece of footwear", "pieces of footwear"),
    "electronics": ("electronic device", "electronic devices"),
    "stationery": ("piece of stationery", "pieces of stationery"),
    "light": ("lamp", "lamps"),
}
MADE_OF = {"wood": "wooden"}


def article(phrase: str) -> str:
    """The phrase with "a" or "an"."""
    return f"{'an' if phrase[0] in 'aeio' or phrase.startswith('umbrella') else 'a'} {phrase}"


def is_plural(noun: Noun) -> bool:
    """Whether the noun takes "are"."""
    return noun.what in PLURALS


def one(noun: Noun) -> str:
    """The noun without article: "red dog"."""
    called = CALLED.get(noun.what, (noun.what,))[0]
    return f"{MADE_OF.get(noun.value, noun.value)} {called}".strip()


def a(noun: Noun) -> str:
    """The noun with an indefinite article where it takes one."""
    phrase = one(noun)
    return phrase if noun.what in PLURALS or noun.what in UNCOUNTED else article(phrase)


def many(noun: Noun, words: SceneVocabulary) -> str:
    """The plural of the noun; of what is not counted, as "glasses of milk"."""
    if noun.what in PLURALS:
        return one(noun)
    called = UNCOUNTED.get(noun.what) or CALLED.get(noun.what, ("", ""))[1]
    called = called or words.plurals.get(noun.what, f"{noun.what}s")
    return f"{MADE_OF.get(noun.value, noun.value)} {called}".strip()
