"""Reference of the library, from its docstrings: a page for each public module, which autodoc fills."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from docs.site import markdown
from nsmodels.core import discover

# Packages, with all modules below them, and single modules. Models: what `nsmodels.load` returns.
PACKAGES = {
    "the front door": ("nsmodels", "nsmodels.loading", "nsmodels.notebook"),
    "engine": ("nsmodels.engine",),
    "evaluation": ("nsmodels.evaluation",),
    "formats": ("nsmodels.formats",),
    "rules": ("nsmodels.logic",),
    "configurations and artifacts": ("nsmodels.core.config", "nsmodels.core.artifact", "nsmodels.core.orders"),
}
ALONE = ("nsmodels", "nsmodels.loading")  # without what is below them
INTRODUCTION = """# Library

What can be imported, from the docstrings. `import nsmodels` is enough for most uses: `load`, `report`, `checkpoints`.
The contract of a system is [`nsmodels.engine.system`](nsmodels.engine.system.md).
"""


def pages() -> dict[str, str]:
    """A page for each module, and the list of all by package, by name in the site."""
    found = [INTRODUCTION]
    modules: dict[str, str] = {}
    for title, roots in {
        **PACKAGES,
        "systems": tuple(f"nsmodels.systems.{each}" for each in discover.systems()),
    }.items():
        inner = {name: first_line(name) for root in roots for name in names(root)}
        rows = [[f"[{name}]({name}.md)", markdown.plain(line)] for name, line in inner.items()]
        found.append(f"\n## {title.capitalize()}\n\n{markdown.table(['module', ''], rows)}")
        modules |= inner
    return {"reference/library/index": "".join(found)} | {f"reference/library/{name}": _page(name) for name in modules}


def names(root: str) -> Iterator[str]:
    """A module, and those below it that a user may import."""
    module = importlib.import_module(root)
    if module.__doc__:
        yield root
    if root in ALONE or root.startswith("nsmodels.systems.") or not hasattr(module, "__path__"):
        return
    for found in pkgutil.walk_packages(module.__path__, f"{root}."):
        if not found.name.endswith("__main__") and first_line(found.name):
            yield found.name


def first_line(name: str) -> str:
    """The first line of the docstring of a module; empty where there is none."""
    return (importlib.import_module(name).__doc__ or "").strip().partition("\n")[0]


def _page(name: str) -> str:
    """The page of a module; what a package exports under the name of a module in it is on the page of that module."""
    inner = [found.name for found in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", []))]
    options = [":members:", ":show-inheritance:", *([f":exclude-members: {', '.join(inner)}"] if inner else [])]
    directive = "\n   ".join([f".. automodule:: {name}", *options])
    return f"# {name}\n\n{markdown.block(directive, '{eval-rst}')}"
