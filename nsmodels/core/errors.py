"""The exceptions a person is meant to read."""

from __future__ import annotations


class InputError(Exception):
    """Bad input, told in one line: which file, which field, what was expected, what to do.

    Command lines print the message and exit with status 2; assets turn it into a failed step.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class TryLater(InputError):
    """Nothing is wrong with the input: the same request may well succeed in a minute."""


class Busy(InputError):
    """Another process is making the same artifact; who can wait may do so."""


class Interrupted(InputError):
    """Somebody asked the work to stop: nothing is wrong, what there is so far is kept, and nothing else shall begin."""
