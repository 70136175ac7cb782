"""Progress of long work: a bar on a terminal, a line with rate and remaining time every ten seconds anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

SECONDS_BETWEEN_LINES = 10.0
T = TypeVar("T")


def counted(
    items: Iterable[T], total: int, label: str, unit: str, show: bool = True, done: int = 0, has_end: bool = True
) -> Iterator[T]:
    """The items, with progress: a bar on a terminal, else a line on stderr every ten seconds.

    `has_end`: and one at the end. `done` of the `total` were finished before and do not count towards the rate.
    """
    if show and sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, initial=done, desc=label, unit=unit, leave=False)
        return
    start = last = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if show and ((has_end and done + number == total) or now - last >= SECONDS_BETWEEN_LINES):
            last = now
            print(_counted_line(label, unit, done + number, total, number / max(now - start, 1e-9)), file=sys.stderr)
            sys.stderr.flush()


def _counted_line(label: str, unit: str, done: int, total: int, rate: float) -> str:
    """The rate is per second, or where that is small a time per unit; without remaining time at the end."""
    pace = f"{rate:,.3g}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
    left = f", {clock((total - done) / rate)} left" if done < total else ""
    return f"{label}: {done:,} of {total:,} {unit}s, {pace}{left}"


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def readable(num_bytes: float) -> str:
    """A byte count with its unit: 512 B, 14.2 MB, 19.0 GB (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} B" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} TB"


def readable_count(number: int, noun: str, ending: str = "s") -> str:
    """A number of things: 1 file, 1,200 files; `ending` is that of several."""
    return f"{number:,} {noun}{ending if number != 1 else ''}"


def readable_seconds(seconds: float) -> str:
    """A duration with its unit: 40 s, 12 min, 3.4 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Progress:
    """Progress in bytes of a total; thread-safe.

    `done` bytes were present before and do not count towards the speed. Lines and bar go to standard error.
    """

    def __init__(self, label: str, total: int | None, done: int = 0, show: bool = True) -> None:
        self.label, self.total, self.done, self.begun = label, total, done, done
        self._lock = threading.Lock()
        self._start = self._last = time.monotonic()
        self._is_plain = show and not sys.stderr.isatty()
        self._bar = self._make_bar() if show and not self._is_plain else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._is_plain and error is None:
            self._line()

    def add(self, num_bytes: int) -> None:
        """Count `num_bytes` more as done (negative after a restart)."""
        with self._lock:
            self.done += num_bytes
            if self._bar is not None:
                self._bar.update(num_bytes)
            elif self._is_plain and time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
                self._last = time.monotonic()
                self._line()

    def expect(self, total: int | None) -> None:
        """Set the total when it becomes known."""
        self.total = total
        if self._bar is not None:
            self._bar.total = total

    def restart(self) -> None:
        """Reset to zero bytes: the transfer starts again."""
        self.begun = 0
        self.add(-self.done)

    def _make_bar(self):
        from tqdm import tqdm

        return tqdm(desc=self.label, total=self.total, initial=self.done, unit="B", unit_scale=True, leave=False)

    def _line(self) -> None:
        speed = max(0.0, self.done - self.begun) / max(1e-9, time.monotonic() - self._start)
        text = f"{self.label}: {readable(self.done)}"
        if self.total:
            text += f" of {readable(self.total)} ({self.done / self.total:.0%})"
        text += f", {readable(speed)}/s"
        if self.total and speed > 0 and self.done < self.total:
            text += f", {clock((self.total - self.done) / speed)} left"
        print(text, file=sys.stderr, flush=True)
