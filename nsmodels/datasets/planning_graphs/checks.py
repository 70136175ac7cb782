"""Checks of planning graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.replay import faults, steps_of
from nsmodels.formats.graphs import files, shortcuts
from nsmodels.formats.graphs.checks import labels_are_balanced as labels_are_balanced
from nsmodels.formats.graphs.checks import schema as schema
from nsmodels.formats.graphs.checks import splits_are_disjoint as splits_are_disjoint
from nsmodels.formats.graphs.checks import twins
from nsmodels.formats.graphs.checks import twins_are_equal as twins_are_equal
from nsmodels.formats.graphs.checks import twins_are_told_apart as twins_are_told_apart
from nsmodels.formats.graphs.tables import graph

SAMPLE = 60  # graphs of each split that are simulated again


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample, a simulation read off the graph's edges finds the label and every round of the trace."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            one = graph(graphs, row)
            if (one.relations < v.SLOT).all():  # with objects, what a step does is only in its type
                found += [f"{split} {one.id}: {fault}" for fault in faults(one)]
    return found


def same_steps(folder: Path) -> list[str]:
    """Twins consist of the same ground steps: equal multisets of what steps need, add and delete."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for one, other in twins(graphs)[:SAMPLE].tolist():
            if steps_of(graph(graphs, one)) != steps_of(graph(graphs, other)):
                found.append(f"{split} {graphs.ids[one]}: its twin has other steps")
    return found


def no_shortcut(folder: Path) -> list[str]:
    """Neither counts nor colours of short range tell the label."""
    return shortcuts.no_shortcut(folder)
