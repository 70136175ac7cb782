"""Links from an asset's page to the code that makes it; they open in the editor of whoever runs the UI locally."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import dagster as dg

KEY = "dagster/code_references"


def to(*functions: Callable[..., Any]) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Metadata that names the functions an asset is made with, each by file and line."""
    codes = [function.__code__ for function in functions]
    return _metadata([(code.co_filename, code.co_firstlineno, code.co_name) for code in codes])


def to_module(name: str) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Metadata that names a module, which is not imported for it."""
    spec = importlib.util.find_spec(name)
    return _metadata([(spec.origin, 1, name)]) if spec and spec.origin else {}


def with_references(assets: Iterable[Any]) -> list[dg.AssetsDefinition]:
    """The assets, each with a link to its own function after those that its metadata already hold."""
    with _is_beta():
        return cast(list[dg.AssetsDefinition], list(dg.with_source_code_references(list(assets))))


def _metadata(places: Iterable[tuple[str, int, str]]) -> dict[str, dg.CodeReferencesMetadataValue]:
    with _is_beta():
        found = [dg.LocalFileCodeReference(file_path=path, line_number=line, label=said) for path, line, said in places]
        return {KEY: dg.CodeReferencesMetadataValue(code_references=list(found))}


@contextmanager
def _is_beta() -> Iterator[None]:
    """Dagster warns that these classes may change; its version is pinned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
