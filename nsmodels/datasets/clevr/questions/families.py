"""CLEVR's 90 question families: the forms of their questions, and the program of a form.

A question is a small tree without words: a `Form` is a function of one or two `Group`s; a group is described by
attribute values and by `Link`s to other, uniquely described objects. Families are numbered as in the release.

Family 0 (plain groups, `equal_integer`) can never be true in the public generator; here
both answers occur, so it is kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES

# Values of size, color, material and shape; an empty string for an attribute that is not described.
Description = tuple[str, str, str, str]
BLANK: Description = ("", "", "", "")
Program = list[dict[str, Any]]


class Link(NamedTuple):
    """A link to one other object: `function` is "relate" (value: a relation) or "same" (value: an attribute)."""

    function: str
    value: str
    target: Group


class Group(NamedTuple):
    """A described set of objects; of two links both hold. Where a single object is meant it must be unique."""

    description: Description
    links: tuple[Link, ...] = ()


class Form(NamedTuple):
    """Logical form of a question: `function`, the last of the program, of `groups`; `head` filters their union."""

    function: str
    groups: tuple[Group, ...]
    head: Description | None = None


class Family(NamedTuple):
    """The shape of a family's questions.

    Attributes:
        template: name of the family's file in the release.
        function: last function of the program.
        links: for each group the kind of its links: "" none, "r" relate, "rr" and "rrr" chains, "r&r" two at once, or
            the attribute that it shares with one other object.
        head: attribute by which a union is filtered; "" for none; None where there is no union.
        is_filtered: whether a group that shares an attribute has a description of its own.
    """

    template: str
    function: str
    links: tuple[str, ...]
    head: str | None = None
    is_filtered: bool = True


def _queries(template: str, order: str, links: str) -> list[Family]:
    """Families that differ in the last function only, in the release's order."""
    named = {name: name if name in ("count", "exist") else f"query_{name}" for name in order.split()}
    return [Family(template, named[name], (links,)) for name in order.split()]


def _compare_integer() -> list[Family]:
    order = ("equal_integer", "less_than", "greater_than")
    return [Family("compare_integer", name, ties) for ties in (("", ""), ("r", ""), ("r", "r")) for name in order]


def _comparison() -> list[Family]:
    plain = [Family("comparison", f"equal_{name}", ("", "")) for name in ATTRIBUTES]
    ties = (("r", ""), ("", "r"), ("r", "r"))
    return plain + [Family("comparison", f"equal_{name}", tie) for name in ATTRIBUTES for tie in ties]


def _same_relate() -> list[Family]:
    asked = [
        Family("same_relate", function, (name,), is_filtered=is_filtered)
        for is_filtered in (False, True)
        for function in ("exist", "count")
        for name in ATTRIBUTES
    ]
    queries = [
        Family("same_relate", f"query_{asks}", (shared,))
        for shared, names in {
            "size": ("color", "material", "shape"),
            "color": ("size", "material", "shape"),
            "material": ("size", "color", "shape"),
            "shape": ("size", "color", "material"),
        }.items()
        for asks in names
    ]
    return asked + queries


def _single_or() -> list[Family]:
    order = (("", "", ""), ("size", "", ""), ("color", "", ""), ("", "r", "r"))
    order += (("material", "", ""), ("shape", "", ""), ("", "r", ""), ("", "", "r"))
    return [Family("single_or", "count", (first, second), head) for head, first, second in order]


FAMILIES: tuple[Family, ...] = (
    *_compare_integer(),
    *_comparison(),
    *_queries("three_hop", "count exist size shape color material", "rrr"),
    *_queries("single_and", "count size color material shape", "r&r"),
    *_same_relate(),
    *_single_or(),
    *_queries("one_hop", "count exist size color material shape", "r"),
    *_queries("two_hop", "count exist size color material shape", "rr"),
    *_queries("zero_hop", "count exist shape material color size", ""),
)


def program_of(form: Form) -> Program:
    """Program of a form, its nodes in the order of the release."""
    nodes: Program = []
    if form.head is not None:
        _add(nodes, "count", _union(nodes, form))
    elif form.function.startswith("equal_") and form.function != "equal_integer":
        _add(nodes, form.function, *_compared(nodes, form))
    elif form.function.startswith("query_"):
        _add(nodes, form.function, _object(nodes, form.groups[0]))
    elif len(form.groups) == 2:
        _add(nodes, form.function, *[_add(nodes, "count", _set(nodes, group)) for group in form.groups])
    else:
        _add(nodes, form.function, _set(nodes, form.groups[0]))
    return nodes


def _add(nodes: Program, function: str, *inputs: int, value: str = "") -> int:
    nodes.append({"inputs": list(inputs), "function": function, "value_inputs": [value] if value else []})
    return len(nodes) - 1


def _filtered(nodes: Program, source: int, description: Description) -> int:
    for name, value in zip(ATTRIBUTES, description, strict=True):
        if value:
            source = _add(nodes, f"filter_{name}", source, value=value)
    return source


def _object(nodes: Program, group: Group) -> int:
    return _add(nodes, "unique", _set(nodes, group))


def _set(nodes: Program, group: Group) -> int:
    # The release starts with the link that is last in the sentence.
    sources = [_tied(nodes, link) for link in reversed(group.links)] or [_add(nodes, "scene")]
    source = _add(nodes, "intersect", *sources) if len(sources) == 2 else sources[0]
    return _filtered(nodes, source, group.description)


def _tied(nodes: Program, link: Link) -> int:
    target = _object(nodes, link.target)
    if link.function == "same":
        return _add(nodes, f"same_{link.value}", target)
    return _add(nodes, "relate", target, value=link.value)


def _compared(nodes: Program, form: Form) -> list[int]:
    query = form.function.replace("equal_", "query_")
    # Two of the release's templates name both plain objects before they query either.
    if query in ("query_size", "query_color") and not any(group.links for group in form.groups):
        objects = [_object(nodes, group) for group in form.groups]
        return [_add(nodes, query, thing) for thing in objects]
    return [_add(nodes, query, _object(nodes, group)) for group in form.groups]


def _union(nodes: Program, form: Form) -> int:
    head = form.head or BLANK
    if head[3]:  # one template of the release starts with both scenes
        scenes = [_add(nodes, "scene") for _ in form.groups]
        parts = [_filtered(nodes, s, group.description) for s, group in zip(scenes, form.groups, strict=True)]
    else:
        parts = [_set(nodes, group) for group in form.groups]
    return _filtered(nodes, _add(nodes, "union", *parts), head)
