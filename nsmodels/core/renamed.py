"""Asset keys that were renamed, and the folders under their old names."""

from __future__ import annotations

import logging
from pathlib import Path

from nsmodels.core import artifact

# Replicates and trials are named after the training, no longer after its data.
KEYS = {"mazes_replicates": "nav_replicates", "mazes_trials": "nav_trials"}
log = logging.getLogger(__name__)


def current(name: str) -> str:
    """An asset key, or a place below one, under its current name."""
    key, slash, rest = name.partition("/")
    return f"{KEYS.get(key, key)}{slash}{rest}"


def take_over(key: str, root: Path | None = None) -> None:
    """Rename the folder of an asset that lies under its old name, unless there is one under the current name."""
    root = root or artifact.data_root()
    for old, new in KEYS.items():
        if new == key and (root / old).is_dir() and not (root / new).exists():
            (root / old).rename(root / new)
            log.warning("%s: renamed to %s, the current key of this asset; its artifacts are kept", root / old, new)
