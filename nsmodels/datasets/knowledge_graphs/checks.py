"""Checks of knowledge graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.knowledge_graphs.search import faults
from nsmodels.formats.graphs import checks, files
from nsmodels.formats.graphs.checks import (
    labels_are_balanced,
    schema,
    splits_are_disjoint,
    twins_are_equal,
    twins_are_told_apart,
)
from nsmodels.formats.graphs.shortcuts import no_shortcut
from nsmodels.formats.graphs.tables import graph

__all__ = [
    "labels_are_balanced",
    "no_shortcut",
    "oracle_agrees",
    "schema",
    "splits_are_disjoint",
    "twins_are_equal",
    "twins_are_equal_nearby",
    "twins_are_told_apart",
]
SAMPLE = 40  # graphs of each split that are searched again


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample, networkx's search of the product of graph and automaton finds the label and every round's states."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            found += [f"{split} {graphs.ids[row]}: {fault}" for fault in faults(graph(graphs, row))]
    return found


def twins_are_equal_nearby(folder: Path) -> list[str]:
    """Twins agree in their colours after one round of Weisfeiler-Leman, and in the rounds that they demand."""
    found = checks.wl1_matched(("paths", "types"))(folder)
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        one, other = checks.twins(graphs).T
        rows = one[graphs.rounds[one] != graphs.rounds[other]].tolist()
        found += [f"{split} {graphs.ids[row]}: the twins demand different numbers of rounds" for row in rows]
    return found
