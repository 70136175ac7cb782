"""Realisation of a question form in English, at random among the wordings that the phrases of `frames` allow."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from nsmodels.datasets.clevr.questions.families import BLANK, Description, Form, Group, Link
from nsmodels.datasets.clevr.questions.frames import FOLLOW_UPS, FRAMES, MODIFIERS, PREDICATES, WORDS
from nsmodels.datasets.clevr.questions.phrases import realise
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES

# Probability of a phrase for one attribute alone, where one for all attributes exists too.
OWN_FRAME = {"query size": 0.1, "query material": 0.2, "compare material": 0.4}
# Probabilities of "other" with an object that shares an attribute, of "anything else", and of "an object".
OTHER, ELSE, AGREEMENT = 0.5, 0.7, 0.75


def word_question(form: Form, rng: Random) -> str:
    """A random wording of `form`."""
    return Realiser(form, rng).question()


class Realiser:
    """Wording of one form; `SLOTS` maps each slot to the method that fills it.

    Args:
        form: the form of the question.
        rng: the only source of randomness.
    """

    def __init__(self, form: Form, rng: Random) -> None:
        self.form, self.rng = form, rng
        self.group = form.groups[0]
        self.attribute = _attribute(form)

    def question(self) -> str:
        """Text of the question."""
        text = realise(FRAMES[self._frame()], self.fill, self.rng)
        # The release always writes "a object"; people write "an object".
        return text.replace(" a object", " an object") if self.rng.random() < AGREEMENT else text

    def _frame(self) -> str:
        form, tie = self.form, _tie(self.group)
        if form.head is not None:
            return "either"
        kind = "compare" if form.function.startswith("equal_") else form.function.split("_")[0]
        if form.function in FRAMES and len(form.groups) == 2:
            return form.function
        if kind in ("query", "compare"):
            own = f"{kind} {self.attribute}"
            return own if self.rng.random() < OWN_FRAME.get(own, 0.0) else kind
        if kind == "exist" and tie == "same":
            is_anything = self.group.description == BLANK and self.rng.random() < ELSE
            return "exist else" if is_anything else "exist same"
        return f"{kind} {tie}".rstrip()

    def fill(self, slot: str) -> str:
        """Text of a slot."""
        return SLOTS[slot](self)

    def is_marked_other(self) -> bool:
        """Whether to write "other" or "another" for an object that shares an attribute; never where it is redundant."""
        if _tie(self.group) != "same":
            return False
        ends = self.group.links[0].target.description
        is_plain = any(a and b and a != b for a, b in zip(self.group.description, ends, strict=True))
        return not is_plain and self.rng.random() < OTHER

    def noun_phrase(self, group: Group, is_plural: bool = False) -> str:
        """A group with everything that describes it, without an article."""
        noun = self.noun(group.description, is_plural)
        return noun + self.tie_phrase(MODIFIERS[self.tie_kind(group), is_plural], group) if group.links else noun

    def noun(self, description: Description, is_plural: bool = False) -> str:
        """A noun with its adjectives, in the order size, color, material."""
        adjectives = [self.word(value) for value in description[:3] if value]
        return " ".join([*adjectives, self.word(description[3])]) + ("s" if is_plural else "")

    def word(self, value: str) -> str:
        """A value or relation as one of its synonyms."""
        return realise(WORDS[value], self.fill, self.rng) if value in WORDS else value

    def related(self, link: Link) -> str:
        """A relation with the object at its other end."""
        return f"{self.word(link.value)} the {self.noun_phrase(link.target)}"

    def tie_kind(self, group: Group) -> str:
        """Kind of link of a group for its phrase; for a shared material at random "made" or "same"."""
        tie = _tie(group)
        return "made" if tie == "same" and group.links[0].value == "material" and self.rng.random() < 0.4 else tie

    def tie_phrase(self, phrase: tuple, group: Group) -> str:
        """A phrase about a group's links."""
        first, last = group.links[0], group.links[-1]
        slots = {
            "relation": lambda: self.related(first),
            "one": lambda: self.related(first),
            "two": lambda: self.related(last),
            "end": lambda: self.noun_phrase(first.target),
            "attribute": lambda: first.value,
        }
        return realise(phrase, lambda slot: slots[slot](), self.rng)


def _tie(group: Group) -> str:
    """Kind of link of a group: "relate", "same", "crossed" for two relations at once, "" for a plain group."""
    return "crossed" if len(group.links) == 2 else group.links[0].function if group.links else ""


def _attribute(form: Form) -> str:
    """The attribute that is queried, compared or shared; "" where there is none."""
    name = form.function.partition("_")[2]
    if name in ATTRIBUTES:
        return name
    link = form.groups[0].links[0] if form.groups[0].links else None
    return link.value if link and link.function == "same" else ""


SLOTS: dict[str, Callable[[Realiser], str]] = {
    "attribute": lambda s: s.attribute,
    "follow_up": lambda s: realise(FOLLOW_UPS[s.attribute], s.fill, s.rng),
    "another": lambda s: "another" if s.is_marked_other() else "a",
    "other": lambda s: "other " if s.is_marked_other() else "",
    "single": lambda s: s.noun_phrase(s.group),
    "plural": lambda s: s.noun_phrase(s.group, is_plural=True),
    "second": lambda s: s.noun_phrase(s.form.groups[1]),
    "seconds": lambda s: s.noun_phrase(s.form.groups[1], is_plural=True),
    "opening": lambda s: f"There is a {s.noun_phrase(s.group)}",
    "head": lambda s: s.noun(s.group.description),
    "heads": lambda s: s.noun(s.group.description, is_plural=True),
    "base": lambda s: s.noun(s.form.head or BLANK, is_plural=True),
    "end": lambda s: s.noun_phrase(s.group.links[0].target),
    "relation": lambda s: s.related(s.group.links[0]),
    "it": lambda s: f"{s.word(s.group.links[0].value)} it",
    "predicate": lambda s: s.tie_phrase(PREDICATES[s.tie_kind(s.group)], s.group),
    "modifier": lambda s: s.tie_phrase(MODIFIERS[s.tie_kind(s.group), False], s.group),
    "plural_modifier": lambda s: s.tie_phrase(MODIFIERS[s.tie_kind(s.group), True], s.group),
}
