"""Registry of datasets and systems: the folders that hold a `config.py`, and their modules on demand.

Folders outside of the project take part: `$NSMODELS_EXTENSIONS` names roots, separated as in `$PATH`, with the layout
of the project (`nsmodels/datasets/<name>`, `nsmodels/systems/<name>`, `pipeline/assets/...`).
"""

from __future__ import annotations

import importlib
import inspect
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nsmodels.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "NSMODELS_EXTENSIONS"


def datasets() -> list[str]:
    """The names of the datasets, sorted."""
    return sorted(_folders("datasets"))


def systems() -> list[str]:
    """The names of the systems, sorted."""
    return sorted(_folders("systems"))


def system(name: str) -> Any:
    """The `System` of that name. Raises InputError where there is none."""
    if name not in systems():
        raise InputError(f"{name}: no such system in this version (available: {', '.join(systems())})")
    return importlib.import_module(f"nsmodels.systems.{name}").SYSTEM


def module(kind: str, name: str, part: str) -> ModuleType:
    """Import `nsmodels.<kind>.<name>.<part>`, for instance ("datasets", "clevr", "config"); `InputError` if absent."""
    folders = _folders(kind)
    if name not in folders:
        raise InputError(f"{name}: not one of the {kind}; known are {', '.join(sorted(folders)) or 'none'}")
    if not (folders[name] / f"{part}.py").is_file() and not (folders[name] / part).is_dir():
        raise InputError(f"nsmodels/{kind}/{name}: has no {part}.py; add it or ask for another part")
    return importlib.import_module(f"nsmodels.{kind}.{name}.{part}")


def folder(kind: str, name: str) -> Path:
    """The folder of a dataset or system. Raises InputError where there is none."""
    return Path(module(kind, name, "config").__file__ or "").parent


def checks(name: str) -> dict[str, Callable[[Path], list[str]]]:
    """The checks of a dataset by name: the public functions `(folder) -> list[str]` of its module `checks`."""
    functions = inspect.getmembers_static(module("datasets", name, "checks"), inspect.isfunction)
    return {label: function for label, function in functions if _is_check(label, function)}


def _is_check(label: str, function: Callable[..., Any]) -> bool:
    about = inspect.signature(function)
    returns_lines = about.return_annotation in ("list[str]", list[str])
    return not label.startswith("_") and list(about.parameters) == ["folder"] and returns_lines


def extensions() -> list[Path]:
    """The roots outside of the project. Raises InputError for one that does not exist."""
    roots = [Path(root).resolve() for root in os.environ.get(VARIABLE, "").split(os.pathsep) if root]
    if absent := [root for root in roots if not root.is_dir()]:
        raise InputError(f"{VARIABLE}: no folder {absent[0]}; correct the variable, or unset it")
    return roots


def extended(path: Iterable[str], package: str) -> list[str]:
    """The search path of a package, with the folders of that package in all extensions. Folders must exist."""
    folders = [root.joinpath(*package.split(".")) for root in extensions()]
    own = [place for place in path if Path(place) not in folders]
    return [*own, *(str(place) for place in folders if place.is_dir())]


def _folders(kind: str) -> dict[str, Path]:
    """Folder by name; where two have a name, the project's own comes first."""
    package = importlib.import_module(f"nsmodels.{kind}")
    found = [config.parent for place in package.__path__ for config in sorted(Path(place).glob("*/config.py"))]
    return {path.name: path for path in reversed(found)}
