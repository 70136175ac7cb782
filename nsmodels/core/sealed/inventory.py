"""Inventory of the data root: artifacts, unfinished work, leftovers of killed processes, and their sizes in bytes."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nsmodels.core import locks
from nsmodels.core.sealed.contents import files_in
from nsmodels.core.sealed.folders import beside, recover
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, Manifest, manifest_of

Kind = Literal["sealed", "unfinished", "leftover", "cache", "ledger"]
BESIDE = re.compile(r"\.(?P<name>.+)\.(?P<word>partial|previous|removed|unfinished-[0-9a-f-]+)")
INTERVAL = re.compile(r"epoch_\d+\.pt")
CACHE = ".cache"
DEEPEST = 4  # folders between the data root and an artifact: <key>/<partition>/<part>


@dataclass(frozen=True)
class Item:
    """One folder written by a command of this project.

    Attributes:
        name: path of its artifact relative to the data root, as "nav_model" or "nav_replicates/3/model".
        folder: path of the artifact, which need not exist.
        path: path of this folder, equal to `folder` or a sibling of it.
        manifest: None unless sealed.
        is_being_built: whether another process is building it.
    """

    name: str
    kind: Kind
    folder: Path
    path: Path
    manifest: Manifest | None = None
    is_being_built: bool = False

    @property
    def is_set_aside(self) -> bool:
        """Whether it is unfinished work of a configuration other than the last one that was begun."""
        return self.kind == "unfinished" and ".unfinished-" in self.path.name

    def files(self) -> list[Path]:
        """Every file and link in `path`; links are not followed."""
        return files_in(self.path)

    def interval_checkpoints(self) -> list[Path]:
        """Interval checkpoints (one every n epochs), without best and last."""
        return [path for path in self.files() if INTERVAL.fullmatch(path.name)]


def bytes_of(files: Iterable[Path]) -> int:
    """Size of `files` in bytes; a file with several hard links (a checkpoint that is best and last) counts once."""
    return sum({(state.st_dev, state.st_ino): state.st_size for state in _states(files)}.values())


def bytes_freed(files: Iterable[Path]) -> int:
    """Bytes freed by deleting `files`: a file with further hard links elsewhere frees none."""
    states = list(_states(files))
    names = Counter((state.st_dev, state.st_ino) for state in states)
    sizes = {(s.st_dev, s.st_ino): s.st_size for s in states if names[s.st_dev, s.st_ino] >= s.st_nlink}
    return sum(sizes.values())


def _states(files: Iterable[Path]) -> Iterator[os.stat_result]:
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            yield path.lstat()


def items(root: Path) -> list[Item]:
    """Every folder of this project below `root`, sorted by name; folders behind symbolic links are left out."""
    if not root.is_dir():
        return []
    for folder in _folders(root):
        if found := BESIDE.fullmatch(folder.name):
            recover(folder.with_name(found["name"]))  # a swap that a dead process began
    found = [item for folder in _folders(root) if (item := _item(root, folder))]
    return sorted(found, key=lambda item: (item.name, item.path.name))


def folders(root: Path) -> list[Path]:
    """Folders below `root` that may be artifacts, sorted; none inside of an artifact, hidden, or behind a link."""
    return [path for path in _folders(root) if not path.name.startswith(".")] if root.is_dir() else []


def dependents(item: Item, others: Iterable[Item]) -> list[str]:
    """Names of the artifacts that have `item` among their inputs."""
    if item.manifest is None:
        return []
    mark = item.manifest.fingerprint
    return [o.name for o in others if o.manifest and mark in {r.fingerprint for r in o.manifest.inputs.values()}]


def links(root: Path) -> dict[str, Path]:
    """Symbolic links directly below `root`: name and resolved target."""
    return {path.name: path.resolve() for path in sorted(root.iterdir()) if path.is_symlink()} if root.is_dir() else {}


def _folders(folder: Path, depth: int = 1) -> Iterator[Path]:
    """Folders that may belong to this project; none inside an artifact, none behind a link, none that is unreadable."""
    for path in _inner(folder):
        yield path
        with contextlib.suppress(OSError):
            is_plain = not path.name.startswith(".") and not (path / MANIFEST).exists()
            yield from _folders(path, depth + 1) if is_plain and depth < DEEPEST else ()


def _inner(folder: Path) -> list[Path]:
    """Folders directly in one; of one that vanishes, or that this user may not read, none."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _item(root: Path, path: Path) -> Item | None:
    name = str(path.relative_to(root))
    if path.name == CACHE:
        return Item(name, "cache", path, path)
    found = BESIDE.fullmatch(path.name)
    if not found:
        manifest = manifest_of(path)
        return Item(name, "sealed", path, path, manifest) if manifest else None
    if not (path / NOTE).exists() and not manifest_of(path):
        return None  # a folder of the user with a similar name
    folder, is_partial = path.with_name(found["name"]), found["word"] == "partial"
    kind: Kind = "unfinished" if found["word"].startswith(("partial", "unfinished")) else "leftover"
    return Item(
        str(folder.relative_to(root)),
        kind,
        folder,
        path,
        None,
        is_partial and locks.is_held(beside(folder, "lock")),
    )
