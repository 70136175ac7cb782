"""Checks of the causal graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.datasets.causal_graphs import locality, worlds
from nsmodels.datasets.causal_graphs.config import CausalGraphsConfig
from nsmodels.datasets.causal_graphs.labelling import labelled
from nsmodels.datasets.causal_graphs.networks import effects
from nsmodels.formats.graphs import checks, shortcuts
from nsmodels.formats.graphs.checks import (
    labels_are_balanced,
    schema,
    splits_are_disjoint,
    twins_are_equal,
    twins_are_told_apart,
)
from nsmodels.formats.graphs.tables import Graph, Graphs, graph

__all__ = [
    "effects_agree",
    "labels_agree",
    "labels_are_balanced",
    "labels_do_not_depend_on_order",
    "no_shortcut",
    "schema",
    "splits_are_disjoint",
    "traces_are_local",
    "twins_are_equal",
    "twins_are_matched",
    "twins_are_told_apart",
]
SAMPLE = 60  # graphs of each split whose labels are found anew
LOCAL_SAMPLE = 300  # graphs of each split whose traces are compared


def twins_are_matched(folder: Path) -> list[str]:
    """Twins of the kinds that the configuration names also agree in their colours after one round of WL."""
    config = _config(folder)
    if config is None or config.source != "synthetic":
        return []
    found = checks.wl1_matched(config.wl1_kinds)(folder)
    short = checks.wl1_matched(config.short_wl1_kinds)(folder)
    return [line for line in found if not line.startswith("short ")] + [s for s in short if s.startswith("short ")]


def labels_agree(folder: Path) -> list[str]:
    """On a sample the label is the one answer in all worlds that agree with what is known, or that of d-separation."""
    found = []
    for split, graphs in checks.every(folder):
        for one in _sample(graphs, SAMPLE):
            if fault := worlds.malformed(one):
                found.append(f"{split} {one.id}: {fault}")
                continue
            answers = worlds.answers(one)
            if answers is not None and answers != {bool(one.label)}:
                found.append(f"{split} {one.id}: label {one.label}, the second oracle answers {sorted(answers)}")
    return found


def labels_do_not_depend_on_order(folder: Path) -> list[str]:
    """On a sample the oracle gives the same label, rounds and trace with nodes and edges in a different order."""
    found, rng = [], np.random.default_rng(0)
    for split, graphs in checks.every(folder):
        some = graphs.take(_rows(graphs, SAMPLE))
        shuffled = checks.permuted(some, rng)
        for row in range(len(some)):
            one = graph(shuffled, row)
            if worlds.malformed(one):  # a fault of `labels_agree`
                continue
            other = _again(one)
            if one.label != other.label or one.rounds < other.rounds:  # drawn twins have the rounds of the longer one
                found.append(
                    f"{split} {one.id}: label and rounds are not those of the oracle on another order of nodes"
                )
            is_same = np.array_equal(one.truth, other.truth) and np.array_equal(one.since, other.since)
            if len(one.truth) and not is_same:
                found.append(f"{split} {one.id}: the trace is not that of the oracle on another order of nodes")
    return found


def traces_are_local(folder: Path) -> list[str]:
    """On a sample each truth follows from those of node and neighbours a round before: a network can learn the step."""
    rows = [one for _, graphs in checks.every(folder) for one in _sample(graphs, LOCAL_SAMPLE)]
    return locality.faults(rows)


def effects_agree(folder: Path) -> list[str]:
    """On small networks, adjustment for valid sets gave the effect of an intervention exactly, when they were read."""
    found = artifact.read_manifest(folder).metrics.get("effects", {}) if (folder / artifact.MANIFEST).exists() else {}
    name = "largest_error_of_valid_sets"
    return [
        f"network {network}: adjustment for a valid set misses the effect by {figures[name]:.2g}"
        for network, figures in found.items()
        if figures[name] > effects.TOLERANCE
    ]


def no_shortcut(folder: Path) -> list[str]:
    """No classifier of counts or short-range colours is above the limit on a kind of query; see `shortcuts`."""
    return shortcuts.no_shortcut(folder)


def _config(folder: Path) -> CausalGraphsConfig | None:
    """The configuration of sealed data; None of a plain folder."""
    if not (folder / artifact.MANIFEST).exists():
        return None
    values: dict[str, Any] = artifact.read_manifest(folder).config
    return CausalGraphsConfig.model_validate({n: v for n, v in values.items() if n in CausalGraphsConfig.model_fields})


def _rows(graphs: Graphs, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, len(graphs) - 1, most).astype(int))


def _sample(graphs: Graphs, most: int) -> list[Graph]:
    return [graph(graphs, row) for row in _rows(graphs, most).tolist()]


def _again(one: Graph) -> Graph:
    nodes = np.stack([one.node_types, one.features, one.marks])
    edges = np.stack([one.sources, one.targets, one.relations])
    return labelled(one.kind, nodes, edges, one.length)
