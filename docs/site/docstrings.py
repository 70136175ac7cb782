"""An extension of Sphinx for the docstrings of the library, which are plain text with code in single backticks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.domains.python._object import PyObject

NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")
OF_TUPLES = "Alias for field number"  # Python's own docstring of the fields of a named tuple


def setup(app: Sphinx) -> Mapping[str, Any]:
    """Add the role `name`, leave fields without a docstring of their own out, and call attributes attributes."""
    app.add_role("name", name)
    app.connect("autodoc-skip-member", skip)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    return {"parallel_read_safe": True}


def name(
    role: str,
    raw: str,
    text: str,
    line: int,
    inliner: Any,
    options: Mapping[str, Any] | None = None,
    content: Sequence[str] = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """A reference where the text is the name of an object, else code."""
    if NAME.fullmatch(text):
        return PyXRefRole()("py:obj", raw, text, line, inliner)
    return [nodes.literal(raw, nodes.unescape(text))], []


def skip(app: Sphinx, kind: str, name: str, found: Any, is_skipped: bool, options: Any) -> bool | None:
    """Skip the fields of named tuples, which the docstring of the class describes."""
    return True if (getattr(found, "__doc__", None) or "").startswith(OF_TUPLES) else None
