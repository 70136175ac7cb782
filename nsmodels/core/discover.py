"""Registry of datasets and systems: the folders with a `config.py`; their modules are imported on demand."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from nsmodels.core.errors import InputError

ROOT = Path(__file__).parents[1]


def datasets() -> list[str]:
    """Names of the datasets, sorted."""
    return _folders("datasets")


def systems() -> list[str]:
    """Names of the systems, sorted."""
    return _folders("systems")


def module(kind: str, name: str, part: str) -> ModuleType:
    """Import `nsmodels.<kind>.<name>.<part>`, as in ("datasets", "clevr", "config"); raises `InputError` if absent."""
    if name not in _folders(kind):
        raise InputError(f"{name}: not one of the {kind}; known are {', '.join(_folders(kind)) or 'none'}")
    if not (ROOT / kind / name / f"{part}.py").is_file() and not (ROOT / kind / name / part).is_dir():
        raise InputError(f"nsmodels/{kind}/{name}: has no {part}.py; add it or name an existing module")
    return importlib.import_module(f"nsmodels.{kind}.{name}.{part}")


def _folders(kind: str) -> list[str]:
    return sorted(path.parent.name for path in (ROOT / kind).glob("*/config.py"))
