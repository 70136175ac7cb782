"""Detection of signals that request this process to stop."""

import os
import signal

import pytest

from pipeline.lib.runs import signals


def test_a_signal_is_detected_whatever_its_handler_but_not_that_of_a_forked_worker():
    before = [signal.getsignal(number) for number in sorted(signals.STOP_SIGNALS)]
    with signals.watched() as is_stop_requested:
        end_a_worker()
        assert not is_stop_requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert is_stop_requested()
        assert is_stop_requested(), "permanently"
    assert [signal.getsignal(number) for number in sorted(signals.STOP_SIGNALS)] == before
    with signals.watched() as is_stop_requested:
        assert not is_stop_requested()


def end_a_worker() -> None:
    """Fork, and terminate the child as a pool of processes does."""
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        try:
            os.write(writer, b"here")
            signal.pause()
        finally:
            os._exit(0)
    os.read(reader, 4)
    os.kill(worker, signal.SIGTERM)
    os.waitpid(worker, 0)
    for end in (reader, writer):
        os.close(end)
