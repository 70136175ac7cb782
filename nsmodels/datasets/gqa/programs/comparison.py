"""Comparisons of two objects: older, larger, healthier … from stated attributes, the kind of thing, then boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nsmodels.datasets.gqa.programs.scene import Compiled
from nsmodels.datasets.gqa.programs.words import HEALTHY, UNHEALTHY, YOUNG, singular
from nsmodels.formats.scenes.graphs import Box

_SIZES = {"tiny": -3, "small": -2, "little": -2, "large": 2, "big": 2, "huge": 3, "giant": 4}
STATED: Mapping[str, Mapping[str, int]] = {
    "old": {"old": 2, "young": -2, "little": -3, "adult": 1},
    "large": _SIZES,
    "tall": {"tall": 2, "short": -2},
    "long": {"long": 2, "short": -2},
    "healthy": {"healthy": 2, "unhealthy": -2},
    "high": {},
}
SCALES: Mapping[str, tuple[str, int]] = {
    "older": ("old", 1),
    "younger": ("old", -1),
    "larger": ("large", 1),
    "smaller": ("large", -1),
    "taller": ("tall", 1),
    "shorter": ("tall", -1),
    "longer": ("long", 1),
    "higher": ("high", 1),
    "lower": ("high", -1),
    "healthier": ("healthy", 1),
    "less healthy": ("healthy", -1),
}
BOXES: Mapping[str, Callable[[Box], float]] = {
    "large": lambda box: box.w * box.h,
    "tall": lambda box: box.h,
    "long": lambda box: max(box.w, box.h),
    "high": lambda box: -box.centre[1],
}


def compare(scene: Compiled, comparison: str, first: int, second: int) -> int | None:
    """Number of the object that is "older" (or as `comparison` says) of the two; None: they are equal."""
    scale, sign = SCALES[comparison]
    for measure in (_stated, _stated_or_kind, _box):
        a, b = (measure(scene, scale, index) for index in (first, second))
        if a is not None and b is not None and a != b:
            return first if (a > b) == (sign > 0) else second
    return None


def _stated(scene: Compiled, scale: str, index: int) -> float | None:
    known = STATED[scale]
    levels = [known[value] for value in scene.things[index].attributes if value in known]
    return float(sum(levels)) if levels else None


def _stated_or_kind(scene: Compiled, scale: str, index: int) -> float | None:
    """Level as stated, else by what a thing is: a boy is young, a vegetable is healthy."""
    stated = _stated(scene, scale, index)
    return _kind(scene, scale, index) if stated is None else stated


def _kind(scene: Compiled, scale: str, index: int) -> float | None:
    name = singular(scene.things[index].name)
    above = {name, *scene.vocabulary.parents.get(name, ()), *scene.vocabulary.parents.get(scene.things[index].name, ())}
    if scale == "old":
        return -1.0 if name in YOUNG else 0.0
    if scale == "healthy":
        return float(bool(above & HEALTHY)) - float(bool(above & UNHEALTHY))
    return None


def _box(scene: Compiled, scale: str, index: int) -> float | None:
    return BOXES[scale](scene.things[index].box) if scale in BOXES else None
