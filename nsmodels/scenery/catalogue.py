"""Catalogue of things: name, class, usual size, what can be done with it, sprites. Read from `catalogue.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# What classes are kinds of, nearest first.
KINDS = {
    **dict.fromkeys(("pet", "farm animal", "wild animal"), ("mammal", "animal")),
    **dict.fromkeys(("bird", "reptile", "sea animal", "insect"), ("animal",)),
    **dict.fromkeys(("fruit", "vegetable", "fast food", "dessert"), ("food",)),
    **dict.fromkeys(("flower", "tree"), ("plant",)),
    **dict.fromkeys(("hat", "footwear"), ("clothing",)),
    "aircraft": ("vehicle",),
    "ball": ("toy",),
    "worker": ("person",),
}


@dataclass(frozen=True)
class Sprite:
    """A picture of a thing.

    Attributes:
        file: name in `sprites.zip` without suffix, or that of a drawn piece of furniture.
        fact: what it shows of the thing beside its name: a pose, a state, a material, a shape; may be empty.
        is_unseen: it is in the split `unseen`, and only there.
    """

    file: str
    fact: str = ""
    is_unseen: bool = False


@dataclass(frozen=True)
class Entry:
    """A name of the catalogue.

    Attributes:
        name, plural: as in questions.
        classes: its categories, nearest first.
        size: usual extent of the longer side at depth 1, in pixels of an image of 224x168.
        traits: "tint", "pattern": its colour, its pattern may vary; "height": it may be tall or short; "shape": its
            shape varies; "table": it may stand on furniture; "support", "cover": things may be on it, under it; "hold";
            "head", "neck", "body": where it is worn; "ride"; "aloft": it hovers; "person".
        sprites: its pictures.
    """

    name: str
    plural: str
    classes: tuple[str, ...]
    size: float
    traits: frozenset[str]
    sprites: tuple[Sprite, ...]

    def sprites_of(self, is_unseen: bool) -> tuple[Sprite, ...]:
        """The pictures that a split may use; of a name without pictures kept apart, all of them."""
        kept_apart = tuple(sprite for sprite in self.sprites if sprite.is_unseen)
        return kept_apart if is_unseen and kept_apart else tuple(s for s in self.sprites if not s.is_unseen)

    @property
    def facts(self) -> tuple[str, ...]:
        """Values that its pictures show: poses, states, materials, shapes; empty where there are none."""
        return tuple(dict.fromkeys(sprite.fact for sprite in self.sprites if sprite.fact))


@cache
def catalogue() -> dict[str, Entry]:
    """All entries by name, in the order of the file."""
    table = (files("nsmodels.scenery") / "catalogue.csv").read_text(encoding="utf-8")
    entries = [_entry(row) for row in csv.DictReader(table.splitlines())]
    return {entry.name: entry for entry in entries}


def _entry(row: dict[str, str]) -> Entry:
    name, kind = row["name"], row["class"]
    sprites = tuple(_sprite(text) for text in row["sprites"].split())
    traits = frozenset(row["traits"].split())
    return Entry(name, row["plural"] or f"{name}s", (kind, *KINDS.get(kind, ())), float(row["size"]), traits, sprites)


def _sprite(text: str) -> Sprite:
    fact, _, file = text.removeprefix("*").rpartition(":")
    return Sprite(file, fact, text.startswith("*"))
