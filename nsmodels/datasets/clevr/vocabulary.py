"""CLEVR's closed vocabulary: attributes, relations, functions with their types, answers."""

from __future__ import annotations

COLORS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
SHAPES = ("cube", "sphere", "cylinder")
SIZES = ("large", "small")
MATERIALS = ("rubber", "metal")
RELATIONS = ("left", "right", "front", "behind")

# Order of the attributes in every array and table of this project.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "size": SIZES,
    "color": COLORS,
    "material": MATERIALS,
    "shape": SHAPES,
}
ATTRIBUTE_OF = {value: name for name, values in ATTRIBUTES.items() for value in values}
MAX_OBJECTS = 10
ANSWERS = (*(str(n) for n in range(MAX_OBJECTS + 1)), "yes", "no", *COLORS, *MATERIALS, *SHAPES, *SIZES)

# function → (types of its inputs, type of its output); values are "set", "object", "int", "bool" or an attribute name.
FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "scene": ((), "set"),
    "unique": (("set",), "object"),
    "relate": (("object",), "set"),
    "intersect": (("set", "set"), "set"),
    "union": (("set", "set"), "set"),
    "count": (("set",), "int"),
    "exist": (("set",), "bool"),
    "equal_integer": (("int", "int"), "bool"),
    "less_than": (("int", "int"), "bool"),
    "greater_than": (("int", "int"), "bool"),
    **{f"filter_{name}": (("set",), "set") for name in ATTRIBUTES},
    **{f"query_{name}": (("object",), name) for name in ATTRIBUTES},
    **{f"same_{name}": (("object",), "set") for name in ATTRIBUTES},
    **{f"equal_{name}": ((name, name), "bool") for name in ATTRIBUTES},
}

# The five groups in which the literature reports accuracy, by the last function of the program.
QUESTION_TYPES = ("count", "exist", "compare_number", "compare_attribute", "query_attribute")


def question_type(last_function: str) -> str:
    """Reporting group of a question, one of `QUESTION_TYPES`, from the last function of its program."""
    if last_function in ("count", "exist"):
        return last_function
    if last_function in ("equal_integer", "less_than", "greater_than"):
        return "compare_number"
    return "compare_attribute" if last_function.startswith("equal_") else "query_attribute"
