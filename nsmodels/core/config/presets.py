"""The preset of commands that name none, from the environment: `NSMODELS_PRESET=debug` makes a session of tests."""

from __future__ import annotations

import os
from collections.abc import Collection

PRESET = "NSMODELS_PRESET"


def from_environment(presets: Collection[str]) -> str | None:
    """The preset that `NSMODELS_PRESET` names, where it is one of `presets`; else None: each has its own default."""
    name = os.environ.get(PRESET, "")
    return name if name in presets else None
