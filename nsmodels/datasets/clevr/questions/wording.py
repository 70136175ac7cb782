"""Says a question form in English, in one of the many ways that the phrases of `frames` allow."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from nsmodels.datasets.clevr.questions.families import BLANK, Description, Form, Group, Link
from nsmodels.datasets.clevr.questions.frames import ASKS, BOUND, FRAMES, SAID, WORDS
from nsmodels.datasets.clevr.questions.phrases import say
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES

# How often a phrase of one attribute alone is taken, instead of one that serves all attributes.
OWN_FRAME = {"query size": 0.1, "query material": 0.2, "compare material": 0.4}
OTHER, ELSE, AGREEMENT = 0.5, 0.7, 0.75


def word_question(form: Form, rng: Random) -> str:
    """One of the many ways to ask `form`."""
    return Speaker(form, rng).ask()


class Speaker:
    """Words one form; `SLOTS` says which of its methods fills which slot.

    Args:
        form: what is asked.
        rng: the only source of chance.
    """

    def __init__(self, form: Form, rng: Random) -> None:
        self.form, self.rng = form, rng
        self.group = form.groups[0]
        self.attribute = _attribute(form)

    def ask(self) -> str:
        """The question."""
        text = say(FRAMES[self._frame()], self.fill, self.rng)
        # The release always says "a object"; people do not.
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
        """What stands in a slot."""
        return SLOTS[slot](self)

    def is_another(self) -> bool:
        """Whether to say that the object which shares an attribute is another one; never where that is plain."""
        if _tie(self.group) != "same":
            return False
        ends = self.group.links[0].target.description
        is_plain = any(a and b and a != b for a, b in zip(self.group.description, ends, strict=True))
        return not is_plain and self.rng.random() < OTHER

    def noun_phrase(self, group: Group, is_plural: bool = False) -> str:
        """A group with everything that describes it, without an article."""
        noun = self.noun(group.description, is_plural)
        return noun + self.tied(BOUND[self.way(group), is_plural], group) if group.links else noun

    def noun(self, description: Description, is_plural: bool = False) -> str:
        """A noun with its adjectives, in the order size, color, material."""
        said = [self.word(value) for value in description[:3] if value]
        return " ".join([*said, self.word(description[3])]) + ("s" if is_plural else "")

    def word(self, value: str) -> str:
        """A value or a relation, as one of its synonyms."""
        return say(WORDS[value], self.fill, self.rng) if value in WORDS else value

    def related(self, link: Link) -> str:
        """A relation with the object that it leads to."""
        return f"{self.word(link.value)} the {self.noun_phrase(link.target)}"

    def way(self, group: Group) -> str:
        """How a group is tied; what shares a material is often said to be made of it."""
        tie = _tie(group)
        return "made" if tie == "same" and group.links[0].value == "material" and self.rng.random() < 0.4 else tie

    def tied(self, phrase: tuple, group: Group) -> str:
        """A phrase about a group's ties."""
        first, last = group.links[0], group.links[-1]
        slots = {
            "relation": lambda: self.related(first),
            "one": lambda: self.related(first),
            "two": lambda: self.related(last),
            "end": lambda: self.noun_phrase(first.target),
            "attribute": lambda: first.value,
        }
        return say(phrase, lambda slot: slots[slot](), self.rng)


def _tie(group: Group) -> str:
    """How a group is tied: "relate", "same", "crossed" for two relations at once, "" for a plain group."""
    return "crossed" if len(group.links) == 2 else group.links[0].function if group.links else ""


def _attribute(form: Form) -> str:
    """The attribute that is asked for, compared or shared; "" where there is none."""
    name = form.function.partition("_")[2]
    if name in ATTRIBUTES:
        return name
    link = form.groups[0].links[0] if form.groups[0].links else None
    return link.value if link and link.function == "same" else ""


SLOTS: dict[str, Callable[[Speaker], str]] = {
    "attribute": lambda s: s.attribute,
    "asks": lambda s: say(ASKS[s.attribute], s.fill, s.rng),
    "another": lambda s: "another" if s.is_another() else "a",
    "other": lambda s: "other " if s.is_another() else "",
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
    "said": lambda s: s.tied(SAID[s.way(s.group)], s.group),
    "bound": lambda s: s.tied(BOUND[s.way(s.group), False], s.group),
    "bounds": lambda s: s.tied(BOUND[s.way(s.group), True], s.group),
}
