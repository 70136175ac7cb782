"""Graphs of one's own: JSON with names, or parquet, read with one-line errors. README.md has the form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError, near
from nsmodels.formats.graphs import checks, files
from nsmodels.formats.graphs.records import from_values, read_json
from nsmodels.formats.graphs.tables import Graph, Graphs, table
from nsmodels.formats.graphs.vocabulary import Vocabulary


def sources_of(path: Path) -> list[Path]:
    """The files of graphs at a path; raises InputError for none."""
    if path.is_file():
        return [path]
    found = sorted([*path.glob("*.json"), *path.glob("*.parquet")]) if path.is_dir() else []
    found = [file for file in found if file.name != "manifest.json"]
    if not found:
        raise InputError(f"{path}: no .json or .parquet file of graphs here; give a file, or a folder that holds some")
    return found


def fingerprint_of(path: Path) -> str:
    """Fingerprint of names and content of the files that are read."""
    return fingerprint([(file.name, disk.sha256_of(file)) for file in sources_of(path)])


def read_splits(path: Path, vocabulary: Vocabulary) -> Mapping[str, Graphs]:
    """The labelled graphs of each file, by split: the name of the file, or `test` for one file alone.

    Raises InputError for malformed files, and for two files of one name.
    """
    sources = sources_of(path)
    if path.is_file():
        return {"test": read(path, vocabulary)}
    found: dict[str, Graphs] = {}
    for file in sources:
        if file.stem in found:
            raise InputError(f"{file}: a second file of the split '{file.stem}'; expected one, .json or .parquet")
        found[file.stem] = read(file, vocabulary)
    return found


def read(path: Path, vocabulary: Vocabulary, must_have_labels: bool = True) -> Graphs:
    """The graphs in one file, .json or .parquet, with the names of `vocabulary`.

    Without `must_have_labels` a JSON file may hold graphs to be classified. Raises InputError for a malformed file.
    """
    if path.suffix.lower() == ".json":
        return read_json(path, vocabulary, must_have_labels)
    if path.suffix.lower() != ".parquet":
        raise InputError(f"{path}: expected a .json or .parquet file of graphs")
    graphs = files.read(path)
    _require_same(path, graphs.vocabulary, vocabulary)
    if not len(graphs):
        raise InputError(f"{path}: no graphs; expected at least one")
    if faults := checks.faults(str(path), graphs):
        raise InputError(faults[0])
    return graphs


def graphs_of(given: Graphs | Graph | Path | str | Mapping[str, Any] | list[Any], vocabulary: Vocabulary) -> Graphs:
    """A table from whatever holds graphs: a table, one graph, the path of a file, or the values of a JSON file.

    Labels may be missing. Raises InputError as `read` does.
    """
    if isinstance(given, Graphs):
        return given
    if isinstance(given, Graph):
        return table([given], vocabulary)
    if isinstance(given, Path | str):
        return read(Path(given), vocabulary, must_have_labels=False)
    return from_values(given, Path("graphs"), vocabulary, must_have_labels=False)


def _require_same(path: Path, found: Vocabulary, wanted: Vocabulary) -> None:
    """Raise InputError naming the first name in which two vocabularies differ."""
    one, other = found.to_dict(), wanted.to_dict()
    for field, names in other.items():
        given = one[field]
        if given == names:
            continue
        if isinstance(names, str):
            raise InputError(f"{path}: vocabulary: '{field}' is '{given}'; expected '{names}'")
        unknown = [name for name in given if name not in names]
        if unknown:
            near_ones = near(unknown[0], names)
            raise InputError(f"{path}: vocabulary: unknown name '{unknown[0]}' in '{field}'{near_ones}")
        raise InputError(f"{path}: vocabulary: '{field}' is {', '.join(given)}; expected {', '.join(names)}")
