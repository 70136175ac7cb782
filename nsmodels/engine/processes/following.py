"""Epochs of a training in other processes, reported to trackers in this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from nsmodels.engine.tracking import Record, Tracker

MARK = ".told"  # beside the file: number of the last epoch that was reported


class Follower:
    """Reads the file of a `JsonLines` tracker and reports each epoch once, also over interruptions and resumes.

    The number of the last reported epoch is kept in a file beside it until the training is over: processes may finish
    an epoch after their follower was killed.
    """

    def __init__(self, path: Path, trackers: Sequence[Tracker]) -> None:
        self._path, self._trackers, self._mark = path, trackers, path.with_name(MARK)
        self._file_state: tuple[int, int] | None = None
        if self._mark.exists():
            self._reported = int(self._mark.read_text(encoding="utf-8"))
        else:  # a training without followers has reported its epochs to its own trackers
            self._reported = max((record["epoch"] for record in self._records()), default=0)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._mark.write_text(str(self._reported), encoding="utf-8")

    @property
    def has_begun(self) -> bool:
        """Whether the training has written its file."""
        return self._path.exists()

    def poll(self) -> None:
        """Report the epochs since the last call; to be called repeatedly."""
        for record in self._records():
            if record["epoch"] > self._reported:
                self._reported = record["epoch"]
                self._mark.write_text(str(self._reported), encoding="utf-8")
                for tracker in self._trackers:
                    tracker.epoch(record)

    def close(self) -> None:
        """Remove the mark of a training that is over, and the folder of one that wrote nothing."""
        self._mark.unlink(missing_ok=True)
        if not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    def _records(self) -> Iterator[Record]:
        """Records of the complete lines, when the file has changed; a resumed training rewrites all of it."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return
        if (state.st_mtime_ns, state.st_size) != self._file_state:
            self._file_state = (state.st_mtime_ns, state.st_size)
            for line in self._path.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)
