"""The preset of commands that name none, from the environment: `NSMODELS_PRESET=debug` makes a session of tests."""

from __future__ import annotations

import os
from collections.abc import Collection

from nsmodels.core.errors import InputError, near

PRESET = "NSMODELS_PRESET"
ALIKE = 0.75  # of two names, from which one is taken for a slip of the other


def from_environment(presets: Collection[str]) -> str | None:
    """The preset that `NSMODELS_PRESET` names, where it is one of `presets`; else None: each has its own default.

    Raises `InputError` for a name that is nearly one of them.
    """
    name = os.environ.get(PRESET, "")
    if name and name not in presets and (meant := near(name, presets, 1, ALIKE)):
        raise InputError(f"{PRESET}={name}: unknown preset{meant} (known: {', '.join(presets)})")
    return name if name in presets else None
