"""Belief about one image: probabilities of its objects, their attributes, positions and relations.

Shapes: n objects. Every fact keeps its probability; none is decided before the question is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.rendering.scenes import DIRECTIONS
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS

Array = np.ndarray
Scene = dict[str, Any]

OPPOSITE = {"left": "right", "right": "left", "front": "behind", "behind": "front"}

# CLEVR rejects scenes with a pair closer than 0.4 along either axis, so of two objects one is always left and one in
# front: the threshold of least error is the middle of that gap, at 0, not the release's 0.2.
RELATION_THRESHOLD = 0.0  # scene units
# Scale of the logistic error of a difference of two coordinates. Its standard deviation, π / √3 · 0.06 = 0.11, is that
# of the difference of two independent coordinates with errors of 0.08 each, √2 · 0.08 = 0.11.
RELATION_SCALE = 0.06
CLEVR_SIZE = (480, 320)


def relation_probabilities(
    coords: Array, scale: float = RELATION_SCALE, threshold: float = RELATION_THRESHOLD
) -> dict[str, Array]:
    """Relations from ground coordinates: `result[rel][i, j]` is the probability that j is `rel` of i.

    `coords` is (n, 3), `scale` and `threshold` are lengths, all in scene units. Returns one float array (n, n) with a
    zero diagonal per relation.
    """
    # j is `rel` of i where the true offset along the relation's direction u exceeds the threshold t. The predicted
    # offset d = (x_j − x_i) · u has an error e of logistic distribution with scale s:
    #     P(d + e > t) = P(e > t − d) = σ((d − t) / s).
    # Opposite directions are −u, so that with t = 0 P(right) = σ(−d / s) = 1 − P(left): one of the two always holds.
    # Relations along the two axes are taken as independent.
    offsets = np.asarray(coords, float)[None, :, :] - np.asarray(coords, float)[:, None, :]
    result = {}
    for name in RELATIONS:
        margin = (offsets @ np.asarray(DIRECTIONS[name]) - threshold) / scale
        probability = 1.0 / (1.0 + np.exp(-np.clip(margin, -60.0, 60.0)))  # the clip avoids an overflow in exp
        np.fill_diagonal(probability, 0.0)
        result[name] = probability
    return result


@dataclass(frozen=True, eq=False)
class SceneBelief:
    """Probabilities over one scene of n objects, in the order given by perception (o1 is index 0).

    presence (n,); attributes {"size": (n, 2), "color": (n, 8), "material": (n, 2), "shape": (n, 3)} with rows that sum
    to 1; coords (n, 3) as CLEVR's `3d_coords`; pixels (n, 2) as x, y in the image as given; image_size (width, height);
    relations[rel][i, j] = P(j is rel of i). Raises InputError when the shapes disagree.
    """

    presence: Array
    attributes: dict[str, Array]
    coords: Array
    pixels: Array
    image_size: tuple[int, int]
    relations: dict[str, Array]

    def __post_init__(self) -> None:
        count = len(self.presence)
        expected = {name: (count, len(values)) for name, values in ATTRIBUTES.items()}
        expected |= dict.fromkeys(RELATIONS, (count, count)) | {"coords": (count, 3), "pixels": (count, 2)}
        found = {**self.attributes, **self.relations, "coords": self.coords, "pixels": self.pixels}
        for name, shape in expected.items():
            if name not in found or found[name].shape != shape:
                actual = found[name].shape if name in found else "none"
                raise InputError(f"SceneBelief: `{name}` must be an array of shape {shape}, got {actual}")

    def __len__(self) -> int:
        return len(self.presence)

    @classmethod
    def from_predictions(
        cls, presence: Array, attributes: dict[str, Array], coords: Array, pixels: Array, image_size: tuple[int, int]
    ) -> SceneBelief:
        """A belief with relations computed from the ground coordinates; shapes and errors as for the class."""
        return cls(presence, attributes, coords, pixels, image_size, relation_probabilities(coords))

    @classmethod
    def from_scene(cls, scene: Scene, image_size: tuple[int, int] = CLEVR_SIZE) -> SceneBelief:
        """The certain belief: every fact of a scene in CLEVR's released form with probability 1.

        `image_size`: width and height in pixels. Raises InputError for an unknown attribute value.
        """
        objects = scene["objects"]
        coords = np.array([o["3d_coords"] for o in objects], float).reshape(-1, 3)
        pixels = np.array([o["pixel_coords"][:2] for o in objects], float).reshape(-1, 2)
        attributes = {name: _one_hot([o[name] for o in objects], name) for name in ATTRIBUTES}
        relations = {name: _adjacency(scene["relationships"][name]) for name in RELATIONS}
        return cls(np.ones(len(objects)), attributes, coords, pixels, image_size, relations)

    def words(self, number: int) -> str:
        """The most likely attributes of object `number`, counted from 1: `large red metal cube`.

        A question mark follows a value below 0.9.
        """
        rows = [(values, self.attributes[name][number - 1]) for name, values in ATTRIBUTES.items()]
        return " ".join(values[int(row.argmax())] + ("" if row.max() >= 0.9 else "?") for values, row in rows)

    def place(self, number: int) -> str:
        """Where object `number`, counted from 1, is in the image: pixels, and the third of the width and height."""
        x, y = self.pixels[number - 1]
        thirds = [min(2, max(0, int(3 * at / side))) for at, side in zip((x, y), self.image_size, strict=True)]
        across, down = ("left", "middle", "right")[thirds[0]], ("top", "middle", "bottom")[thirds[1]]
        return f"at {x:.0f},{y:.0f} ({'middle' if across == down else f'{down} {across}'})"

    def most_likely(self) -> Scene:
        """Scene of the most likely value of each fact, in CLEVR's released form, of the objects with presence ≥ 0.5."""
        values = {name: table.argmax(axis=1) for name, table in self.attributes.items()}
        relations = {name: table > 0.5 for name, table in self.relations.items()}
        return self.to_scene(self.presence >= 0.5, values, relations)

    def to_scene(self, present: Array, values: dict[str, Array], relations: dict[str, Array]) -> Scene:
        """Scene in the released form with these facts: present (n,) bool, values (n,) int, relations (n, n) bool."""
        kept = np.flatnonzero(present)
        number = {int(old): new for new, old in enumerate(kept)}
        related = {
            name: [[number[j] for j in np.flatnonzero(table[i]).tolist() if j in number] for i in kept]
            for name, table in relations.items()
        }
        objects = [self._object(int(i), values) for i in kept]
        directions = {name: list(vector) for name, vector in DIRECTIONS.items()}
        return {"objects": objects, "relationships": related, "directions": directions}

    def _object(self, index: int, values: dict[str, Array]) -> dict[str, Any]:
        named = {name: ATTRIBUTES[name][int(values[name][index])] for name in ATTRIBUTES}
        pixel = [round(float(x)) for x in self.pixels[index]]
        return {
            "color": named["color"],
            "size": named["size"],
            "rotation": 0.0,
            "shape": named["shape"],
            "3d_coords": [float(x) for x in self.coords[index]],
            "material": named["material"],
            "pixel_coords": [*pixel, 0.0],
        }


def _one_hot(values: list[str], attribute: str) -> Array:
    known = ATTRIBUTES[attribute]
    unknown = [v for v in values if v not in known]
    if unknown:
        raise InputError(f"scene: `{attribute}` is {unknown[0]!r}; expected one of {', '.join(known)}")
    return np.eye(len(known))[[known.index(v) for v in values]].reshape(-1, len(known))


def _adjacency(lists: list[list[int]]) -> Array:
    table = np.zeros((len(lists), len(lists)))
    for i, row in enumerate(lists):
        table[i, row] = 1.0
    return table
