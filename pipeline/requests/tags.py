"""Tags of a run that this project sets or reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.core.errors import InputError, near
from pipeline.requests.options import json_object

PRESET, CONFIG = "nsmodels/preset", "nsmodels/config"  # configure every asset of the run that has several presets
REASON, SWEEP = "nsmodels/reason", "nsmodels/sweep"
DATA, KEEP = "nsmodels/data", "keep"  # data that exist are not built again, though they are small for the run
KNOWN = (PRESET, CONFIG, DATA, REASON, SWEEP)


def of_option(text: str) -> dict[str, str]:
    """The tags in the JSON text of `--tags`; raises `InputError` for anything that no run could use."""
    found = json_object(text, "--tags", """{"nsmodels/preset": "debug"}""")
    for name, value in found.items():
        if not isinstance(value, str):
            raise InputError(f"--tags: tag {name}: expected a text in quotes, got {value!r}")
    tagged_config(found)
    return found


def tagged_config(tags: Mapping[str, str]) -> dict[str, Any]:
    """Configuration in the tags of a run.

    Raises `InputError` for a tag that is empty or no JSON object, and for an unknown one with this project's prefix.
    """
    for name in tags:
        if name.startswith("nsmodels/") and name not in KNOWN:
            raise InputError(f"run tag {name}: unknown{near(name, KNOWN)} (known: {', '.join(KNOWN)})")
        if name in KNOWN and not tags[name].strip():
            raise InputError(f"run tag {name}: it is empty; leave the tag out")
    keeps_data(tags)
    found = json_object(tags.get(CONFIG, "{}"), f"run tag {CONFIG}", """{"training.lr": 0.001}""")
    return found | ({"preset": tags[PRESET]} if PRESET in tags else {})


def keeps_data(tags: Mapping[str, str]) -> bool:
    """Whether a run keeps its data as they are; raises `InputError` for an unknown value of the tag."""
    if tags.get(DATA, KEEP) != KEEP:
        raise InputError(f"run tag {DATA}: expected {KEEP}, got '{tags[DATA]}'; leave the tag out")
    return DATA in tags
