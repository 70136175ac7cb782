"""Epochs of a training that runs in other processes, told to trackers that live in this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from nsmodels.engine.tracking import Record, Tracker

MARK = ".told"  # beside the file: how far its followers have come


class Follower:
    """Reads the file of a `JsonLines` tracker and tells each epoch once, also when the training was cut in between.

    How far it has come stands in a file beside it until the training is over: processes may finish an epoch after
    the one that follows them was killed.
    """

    def __init__(self, path: Path, trackers: Sequence[Tracker]) -> None:
        self._path, self._trackers, self._mark = path, trackers, path.with_name(MARK)
        self._seen: tuple[int, int] | None = None
        if self._mark.exists():
            self._told = int(self._mark.read_text())
        else:  # of a training without followers its own trackers have heard everything
            self._told = max((record["epoch"] for record in self._records()), default=0)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._mark.write_text(str(self._told))

    @property
    def has_begun(self) -> bool:
        """Whether the training has come so far as to write its file."""
        return self._path.exists()

    def look(self) -> None:
        """Tell what has come since the last look; to be called again and again."""
        for record in self._records():
            if record["epoch"] > self._told:
                self._told = record["epoch"]
                self._mark.write_text(str(self._told))
                for tracker in self._trackers:
                    tracker.epoch(record)

    def close(self) -> None:
        """The training is over, or never began: forget how far it was told."""
        self._mark.unlink(missing_ok=True)
        if not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    def _records(self) -> Iterator[Record]:
        """The whole lines of the file, when it has changed; a resumed training writes it anew from the beginning."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return
        if (state.st_mtime_ns, state.st_size) != self._seen:
            self._seen = (state.st_mtime_ns, state.st_size)
            for line in self._path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)
