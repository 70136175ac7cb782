"""Graphs of one's own: JSON with names or parquet, read with one-line errors. See README.md for the form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
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


def require_apart(folder: Path, source: Path) -> None:
    """Raise InputError when one folder contains or equals the other: the data would be among their own sources."""
    out, read = folder.resolve(), source.resolve()
    if source.exists() and (out.is_relative_to(read) or read.is_relative_to(out)):
        raise InputError(f"{folder}: overlaps the files it is read from, local_path {source}; give a different folder")


def read_splits(path: Path, vocabulary: Vocabulary) -> Mapping[str, Graphs]:
    """The graphs of each file, by split: the name of the file, or `test` for one file alone."""
    return {file.stem: files.read(file) for file in sources_of(path)}
