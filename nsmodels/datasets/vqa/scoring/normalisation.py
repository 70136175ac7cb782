"""Normal form of an answer by the official evaluation of VQA v2 (VQA team, 2017), its quirks included."""

from __future__ import annotations

import re

from nsmodels.datasets.vqa.scoring.contractions import CONTRACTIONS

SIGNS = ';/[]"{}()=+\\_-><@`,?!'  # what vanishes or becomes a space; `:`, `$`, `&`, `'` and others stay
ARTICLES = frozenset(("a", "an", "the"))
NUMBERS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
NUMBERS |= {"seven": "7", "eight": "8", "nine": "9", "ten": "10"}
# The published script passes a flag of the value 32 where the number of replacements is meant.
MOST_PERIODS = 32
_PERIOD = re.compile(r"\.(?!\d)")
_COMMA_IN_NUMBER = re.compile(r"\d,\d")


def cleaned(answer: str) -> str:
    """The answer without white space at its ends, line breaks and tabs as spaces: done to every answer."""
    return answer.replace("\n", " ").replace("\t", " ").strip()


def normalised(answer: str) -> str:
    """Normal form of a cleaned answer: signs, lower case, number words, articles, then contractions.

    "The Big, Red Dog!" gives "big red dog"; a lone article gives "".
    """
    words = (NUMBERS.get(word, word) for word in _without_signs(answer).lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def _without_signs(text: str) -> str:
    """A sign vanishes if it touches a space anywhere in the text, else it becomes a space; 1,000 loses all signs."""
    has_number = _COMMA_IN_NUMBER.search(text) is not None
    found = text
    for sign in SIGNS:
        if sign in text:
            vanishes = has_number or f"{sign} " in text or f" {sign}" in text
            found = found.replace(sign, "" if vanishes else " ")
    return _PERIOD.sub("", found, count=MOST_PERIODS)
