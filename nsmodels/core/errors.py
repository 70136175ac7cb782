"""The one exception a person is meant to read."""

from __future__ import annotations


class InputError(Exception):
    """Bad input, told in one line: which file, which field, what was expected, what to do.

    Command lines print the message and exit with status 2; assets turn it into a failed step.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
