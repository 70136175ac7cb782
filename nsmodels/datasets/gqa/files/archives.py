"""The four released archives, on their host or on disk, and what lies in them under which name."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.core.transfer.archive import LocalZip, RemoteZip, ZipReader
from nsmodels.core.transfer.download import Unreachable
from nsmodels.core.transfer.remote import probe
from nsmodels.datasets.gqa.files.release import EVAL, FILES, GRAPHS, IMAGES, QUESTIONS, Wanted

# A file, or its ending, that shows what wraps the files in each archive.
MARKS = {
    GRAPHS: "val_sceneGraphs.json",
    QUESTIONS: "val_balanced_questions.json",
    EVAL: "val_choices.json",
    IMAGES: ".jpg",
}
OPTIONAL = (EVAL,)


@dataclass(frozen=True)
class Archive:
    """An archive and the folder in it that holds its files, with the slash."""

    reader: ZipReader
    front: str

    def files(self) -> dict[str, zipfile.ZipInfo]:
        """Its files by name below that folder."""
        members = self.reader.members().items()
        return {name.removeprefix(self.front): info for name, info in members if name.startswith(self.front)}

    def shown(self, name: str) -> str:
        """A file of it in messages."""
        return f"{self.reader.source.name}: {self.front}{name}"


Archives = dict[str, Archive]


def open_remote(wanted: Wanted, attempts: int = 5) -> Archives:
    """The archives on their hosts. Raises `Unreachable` when one does not answer, `InputError` without ranges."""
    return {name: _opened(name, RemoteZip(url, attempts)) for name, url in wanted.urls.items() if url}


def open_local(folder: Path) -> Archives | None:
    """The archives in a folder; None where it has none of them. Raises `InputError` when one is missing."""
    paths = {name: folder / file for name, file in FILES.items()}
    if not any(path.is_file() for path in paths.values()):
        return None
    for name, path in paths.items():
        if not path.is_file() and name not in OPTIONAL:
            raise InputError(f"{path}: missing beside the other archives of GQA; put it there")
    return {name: _opened(name, LocalZip(path)) for name, path in paths.items() if path.is_file()}


def describe(urls: Mapping[str, str], attempts: int = 5) -> dict[str, Any]:
    """URL, bytes, ETag and number of files of each archive on its host; a few requests, no download.

    A host that does not answer gives `"reachable": False` with the reason. Raises `InputError` for anything but a zip.
    """
    record: dict[str, Any] = {"reachable": True}
    for name, url in urls.items():
        if url:
            record[name] = _described(name, url, attempts)
            record["reachable"] &= record[name]["reachable"]
    return record


def require_answer(urls: Mapping[str, str]) -> str:
    """The address of the images, once its host has answered within seconds; raises `InputError` with the reason."""
    return probe(urls[IMAGES], attempts=1, timeout=5.0).url


def _described(name: str, url: str, attempts: int) -> dict[str, Any]:
    try:
        remote = probe(url, attempts)
    except Unreachable as error:
        return {"url": url, "reachable": False, "reason": str(error)}
    found: dict[str, Any] = {"url": url, "reachable": True, "bytes": remote.size, "etag": remote.etag}
    found["accepts_ranges"] = remote.accepts_ranges
    if remote.accepts_ranges:
        found["num_files"] = len(_opened(name, RemoteZip(url, attempts)).files())
    return found


def _opened(name: str, reader: ZipReader) -> Archive:
    """The archive with what wraps its files. Raises `InputError` when its mark is missing or ambiguous."""
    mark = MARKS[name]
    paths = [PurePosixPath(member) for member in reader.members()]
    marked = [path for path in paths if mark in (path.name, path.suffix) and not path.name.startswith("._")]
    fronts = {"" if path.parent == PurePosixPath() else f"{path.parent}/" for path in marked}
    if len(fronts) != 1:
        found = "none" if not fronts else f"several, in {', '.join(sorted(fronts)[:3])}"
        raise InputError(f"{reader.source.name}: expected files as '{mark}' of GQA in one folder, found {found}")
    return Archive(reader, fronts.pop())
