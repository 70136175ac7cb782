"""Pairs and triples of words that occur in the training questions: where a question leaves them, a parser guesses.

Words with the same part in a sentence are one class (colours, sizes and materials; shapes; attribute names), so that
what counts is the form of a question and not its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTE_OF, ATTRIBUTES
from nsmodels.systems.visual.language.coverage import MEANINGS

THINGS = {"thing": "noun", "object": "noun", "item": "noun", "things": "nouns", "objects": "nouns", "items": "nouns"}
SIDES = {"left": "side", "right": "side"}
PICTURES = dict.fromkeys(("image", "picture", "scene"), "picture")


def word_class(word: str) -> str:
    """The class of a word; most words are a class of their own."""
    attribute = ATTRIBUTE_OF.get(MEANINGS.get(word, ""))
    if attribute == "shape":
        return "nouns" if word.endswith("s") else "noun"
    if attribute:
        return "adjective"
    return "attribute" if word in ATTRIBUTES else (THINGS | SIDES | PICTURES).get(word, word)


class Fluency:
    """The pairs and triples of word classes that are known.

    Args:
        known: pairs and triples, the classes separated by blanks.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)

    @classmethod
    def from_questions(cls, questions: Iterable[Sequence[str]]) -> Fluency:
        """All pairs and triples of questions, given as words."""
        return cls({sequence for words in questions for sequence, _ in sequences(words)})

    def strange(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """The pairs, and the triples, of neighbouring words that are not known; none where nothing is known at all."""
        unknown = [both for both in sequences(words) if both[0] not in self.known] if self.known else []
        pairs, triples = ([text for sequence, text in unknown if sequence.count(" ") == n] for n in (1, 2))
        return pairs, triples


def sequences(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs and triples of a question between its ends, each as classes and as words; adjectives in a row are one."""
    pairs = [("^", "")]
    for word in words:
        name = word_class(word)
        pairs.append((name, f"{pairs.pop()[1]} {word}" if name == pairs[-1][0] == "adjective" else word))
    pairs.append(("$", ""))
    parts = [pairs[k : k + n] for n in (2, 3) for k in range(len(pairs) - n + 1)]
    return [(" ".join(name for name, _ in part), " ".join(word for _, word in part).strip()) for part in parts]
