"""Checks of planning graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.replay import faults
from nsmodels.formats.graphs import files, shortcuts
from nsmodels.formats.graphs.checks import every, twins
from nsmodels.formats.graphs.checks import labels_are_balanced as labels_are_balanced
from nsmodels.formats.graphs.checks import schema as schema
from nsmodels.formats.graphs.checks import splits_are_disjoint as splits_are_disjoint
from nsmodels.formats.graphs.checks import twins_are_equal as twins_are_equal
from nsmodels.formats.graphs.checks import twins_are_told_apart as twins_are_told_apart
from nsmodels.formats.graphs.colours import certificates
from nsmodels.formats.graphs.tables import PER_EDGE, Graphs, graph

SAMPLE = 60  # graphs of each split that are simulated again


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample, a simulation read off the graph's edges finds the label and every round of the trace."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            one = graph(graphs, row)
            found += [f"{split} {one.id}: {fault}" for fault in faults(one)]
    return found


def same_steps(folder: Path) -> list[str]:
    """Without the order of the steps twins are the same graph: the same ground steps, first state and goal."""
    found = []
    for split, graphs in every(folder):
        rows = twins(graphs)
        one, other = certificates(_without_order(graphs))[rows].T
        found += [f"{split} {graphs.ids[row]}: its twin has other steps" for row in rows[one != other, 0].tolist()]
    return found


def _without_order(graphs: Graphs) -> Graphs:
    is_kept = graphs.relations != v.NEXT
    offsets = np.concatenate([[0], np.cumsum(is_kept)])[graphs.edge_offsets]
    return graphs.replaced(edge_offsets=offsets, **{name: getattr(graphs, name)[is_kept] for name in PER_EDGE})


def no_shortcut(folder: Path) -> list[str]:
    """Neither counts nor colours of short range tell the label."""
    return shortcuts.no_shortcut(folder)
