"""Exceptions whose message is meant for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

NUM_NEAR = 3  # names that a message proposes
SIMILAR = 0.6  # of two names, from which one may be meant by the other


class InputError(Exception):
    """Bad input, in one line: which file, which field, what was expected, what to do.

    Command lines print the message and exit with status 2; assets turn it into a failed step.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class TryLater(InputError):
    """A temporary failure: the input is fine, and the same request may succeed later."""


class Busy(InputError):
    """Another process is building the same artifact; callers may wait for it."""


class Unworkable(InputError):
    """A training that cannot come to an end with its configuration: a loss that is not finite, exhausted memory."""


class Interrupted(InputError):
    """The user requested a stop: the work done so far is kept, and nothing else is started."""


def near(word: str, known: Iterable[str], most: int = NUM_NEAR, alike: float = SIMILAR) -> str:
    """The names in `known` that resemble `word`, at most `most`, as "; did you mean a, b?"; empty when none does."""
    names = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), names, n=most, cutoff=alike)
    return f"; did you mean {', '.join(names[name] for name in found)}?" if found else ""
