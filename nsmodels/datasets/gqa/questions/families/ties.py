"""Relations of an image that can be asked about, with what is at both ends."""

from __future__ import annotations

from nsmodels.datasets.gqa.questions.asking import FOLLOWED, Asker
from nsmodels.datasets.gqa.questions.nouns import Noun
from nsmodels.formats.scenes.graphs import LEFT, RIGHT

PEOPLE = ("person", "worker")  # categories asked for with "who"
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT}
HELD = ("holding", "wearing", "riding")  # what somebody does with a thing, worded with "does" at times

Tie = tuple[str, str, int, int]  # relation, role, anchor, mask of all objects in the role


def ties(ask: Asker, number: int = 8) -> list[Tie]:
    """Some relations of the image with one end given, in random order."""
    if ask.relations is None:
        ask.relations = _all_ties(ask)
    return ask.rng.sample(ask.relations, min(number, len(ask.relations)))


def arranged_ties(ask: Asker) -> list[Tie]:
    """The same, those that do not follow from geometry first."""
    return sorted(ties(ask, 100), key=lambda tie: tie[0] in ask.words.inverses)[:8]


def _all_ties(ask: Asker) -> list[Tie]:
    found: list[Tie] = []
    view = ask.view
    for anchor in range(view.count):
        back, forth = ({relation for relation, _ in each[anchor]} for each in (view.back, view.links))
        found += [(relation, "s", anchor, view.subjects[relation][anchor]) for relation in back]
        forth.difference_update(ask.words.inverses)
        found += [(relation, "o", anchor, view.objects[relation][anchor]) for relation in forth]
    return sorted(found)


def place_of(ask: Asker, name: str) -> str:
    """The global group of an answer that is a name: its category, "object" without one."""
    parents = ask.words.parents.get(name, ())
    return parents[0] if parents else "object"


def anchored(ask: Asker) -> tuple[Tie, Noun] | None:
    """A relation with the description of its given end, often one that was asked about."""
    if ask.ties and ask.rng.random() < FOLLOWED:
        return ask.rng.choice(ask.ties)
    for tie in ties(ask, 4):
        anchor = ask.find.the(tie[2], "", tie[3])
        if anchor is not None:
            return tie, anchor
    return None


def contrary(ask: Asker, one: int, relation: str, two: int) -> str | None:
    """A relation that plainly does not hold between two objects for which `relation` does."""
    if relation in OPPOSITE:
        return OPPOSITE[relation]
    inverse = ask.words.inverses.get(relation)
    if inverse is not None:
        return inverse if inverse != relation and not ask.view.related(inverse, "s", two) >> one & 1 else None
    held = {name for name, other in ask.view.links[one] if other == two}
    rivals = [name for name in HELD if name in ask.words.relations and name not in held]
    return ask.rng.choice(rivals) if relation in HELD and rivals else None
