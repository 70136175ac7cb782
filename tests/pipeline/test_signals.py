"""Which signals ask this process to stop."""

import os
import signal

import pytest

from pipeline.lib.runs import signals


def test_a_signal_is_heard_whoever_takes_it_but_not_that_of_a_forked_worker():
    before = [signal.getsignal(number) for number in sorted(signals.ASKING)]
    with signals.watched() as is_asked_to_stop:
        end_a_worker()
        assert not is_asked_to_stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert is_asked_to_stop()
        assert is_asked_to_stop(), "for good"
    assert [signal.getsignal(number) for number in sorted(signals.ASKING)] == before
    with signals.watched() as is_asked_to_stop:
        assert not is_asked_to_stop()


def end_a_worker() -> None:
    """Fork, and end the child as a pool of processes does."""
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
