"""Overlap of the scored problems with a checkpoint's training data: equal maps, and whether cells have costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.files.format import COSTS, read_index
from nsmodels.systems.nav.evaluation.scorer import Problems
from nsmodels.systems.nav.network.navigator import Navigator

UNIT_COSTS = "cells differ in cost here, but the training data had unit costs only: costs were not learnt"
UNKNOWN_COSTS = "cells differ in cost here; whether the training data had costs is unknown"


@dataclass(frozen=True)
class TrainingData:
    """The marks of the maps in a checkpoint's training data, and whether their cells have costs."""

    marks: frozenset[str]
    has_costs: bool

    @classmethod
    def of(cls, checkpoint: Path) -> TrainingData | None:
        """Read from the data in the manifest; None when they are missing or have changed."""
        manifest = artifact.read_manifest(checkpoint)
        ((key, record),) = manifest.inputs.items()
        folder = artifact.input_folder(key, record)
        try:
            if artifact.describe_input(folder).fingerprint != record.fingerprint:
                return None
            used = manifest.config.get("data", {}).get("max_maps") or None
            return cls(frozenset(read_index(folder, "train")["mark"][:used]), (folder / COSTS).exists())
        except InputError:
            return None


def familiarity(checkpoint: Path, problems: Sequence[Problems], navigator: Navigator) -> dict[str, Any]:
    """`num_trained_on`: number of problems on training maps, also rotated or mirrored (None: unknown); and `notes`."""
    trained = TrainingData.of(checkpoint)
    marks = np.concatenate([part.facts["mark"] for part in problems])
    num = None if trained is None else sum(mark in trained.marks for mark in marks.tolist())
    notes = []
    if any(_has_costs(part) for part in problems) and not (trained and trained.has_costs):
        notes.append(UNIT_COSTS if trained else UNKNOWN_COSTS)
    notes += dict.fromkeys(line for part in problems for line in navigator.cautions(part.maps[:]))
    return {"num_trained_on": num, "notes": notes}


def _has_costs(part: Problems) -> bool:
    parts = (some.maps[:] for some in part.parts())
    return any(maps.cost is not None and bool((maps.cost[maps.free] > 1).any()) for maps in parts)
