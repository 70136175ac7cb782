"""Files whose checksums were found right, remembered by size, times and inode, so that they are hashed once."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

from nsmodels.core.config import fingerprint
from nsmodels.core.disk import write_atomic
from nsmodels.core.sealed.folders import data_root

PLACE = Path(".cache") / "verified"
Signature = tuple[int, int, int, int]
# A file that is written twice within the resolution of the clock of a file system keeps its times.
SETTLED = 50_000_000  # nanoseconds
OLDEST = 90 * 86_400  # seconds


def signature(state: os.stat_result) -> Signature:
    """Size in bytes, times of the content and of the inode in ns, number of the inode.

    Any later write changes the time of the inode, also one that sets the time of the content back.
    """
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def of_user() -> Path:
    """The cache folder of the user, for artifacts outside of a data root."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "nsmodels" / "verified"


def _prune(folder: Path) -> None:
    """Remove what was not written for long: its artifact may be gone, or is hashed once more."""
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > OLDEST:
                path.unlink()


class Remembered:
    """The files of one artifact that had the content of its manifest, when they were last hashed.

    Kept in a file below the data root, or in the cache folder of the user for an artifact elsewhere and on a read-only
    disk. A file that is missing or damaged only costs time; of several processes that write it, the last one wins.

    Args:
        folder: of the artifact.
        seal: SHA-256 of its manifest.
    """

    def __init__(self, folder: Path, seal: str) -> None:
        self.folder, self.seal = folder.resolve(), seal
        self._files: dict[str, Signature] = {}
        self._is_changed = False
        for place in self._places():
            self._files |= self._read(place)

    def has(self, name: str, found: Signature) -> bool:
        """Whether the file `name` was right when it had this signature."""
        return self._files.get(name) == found

    def add(self, name: str, found: Signature) -> None:
        """Remember a file whose content is that of the manifest; `found` is of before it was hashed."""
        if time.time_ns() - max(found[1], found[2]) > SETTLED:
            self._files[name] = found
            self._is_changed = True

    def save(self) -> None:
        """Write what was added, if anything was, to the first place that can be written."""
        if not self._is_changed:
            return
        text = json.dumps({"folder": str(self.folder), "seal": self.seal, "files": self._files})
        for place in self._places():
            with contextlib.suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(place, text)
                self._is_changed = False
                _prune(place.parent)
                return

    def _places(self) -> list[Path]:
        name = f"{fingerprint(str(self.folder))}.json"
        roots = [data_root() / PLACE] if data_root() in self.folder.parents else []
        return [root / name for root in (*roots, of_user())]

    def _read(self, place: Path) -> dict[str, Signature]:
        try:
            content = json.loads(place.read_bytes())
            if content["seal"] != self.seal:
                return {}
            return {str(name): (int(a), int(b), int(c), int(d)) for name, (a, b, c, d) in content["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
