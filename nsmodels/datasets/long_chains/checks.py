"""Checks of long chains: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.long_chains.chains import LEAST_FAR
from nsmodels.datasets.long_chains.walking import faults
from nsmodels.formats.graphs import shortcuts
from nsmodels.formats.graphs.checks import (
    every,
    labels_are_balanced,
    schema,
    splits_are_disjoint,
    twins,
    twins_are_equal,
    twins_are_told_apart,
)
from nsmodels.formats.graphs.colours import histograms
from nsmodels.formats.graphs.tables import graph

__all__ = [
    "labels_are_balanced",
    "no_shortcut",
    "oracle_agrees",
    "resets_are_far",
    "schema",
    "splits_are_disjoint",
    "twins_are_equal",
    "twins_are_matched",
    "twins_are_told_apart",
]
SAMPLE = 40  # graphs of each split that are solved again, one by one


def twins_are_matched(folder: Path) -> list[str]:
    """Twins of full length agree in their colours after one round of Weisfeiler-Leman."""
    found = []
    for split, graphs in every(folder):
        colours = histograms(graphs, 1)
        for one, other in twins(graphs).tolist():
            if graphs.lengths[one] >= LEAST_FAR and colours[one] != colours[other]:
                found.append(f"{split} {graphs.ids[one]}: the twins have different WL-1 colours")
    return found


def no_shortcut(folder: Path) -> list[str]:
    """No classifier of counts or short-range colours is above the limit; see `shortcuts`."""
    return shortcuts.no_shortcut(folder)


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample a walk along the edges finds label, values and functions of the segments."""
    found = []
    for split, graphs in every(folder):
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            found += [f"{split} {graphs.ids[row]}: {fault}" for fault in faults(graph(graphs, row))]
    return found


def resets_are_far(folder: Path) -> list[str]:
    """In twins of full length the asked mechanism has no reset within half of the chain before it."""
    found = []
    for split, graphs in every(folder):
        rows = twins(graphs).ravel()
        for row in rows[graphs.lengths[rows] >= LEAST_FAR].tolist():
            asked = np.flatnonzero(graphs.marks[graphs.nodes(row)])
            if len(asked) != 1:
                found.append(f"{split} {graphs.ids[row]}: {len(asked)} nodes are marked; expected one")
            elif graphs.since[graphs.nodes(row)][asked[0], 0] < graphs.lengths[row] // 2:
                found.append(f"{split} {graphs.ids[row]}: the answer is decided within half of the chain")
    return found
