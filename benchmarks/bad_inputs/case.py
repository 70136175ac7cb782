"""One bad input: the files it needs, the command that reads it, and what the command must answer."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Setup = Callable[["Place"], object]


@dataclass(frozen=True)
class Place:
    """Where a case runs.

    Attributes:
        path: the current folder of the command, whose files must survive.
        world: folder of the data and models that all cases share, read-only.
    """

    path: Path
    world: Path

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file below the current folder."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def copy(self, name: str, to: str | None = None) -> Path:
        """A copy of the shared folder `name`, to be changed."""
        return Path(shutil.copytree(self.world / name, self.path / (to or name)))


def nothing(place: Place) -> None:
    """No files are needed."""


@dataclass(frozen=True)
class Case:
    """One command on one input.

    Attributes:
        name: group and case, as "yaml/duplicate key".
        command: arguments of `nsmodels`; `{world}` is the folder of the shared data.
        setup: writes the files.
        mentions: words that the error must contain.
        is_good: the command must succeed: a legitimate input that is easily refused.
        status: the exit status, where it is not the one of bad input (2).
    """

    name: str
    command: tuple[str, ...]
    setup: Setup = nothing
    mentions: tuple[str, ...] = ()
    is_good: bool = False
    status: int = 2


def snapshot(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, by relative path."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
