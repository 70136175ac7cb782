"""Looks of things: attributes drawn from priors per name, and the pictures that show them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from nsmodels.scenery.catalogue import Entry, Sprite
from nsmodels.scenery.config import OOD, UNSEEN, ScenerySettings
from nsmodels.scenery.graphics.furniture import is_drawn
from nsmodels.scenery.graphics.sprites import aspect
from nsmodels.scenery.graphics.tints import natural_color
from nsmodels.scenery.words import ATTRIBUTES, COLORS

# Factors of the usual width and height of a thing.
FACTORS = {"": (1.0, 1.0), "small": (0.7, 0.7), "large": (1.4, 1.4), "short": (1.05, 0.66), "tall": (0.95, 1.4)}
FLATTEST = 0.3  # exponent: long and flat pictures are larger, so that their short side can be made out
EVEN = 0.2  # share of things whose attributes do not depend on their name
SIZED = 0.5  # share of things whose size or height is not the usual one


@dataclass(frozen=True)
class Look:
    """How a thing looks: see `nsmodels.scenery.scenes.Item`; `size` is one of `FACTORS`."""

    entry: Entry
    sprite: str
    tint: str
    pattern: str
    size: str
    attributes: tuple[str, ...]

    def extent(self, scale: float) -> tuple[float, float]:
        """Width and height in pixels of the sheet, at a scale of 1 at depth 1."""
        width, height = usual_extent(self.entry, self.sprite)
        across, down = FACTORS[self.size]
        return across * scale * width, down * scale * height


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
            kind = "height" if "height" in entry.traits and self.rng.random() < 0.5 else "size"
            size = self.value(ATTRIBUTES[kind], entry.name, kind)
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
        if is_drawn(sprite.file):  # in greys, with a colour that depends on material or shape
            return self.value(COLORS, entry.name, f"color of {sprite.fact}")
        if "tint" in entry.traits and self.rng.random() < self.settings.tinted:
            return self.value(COLORS, entry.name, "color")
        return ""


@lru_cache(maxsize=1024)
def usual_extent(entry: Entry, sprite: str) -> tuple[float, float]:
    """Usual width and height of a thing in pixels of the sheet, at depth 1."""
    ratio = aspect(sprite)
    longest = entry.size if "person" in entry.traits else entry.size * max(ratio, 1 / ratio) ** FLATTEST
    return (longest, longest / ratio) if ratio > 1 else (longest * ratio, longest)


@lru_cache(maxsize=65536)
def prior(seed: int, bias: float, name: str, kind: str, num_values: int, is_reversed: bool) -> tuple[float, ...]:
    """Cumulated probabilities of attribute values for a name, from a Dirichlet of concentration 1 / `bias`.

    Reversed: the most probable value has the probability of the least probable one, and so on.
    """
    chances = [1 / num_values] * num_values
    if bias > 0:
        rng = random.Random(f"prior/{seed}/{name}/{kind}")
        drawn = [rng.gammavariate(1 / bias, 1.0) + 1e-9 for _ in range(num_values)]
        chances = [EVEN / num_values + (1 - EVEN) * value / sum(drawn) for value in drawn]
    if is_reversed:
        order = sorted(range(num_values), key=chances.__getitem__)
        swapped = dict(zip(order, reversed(order), strict=True))
        chances = [chances[swapped[k]] for k in range(num_values)]
    return tuple(accumulate(chances))
