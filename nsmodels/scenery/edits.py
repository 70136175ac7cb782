"""Edited scenes: one fact is changed, all others stay. Pairs of images with different answers to one question."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nsmodels.formats.scenes.graphs import SceneGraph, Thing
from nsmodels.scenery.catalogue import Entry, Sprite, catalogue
from nsmodels.scenery.config import SPLITS, UNSEEN, WIDTH
from nsmodels.scenery.graphics.tints import natural_color
from nsmodels.scenery.looks import usual_extent
from nsmodels.scenery.scenes import Item, Scene
from nsmodels.scenery.words import ATTRIBUTES, COLORS

RECOLOUR, SWAP, REMOVE, MOVE = "recolour", "swap", "remove", "move"
KINDS = (RECOLOUR, SWAP, REMOVE, MOVE)
NUM_PLACES, NUM_NAMES = 6, 8  # tried for a move, and for a swap
LOOKS = {"tint": "color", "pattern": "pattern", "height": "height"}  # type of attribute that a trait stands for
PLACES = frozenset(("table", "hold", "head", "neck", "body"))


@dataclass(frozen=True)
class Edited:
    """An edited scene.

    Attributes:
        scene: after the edit; ids of things stay, the id of the image has a different second digit.
        kind: one of `KINDS`.
        thing: id of the thing that was edited.
        before, after: the changed fact: its colour, its name ("" when removed), the sheet's pixels to the left of it.
    """

    scene: Scene
    kind: str
    thing: str
    before: str
    after: str


def edits(scene: Scene, seed: int, kinds: tuple[str, ...] = KINDS) -> Iterator[Edited]:
    """All kinds of edits of all things, in random order, lazily; those that would change a second fact are left out."""
    rng = random.Random(f"edits/{seed}/{scene.image}")
    tasks = [(item.id, kind) for item in scene.items for kind in kinds]
    rng.shuffle(tasks)
    for thing, kind in tasks:
        if edited := next(_TRIALS[kind](scene, thing, rng), None):
            yield edited


def recolour(scene: Scene, thing: str, color: str) -> Edited | None:
    """The scene with a tinted thing in a different colour; None where that is not possible."""
    item = _item(scene, thing)
    if not item.tint or item.tint == color:
        return None
    attributes = tuple(color if value == item.tint else value for value in item.attributes)
    return _checked(scene, RECOLOUR, item, replace(item, tint=color, attributes=attributes), item.tint, color)


def swap(scene: Scene, thing: str, name: str) -> Edited | None:
    """The scene with a thing of a different name in place of one, attributes and relations equal; else None."""
    item, entry = _item(scene, thing), catalogue()[name]
    if name == item.name or any(each.root == thing for each in scene.items) or not _may_replace(item, entry):
        return None
    for sprite in entry.sprites_of(scene.image[0] == str(SPLITS.index(UNSEEN) + 1)):
        if _shows_the_same(item, sprite):
            return _checked(scene, SWAP, item, _exchanged(item, entry, sprite), item.name, name)
    return None


def remove(scene: Scene, thing: str) -> Edited | None:
    """The scene without a thing; None for a thing that carries others."""
    item = _item(scene, thing)
    if any(each.root == thing for each in scene.items):
        return None
    return _checked(scene, REMOVE, item, None, item.name, "")


def move(scene: Scene, thing: str, left: float) -> Edited | None:
    """The scene with a thing that stands for itself at a different place, `left` pixels of the sheet from its border.

    None for other things, and where no relation of it changes.
    """
    item = _item(scene, thing)
    if item.root or any(each.root == thing for each in scene.items):
        return None
    edited = _checked(scene, MOVE, item, replace(item, left=left), f"{item.left:.1f}", f"{left:.1f}")
    if edited and _relations(edited.scene.graph) == _relations(scene.graph):
        return None
    return edited


def _recolours(scene: Scene, thing: str, rng: random.Random) -> Iterator[Edited]:
    return filter(None, (recolour(scene, thing, color) for color in rng.sample(COLORS, len(COLORS))))


def _swaps(scene: Scene, thing: str, rng: random.Random) -> Iterator[Edited]:
    item = _item(scene, thing)
    names = [name for name, entry in catalogue().items() if _may_replace(item, entry)]
    return filter(None, (swap(scene, thing, name) for name in rng.sample(names, min(NUM_NAMES, len(names)))))


def _removals(scene: Scene, thing: str, _: random.Random) -> Iterator[Edited]:
    return filter(None, (remove(scene, thing),))


def _moves(scene: Scene, thing: str, rng: random.Random) -> Iterator[Edited]:
    most = max(3.0, WIDTH - 2 - _item(scene, thing).width)
    return filter(None, (move(scene, thing, rng.uniform(2, most)) for _ in range(NUM_PLACES)))


_TRIALS: dict[str, Callable[[Scene, str, random.Random], Iterator[Edited]]] = {
    RECOLOUR: _recolours,
    SWAP: _swaps,
    REMOVE: _removals,
    MOVE: _moves,
}


def _item(scene: Scene, thing: str) -> Item:
    return next(item for item in scene.items if item.id == thing)


def _may_replace(item: Item, entry: Entry) -> bool:
    """Whether a thing of this name may be where the item is, and have its attributes."""
    present = catalogue()[item.name]
    is_free = not item.root
    needed = set() if is_free else present.traits & entry.traits & PLACES
    if not is_free and not needed and item.name not in ("man", "woman"):
        return False
    alike = present.facts == entry.facts and ("person" in present.classes) == ("person" in entry.classes)
    needed_looks = {trait for trait in LOOKS if _has_look(item, trait)}
    return (
        alike
        and needed_looks <= entry.traits
        and ("aloft" in present.traits) == ("aloft" in entry.traits)
        and entry.name != item.name
    )


def _has_look(item: Item, trait: str) -> bool:
    """Whether an attribute of the item is one that only names with this trait have."""
    return any(value in item.attributes for value in ATTRIBUTES[LOOKS[trait]]) and (trait != "tint" or bool(item.tint))


def _shows_the_same(item: Item, sprite: Sprite) -> bool:
    """Whether the attributes of the item stay true with this picture."""
    if sprite.fact and sprite.fact not in item.attributes:
        return False
    if item.tint or "person" in catalogue()[item.name].classes:
        return True
    return natural_color(sprite.file) == next((value for value in item.attributes if value in COLORS), "")


def _exchanged(item: Item, entry: Entry, sprite: Sprite) -> Item:
    """The item under a different name, standing where it stood; what is carried or worn keeps its longer side."""
    present, usual = usual_extent(catalogue()[item.name], item.sprite), usual_extent(entry, sprite.file)
    times = max(present) / max(usual) if item.root else 1.0
    width, height = (
        times * after * size / before
        for before, after, size in zip(present, usual, (item.width, item.height), strict=True)
    )
    left, top = item.left + (item.width - width) / 2, item.top + item.height - height
    return replace(item, name=entry.name, sprite=sprite.file, left=left, top=top, width=width, height=height)


def _checked(scene: Scene, kind: str, item: Item, changed: Item | None, before: str, after: str) -> Edited | None:
    """The edit, if everything in the scene can still be seen and no other fact has changed."""
    items = tuple(changed if each is item else _without(each, "" if changed else item.id) for each in scene.items)
    image = f"{scene.image[0]}{KINDS.index(kind) + 1}{scene.image[2:]}"
    edited = replace(scene, image=image, items=tuple(each for each in items if each is not None))
    if any(seen.share < scene.settings.least_visible for seen in edited.seen.values()):
        return None
    is_same = _facts(scene.graph, item.id, kind) == _facts(edited.graph, item.id, kind)
    return Edited(edited, kind, item.id, before, after) if is_same else None


def _without(item: Item | None, target: str) -> Item | None:
    """The item without relations to a removed one."""
    if item is None or not any(relation.target == target for relation in item.relations):
        return item
    return replace(item, relations=tuple(each for each in item.relations if each.target != target))


def _facts(graph: SceneGraph, thing: str, kind: str) -> set[tuple[str, ...]]:
    """All facts that an edit of this kind must not change."""
    facts = {fact for each in graph for fact in _said_of(each) if not (each.id == thing and _may_change(fact, kind))}
    if kind == MOVE:
        return {fact for fact in facts if fact[0] != "relation" or thing not in fact[2:]}
    return {fact for fact in facts if kind != REMOVE or thing not in fact[2:]}


def _said_of(thing: Thing) -> Iterator[tuple[str, ...]]:
    yield "name", thing.name, thing.id
    yield from (("attribute", value, thing.id) for value in thing.attributes)
    yield from (("relation", relation.name, thing.id, relation.target) for relation in thing.relations)


def _may_change(fact: tuple[str, ...], kind: str) -> bool:
    if kind == RECOLOUR:
        return fact[0] == "attribute" and fact[1] in COLORS
    return kind == SWAP and fact[0] == "name"


def _relations(graph: SceneGraph) -> set[tuple[str, ...]]:
    return {fact for thing in graph for fact in _said_of(thing) if fact[0] == "relation"}
