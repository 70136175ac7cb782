"""The words of composed scenes, as a vocabulary."""

from __future__ import annotations

from functools import cache

from nsmodels.formats.scenes.graphs import LEFT, RIGHT
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.scenery.catalogue import catalogue

ON, UNDER, ABOVE = "on", "under", "above"
HOLDING, WEARING, RIDING = "holding", "wearing", "riding"
BEFORE, BEHIND, NEAR = "in front of", "behind", "near"

INDOORS = ("kitchen", "living room")
OUTDOORS = ("street", "beach", "field", "mountains")
WEATHERS = ("sunny", "cloudy", "rainy", "snowy")  # of scenes outdoors; indoors there is none

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray")
ATTRIBUTES = {
    "color": COLORS,
    "size": ("small", "large"),
    "height": ("short", "tall"),
    "shape": ("round", "square", "triangular"),
    "pattern": ("plain", "striped", "dotted", "checkered"),
    "material": ("wood", "metal", "plastic"),
    "pose": ("standing", "walking", "running", "kneeling"),
    "state": ("open", "closed"),
}
RELATIONS = (LEFT, RIGHT, ON, UNDER, ABOVE, HOLDING, WEARING, RIDING, BEFORE, BEHIND, NEAR)
INVERSES = {LEFT: RIGHT, RIGHT: LEFT, UNDER: ABOVE, ABOVE: UNDER, BEFORE: BEHIND, BEHIND: BEFORE, NEAR: NEAR}
GEOMETRIC = (LEFT, RIGHT, BEFORE, BEHIND, NEAR)  # follow from boxes and depth; the others are arranged

# Plurals of categories where they are not formed with s.
PLURALS = {"clothing": "clothes", "food": "foods", "fast food": "fast foods", "furniture": "furniture"} | {
    "electronics": "electronics",
    "footwear": "footwear",
    "stationery": "stationery",
    "person": "people",
    "accessory": "accessories",
}


@cache
def vocabulary() -> SceneVocabulary:
    """Names, categories, attributes, relations, places and weathers of composed scenes."""
    entries = catalogue()
    categories = dict.fromkeys(kind for entry in entries.values() for kind in entry.classes)
    plurals = {name: entry.plural for name, entry in entries.items()}
    return SceneVocabulary(
        names=tuple(entries),
        parents={name: entry.classes for name, entry in entries.items()},
        attributes=ATTRIBUTES,
        relations=RELATIONS,
        inverses=INVERSES,
        plurals=plurals | {kind: PLURALS.get(kind, f"{kind}s") for kind in categories},
        locations=INDOORS + OUTDOORS,
        weathers=WEATHERS,
    )
