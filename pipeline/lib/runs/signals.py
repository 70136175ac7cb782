"""Detection of SIGINT and SIGTERM in this process, independent of the installed handlers.

Dagster and the training loop install handlers of their own and turn a signal into a failed step; a step that starts
other processes may observe only that these fail. The wake-up descriptor receives every signal in addition.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGINT or SIGTERM has arrived; SIGTERM acts as Ctrl-C inside.

    For the main thread only.
    """
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    received: set[int] = set()

    def is_stop_requested() -> bool:
        with suppress(BlockingIOError):
            while numbers := os.read(reader, 512):
                received.update(numbers)
        return not received.isdisjoint(STOP_SIGNALS)

    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        yield is_stop_requested
    finally:
        signal.set_wakeup_fd(previous)
        signal.signal(signal.SIGTERM, handler)
        for end in (reader, writer):
            os.close(end)


def _detach() -> None:
    """Keep signals to a forked worker (a pool ends its workers with SIGTERM) out of this process's pipe."""
    signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_detach)
