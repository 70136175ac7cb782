"""What more rounds than in training change: a network that has finished must stay with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.evaluation.scoring import pairs_right, short_entry, table_of
from nsmodels.systems.graph.reasoner import Reasoner

MORE = 12  # rounds


def stability(
    reasoner: Reasoner, splits: Mapping[str, Graphs], scores: Mapping[str, NDArray[np.float64]], extra_rounds: int
) -> dict[str, Any] | None:
    """Paired accuracy with `MORE` rounds by split, and how it differs; None for a network without rounds.

    `scores`: the probabilities (g,) by split that the rounds of the evaluation gave.
    """
    if not getattr(reasoner.network, "has_rounds", True):
        return None
    found: dict[str, Any] = {}
    for split, graphs in splits.items():
        before, after = (
            table_of(graphs, each)
            for each in (scores[split], reasoner.predict(graphs, extra_rounds + MORE).probability)
        )
        entry = short_entry(after)
        changed = (before["probability"] > 0.5) != (after["probability"] > 0.5)
        found[split] = {**entry, "changed": float(changed.mean()), "difference": None}
        if entry["paired_accuracy"] is not None:
            found[split]["difference"] = float(entry["paired_accuracy"] - pairs_right(before).mean())
    return {"rounds": MORE, "splits": found}
