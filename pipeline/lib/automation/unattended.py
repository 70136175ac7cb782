"""What schedules and sensors may do that nobody asked for, by the environment variable `NSMODELS_UNATTENDED`.

By default they train models again that exist, on data that exist. `first-models` lets a schedule also train models that
nobody has trained, with the preset for the machine; `replace-data` lets the runs build data again that are too small
for the preset of a model, though other artifacts may have been made from them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from nsmodels.core.errors import InputError, near
from pipeline.requests import tags

VARIABLE = "NSMODELS_UNATTENDED"
FIRST_MODELS, REPLACE_DATA = WORDS = ("first-models", "replace-data")


def allowed() -> frozenset[str]:
    """The words of the variable; raises `InputError` for an unknown one."""
    found = frozenset(os.environ.get(VARIABLE, "").replace(",", " ").split())
    for word in sorted(found.difference(WORDS)):
        raise InputError(f"{VARIABLE}: unknown word '{word}'{near(word, WORDS)} (known: {', '.join(WORDS)})")
    return found


def request(keys: Iterable[dg.AssetKey], run_config: Mapping[str, Any], reason: str = "") -> dg.RunRequest:
    """A run of these assets, which keeps the data as they are unless replacing them is allowed.

    Raises `InputError` without assets: Dagster would build those of the whole job.
    """
    chosen = sorted(keys)
    if not chosen:
        raise InputError("no assets to build")
    kept = {} if REPLACE_DATA in allowed() else {tags.DATA: tags.KEEP}
    # No run key: it would forbid for ever to train again on data that were there before.
    return dg.RunRequest(
        run_config=dict(run_config), asset_selection=chosen, tags=kept | ({tags.REASON: reason} if reason else {})
    )
