"""Asset keys that were renamed, and the folders under their old names."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from nsmodels.core.sealed import folders

# Replicates and trials are named after the training, no longer after its data.
KEYS = {"mazes_replicates": "nav_replicates", "mazes_trials": "nav_trials"}
log = logging.getLogger(__name__)


def current(name: str) -> str:
    """An asset key, or a place below one, under its current name."""
    key, slash, rest = name.partition("/")
    return f"{KEYS.get(key, key)}{slash}{rest}"


def place_of(name: str, root: Path) -> Path:
    """The place of `name` below a data root, under the current key, else under the old one where only that exists."""
    place = root / current(name)
    key, slash, rest = current(name).partition("/")
    before = [root / f"{old}{slash}{rest}" for old, new in KEYS.items() if new == key]
    return next((path for path in before if path.exists() and not place.exists()), place)


def take_over(key: str, root: Path | None = None) -> None:
    """Move the partitions of an asset from the folder of its old name; those under the current name stay.

    Several processes may do it at once: what one of them has moved is there for the others.
    """
    root = root or folders.data_root()
    for old, new in KEYS.items():
        if new == key and (root / old).is_dir():
            (root / new).mkdir(exist_ok=True)
            moved = sum(_moved(path, root / new / path.name) for path in _entries(root / old))
            with contextlib.suppress(OSError):  # a partition of both names stays under the old one
                (root / old).rmdir()
            if moved:
                log.warning("%s: %d entries moved to %s, the current key of this asset", root / old, moved, new)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:  # a different process has moved them all
        return []


def _moved(source: Path, target: Path) -> bool:
    if target.exists():
        return False
    try:
        source.rename(target)
    except FileNotFoundError:  # a different process was faster
        return False
    return True
