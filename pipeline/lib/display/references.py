"""Links from the page of an asset to its source code, which the UI opens in a local editor."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg

KEY = "dagster/code_references"


def to(*functions: Callable[..., Any]) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Code references to the functions that build an asset, by file and line."""
    codes = [function.__code__ for function in functions]
    return _metadata([(code.co_filename, code.co_firstlineno, code.co_name) for code in codes])


def to_module(*names: str) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Code references to modules, without importing them; empty if there is no such module."""
    specs = [importlib.util.find_spec(name) for name in names]
    found = [(spec.origin, 1, Path(spec.origin).name) for spec in specs if spec and spec.origin]
    return _metadata(found) if found else {}


def with_references(assets: Iterable[Any]) -> list[dg.AssetsDefinition]:
    """The assets, with a reference to their own function appended to those in their metadata."""
    with _ignored_beta_warnings():
        return cast(list[dg.AssetsDefinition], list(dg.with_source_code_references(list(assets))))


def _metadata(sources: Iterable[tuple[str, int, str]]) -> dict[str, dg.CodeReferencesMetadataValue]:
    with _ignored_beta_warnings():
        found = [
            dg.LocalFileCodeReference(file_path=path, line_number=line, label=name) for path, line, name in sources
        ]
        return {KEY: dg.CodeReferencesMetadataValue(code_references=list(found))}


@contextmanager
def _ignored_beta_warnings() -> Iterator[None]:
    """Ignore Dagster's warnings that these classes may change: its version is pinned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
