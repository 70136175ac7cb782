"""Attributes of objects by size: of the matched and of all true ones, with intervals; and which shapes are confused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, SHAPES, SIZES
from nsmodels.systems.visual.evaluation.scoring import FEWEST_IMAGES, interval
from nsmodels.systems.visual.perception.matching import match_objects
from nsmodels.systems.visual.reasoning.belief import Scene, SceneBelief

ALL = "all_attributes"
NOT_FOUND = "not found"


def object_table(scenes: Iterable[Scene], beliefs: Iterable[SceneBelief]) -> dict[str, Any]:
    """Share of objects with each attribute, and all of them, right, for all objects and by true size.

    An object that is not found counts as wrong in `of_true` and is left out of `of_matched`. Keys: groups, by name
    num_true, num_matched, of_true, of_matched (each by attribute: accuracy, interval); shapes, by true and predicted
    shape the number of objects; num_images. Intervals as of `scoring.interval`.
    """
    objects = [o for image, pair in enumerate(zip(scenes, beliefs, strict=True)) for o in _objects(image, *pair)]
    groups = {"all": objects} | {size: [o for o in objects if o["size"] == size] for size in SIZES}
    shapes = {true: dict.fromkeys((*SHAPES, NOT_FOUND), 0) for true in SHAPES}
    for each in objects:
        shapes[each["shape"]][each["seen"]] += 1
    num_images = len({o["image"] for o in objects})
    return {"groups": {name: _group(g) for name, g in groups.items() if g}, "shapes": shapes, "num_images": num_images}


def _objects(image: int, scene: Scene, belief: SceneBelief) -> Iterator[dict[str, Any]]:
    """Each true object of a scene: its image, size, shape, the shape seen, and by attribute whether it is right."""
    truth = SceneBelief.from_scene(scene, belief.image_size)
    found, true = match_objects(belief, truth)
    match = dict(zip(true.tolist(), found.tolist(), strict=True))
    for row, thing in enumerate(scene["objects"]):
        known = {"image": image, "size": thing["size"], "shape": thing["shape"], "is_matched": row in match}
        seen = {
            name: values[int(belief.attributes[name][match[row]].argmax())] if row in match else NOT_FOUND
            for name, values in ATTRIBUTES.items()
        }
        right = {name: seen[name] == thing[name] for name in ATTRIBUTES}
        yield known | {"seen": seen["shape"], "right": right | {ALL: all(right.values())}}


def _group(objects: list[dict[str, Any]]) -> dict[str, Any]:
    matched = [o for o in objects if o["is_matched"]]
    shares = {"of_true": _shares(objects), "of_matched": _shares(matched)}
    return {"num_true": len(objects), "num_matched": len(matched), **shares}


def _shares(objects: list[dict[str, Any]]) -> dict[str, Any]:
    images = np.array([o["image"] for o in objects])
    found = {name: np.array([o["right"][name] for o in objects], float) for name in (*ATTRIBUTES, ALL)}
    if not objects:
        return {name: {"accuracy": None, "interval": None} for name in found}
    return {name: {"accuracy": float(right.mean()), **interval(right, images)} for name, right in found.items()}


def object_lines(result: Mapping[str, Any]) -> list[str]:
    """The table as lines for a terminal, in per cent."""
    lines = [
        f"{'objects right in %':<25}{'n':>6}" + "".join(f"{name.replace('_', ' '):>18}" for name in (*ATTRIBUTES, ALL))
    ]
    for name, group in result["groups"].items():
        for kind in ("matched", "true"):
            cells = "".join(f"{_share(share):>18}" for share in group[f"of_{kind}"].values())
            lines.append(f"{f'  {name}, of {kind} ones':<25}{group[f'num_{kind}']:>6}{cells}")
    if result["num_images"] < FEWEST_IMAGES:
        lines.append(f"  {result['num_images']} images are too few for intervals")
    return [*lines, *_confusion_lines(result["shapes"])]


def _share(share: Mapping[str, Any]) -> str:
    if share["accuracy"] is None:
        return "-"
    bounds = "" if share["interval"] is None else f" {'–'.join(f'{100 * x:.1f}' for x in share['interval'])}"
    return f"{100 * share['accuracy']:.1f}{bounds}"


def _confusion_lines(shapes: Mapping[str, Mapping[str, int]]) -> list[str]:
    names = next(iter(shapes.values()))
    head = f"{'true shape, seen as':<22}" + "".join(f"{name:>11}" for name in names)
    return [head, *(f"  {true:<20}" + "".join(f"{num:>11}" for num in row.values()) for true, row in shapes.items())]
