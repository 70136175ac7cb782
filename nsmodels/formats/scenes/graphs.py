"""Scene graphs in memory and in the form of GQA's released `sceneGraphs.json`. Numpy-free and torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nsmodels.core.errors import InputError

LEFT, RIGHT = "to the left of", "to the right of"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; `x`, `y` is its upper left corner."""

    x: int
    y: int
    w: int
    h: int

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y in pixels."""
        return self.x + self.w / 2, self.y + self.h / 2


@dataclass(frozen=True, slots=True)
class Relation:
    """Names what the object that states it is to `target`: `Relation("wearing", "17")` of a person."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of a scene. `attributes` is a set in the order of the file: one tree may be green and brown."""

    id: str
    name: str
    box: Box
    attributes: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True)
class SceneGraph:
    """Objects of an image with their names, attributes and relations.

    Attributes:
        image: id of the image, a string as in the release ("2354786", "n578564").
        width, height: size of the image in pixels.
        things: its objects, in the order of the file.
        location: place, as "indoors"; empty: not stated.
        weather: as "sunny"; empty: not stated.
    """

    image: str
    width: int
    height: int
    things: tuple[Thing, ...]
    location: str = ""
    weather: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Thing]:
        """Its objects by id."""
        return {thing.id: thing for thing in self.things}

    def __iter__(self) -> Iterator[Thing]:
        return iter(self.things)


def as_json(graph: SceneGraph) -> dict[str, Any]:
    """The graph as a value of the released file, whose keys are image ids."""
    document: dict[str, Any] = {"width": graph.width, "height": graph.height}
    document |= {key: value for key in ("location", "weather") if (value := getattr(graph, key))}
    document["objects"] = {thing.id: _thing_as_json(thing) for thing in graph}
    return document


def read_graph(image: str, document: Any, where: str) -> SceneGraph:
    """The graph of `image` from a value of the released file; `where` names the file in errors.

    Raises `InputError` that names file, image, object and field.
    """
    place = f"{where}: image '{image}'"
    fields = _mapping(document, place)
    objects = _mapping(fields.get("objects"), f"{place}, field 'objects'")
    things = tuple(_read_thing(key, value, f"{place}, object '{key}'") for key, value in objects.items())
    for thing in things:
        for relation in thing.relations:
            if relation.target not in objects:
                raise InputError(
                    f"{place}, object '{thing.id}', field 'relations': '{relation.name}' names object "
                    f"'{relation.target}', expected one of the {len(objects)} objects of this image"
                )
    width, height = (_whole(fields, name, place, least=1) for name in ("width", "height"))
    texts = {name: _text(fields, name, place) for name in ("location", "weather") if name in fields}
    return SceneGraph(image, width, height, things, **texts)


def _thing_as_json(thing: Thing) -> dict[str, Any]:
    relations = [{"name": each.name, "object": each.target} for each in thing.relations]
    box = thing.box
    document = {"name": thing.name, "h": box.h, "relations": relations, "w": box.w}
    return document | {"attributes": list(thing.attributes), "y": box.y, "x": box.x}


def _read_thing(key: str, document: Any, place: str) -> Thing:
    fields = _mapping(document, place)
    attributes = fields.get("attributes", [])
    if not isinstance(attributes, list) or not all(isinstance(each, str) for each in attributes):
        raise InputError(f"{place}, field 'attributes': expected a list of strings, got {attributes!r}")
    relations = fields.get("relations", [])
    if not isinstance(relations, list):
        raise InputError(f"{place}, field 'relations': expected a list, got {relations!r}")
    stated = (_mapping(each, f"{place}, field 'relations'") for each in relations)
    parsed = (Relation(_text(each, "name", place), _text(each, "object", place)) for each in stated)
    box = Box(*(_whole(fields, name, place, least=None) for name in "xy"), *(_whole(fields, s, place, 0) for s in "wh"))
    return Thing(key, _text(fields, "name", place), box, tuple(attributes), tuple(parsed))


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{place}: expected a JSON object, got {type(value).__name__}")
    return value


def _text(fields: Mapping[str, Any], name: str, place: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InputError(f"{place}, field '{name}': expected a string, got {value!r}")
    return value


def _whole(fields: Mapping[str, Any], name: str, place: str, least: int | None) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        bound = "" if least is None else f" from {least} on"
        raise InputError(f"{place}, field '{name}': expected a whole number{bound}, got {value!r}")
    return value
