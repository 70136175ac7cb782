"""Wrong answers: tempting ones, which people would give by mistake, and stray ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from nsmodels.datasets.vqa.questions.queries import NO, YES, View
from nsmodels.datasets.vqa.questions.types import NUMBER, YES_NO, answer_type
from nsmodels.scenery.words import ON, RIDING, UNDER

# What is taken for what.
ALIKE = {
    "red": "orange", "orange": "red", "yellow": "orange", "green": "blue", "blue": "purple", "purple": "blue",
    "pink": "red", "brown": "orange", "black": "gray", "white": "gray", "gray": "white", "man": "woman", "woman": "man",
    "sunny": "cloudy", "cloudy": "rainy", "rainy": "cloudy", "snowy": "cloudy", "standing": "walking",
    "walking": "running", "running": "walking", "kneeling": "sitting", "wood": "plastic", "metal": "plastic",
    "plastic": "wood", "striped": "checkered", "dotted": "striped", "checkered": "striped", "plain": "striped",
    "small": "large", "large": "small", "open": "closed", "closed": "open", "street": "field", "field": "mountains",
    "beach": "field", "mountains": "field", "kitchen": "living room", "living room": "kitchen",
}  # fmt: skip
STRAY = (
    "not sure", "unknown", "can't tell", "nothing", "none", "picture", "cartoon", "emoji", "toy", "background", "left",
    "right", "middle", "several", "black", "white", "table", "person", "animal", "food", "outside", "inside", "ground",
)  # fmt: skip
FARTHEST = 6  # stray counts are above the true one by less than this


def tempting(truth: str, view: View, names: Mapping[str, Sequence[str]], rng: Random) -> str:
    """The wrong answer that most would give. `names`: those of each category."""
    kind = answer_type(truth)
    if kind == YES_NO:
        return NO if truth == YES else YES
    if kind == NUMBER:
        return str(int(truth) + (1 if truth == "0" or rng.random() < 0.5 else -1))
    if truth in ALIKE:
        return ALIKE[truth]
    head, _, rest = truth.partition(" ")
    head, last = (f"{head} ", rest) if head in (ON, UNDER, RIDING) and rest else ("", truth)
    siblings = names.get(next(iter(view.words.parents.get(last, ())), ""), ())
    others = [name for name in siblings if name != last] or list(view.words.names)
    return f"{head}{rng.choice(others)}"


def stray(truth: str, view: View, rng: Random) -> str:
    """A wrong answer that hardly anyone would give."""
    kind = answer_type(truth)
    if kind == YES_NO:
        return NO if truth == YES else YES
    if kind == NUMBER:
        return rng.choice([str(num) for num in range(int(truth) + FARTHEST) if num != int(truth)])
    values = view.words.attributes.get(view.words.type_of.get(truth, ""), ())
    draw = rng.random()
    if draw < 0.3 or (values and draw < 0.5):
        return rng.choice(STRAY)
    return rng.choice(values or view.words.names)
