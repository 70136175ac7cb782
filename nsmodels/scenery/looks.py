"""Looks of things: attributes drawn from priors per name, and the pictures that show them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from nsmodels.scenery.catalogue import Entry, Sprite
from nsmodels.scenery.config import OOD, UNSEEN, ScenerySettings
from nsmodels.scenery.furniture import SHAPES
from nsmodels.scenery.sprites import aspect
from nsmodels.scenery.tints import natural_color
from nsmodels.scenery.words import ATTRIBUTES, COLORS

FACTORS = {"small": 0.7, "": 1.0, "large": 1.4}  # of the usual size of a thing
SIZED = 0.5  # share of things whose size is not the usual one


@dataclass(frozen=True)
class Look:
    """How a thing looks: see `nsmodels.scenery.scenes.Item`; `size` is "small", "large" or "" (usual)."""

    entry: Entry
    sprite: str
    tint: str
    pattern: str
    size: str
    attributes: tuple[str, ...]

    def extent(self, scale: float) -> tuple[float, float]:
        """Width and height in pixels of the sheet, at a scale of 1 at depth 1."""
        longest, ratio = self.entry.size * FACTORS[self.size] * scale, aspect(self.sprite)
        return (longest, longest / ratio) if ratio > 1 else (longest * ratio, longest)


@dataclass(frozen=True)
class Draws:
    """Random choices of one scene."""

    rng: random.Random
    split: str
    seed: int
    settings: ScenerySettings

    def value(self, values: tuple[str, ...], name: str, kind: str) -> str:
        """One of the values, by the prior of this name and attribute type in the split."""
        chances = prior(self.seed, self.settings.bias, name, kind, len(values), self.split == OOD)
        return self.rng.choices(values, cum_weights=chances)[0]

    def look(self, entry: Entry, fact: str = "", may_vary: bool = True) -> Look:
        """A look of a name; `fact` fixes pose, state or material; `may_vary`: the size may be small or large."""
        sprite = self._sprite(entry, fact)
        tint = self._tint(entry, sprite)
        color = tint or ("" if "person" in entry.classes else natural_color(sprite.file))
        size = pattern = ""
        if may_vary and "person" not in entry.classes and self.rng.random() < SIZED:
            size = self.value(ATTRIBUTES["size"], entry.name, "size")
        if tint and "pattern" in entry.traits:
            pattern = self.value(ATTRIBUTES["pattern"], entry.name, "pattern")
        attributes = tuple(value for value in (color, size, pattern, sprite.fact) if value)
        return Look(entry, sprite.file, tint, pattern, size, attributes)

    def _sprite(self, entry: Entry, fact: str) -> Sprite:
        sprites = entry.sprites_of(self.split == UNSEEN)
        facts = tuple(dict.fromkeys(sprite.fact for sprite in sprites))
        if len(facts) > 1:
            chosen = fact if fact in facts else self.value(facts, entry.name, "fact")
            sprites = tuple(sprite for sprite in sprites if sprite.fact == chosen)
        return self.rng.choice(sprites)

    def _tint(self, entry: Entry, sprite: Sprite) -> str:
        is_drawn = sprite.file.partition("-")[0] in SHAPES  # in greys, with a colour that depends on its material
        if is_drawn:
            return self.value(COLORS, entry.name, f"color of {sprite.fact}")
        if "tint" in entry.traits and self.rng.random() < self.settings.tinted:
            return self.value(COLORS, entry.name, "color")
        return ""


@lru_cache(maxsize=65536)
def prior(seed: int, bias: float, name: str, kind: str, num_values: int, is_reversed: bool) -> tuple[float, ...]:
    """Cumulated probabilities of attribute values for a name, from a Dirichlet of concentration 1 / `bias`.

    Reversed: the most probable value has the probability of the least probable one, and so on.
    """
    chances = [1 / num_values] * num_values
    if bias > 0:
        rng = random.Random(f"prior/{seed}/{name}/{kind}")
        drawn = [rng.gammavariate(1 / bias, 1.0) + 1e-9 for _ in range(num_values)]
        chances = [value / sum(drawn) for value in drawn]
    if is_reversed:
        order = sorted(range(num_values), key=chances.__getitem__)
        swapped = dict(zip(order, reversed(order), strict=True))
        chances = [chances[swapped[k]] for k in range(num_values)]
    return tuple(accumulate(chances))
