"""Whether a signal has asked this process to stop, whoever takes it.

Dagster and the training loop each put handlers of their own in place and make a failed step of what they get; a step
that runs other processes may see no more than those failing. The wake-up descriptor hears every signal beside them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ASKING = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """Gives the question whether SIGINT or SIGTERM came since; for the main thread. SIGTERM acts as Ctrl-C inside."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    seen: set[int] = set()

    def is_asked_to_stop() -> bool:
        with suppress(BlockingIOError):
            while numbers := os.read(reader, 512):
                seen.update(numbers)
        return not seen.isdisjoint(ASKING)

    others = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        yield is_asked_to_stop
    finally:
        signal.set_wakeup_fd(others)
        signal.signal(signal.SIGTERM, before)
        for end in (reader, writer):
            os.close(end)


def _be_deaf() -> None:
    """What a forked worker is sent (a pool ends its workers with SIGTERM) was not meant for this process."""
    signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_be_deaf)
