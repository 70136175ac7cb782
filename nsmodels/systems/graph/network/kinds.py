"""The networks by name: all of them take a `GraphBatch` and return an `Output`.

A network has `supervision`: whether it is asked for the trace after every round ("rounds": rows of round 0, then of
round 1, ... each with the nodes that still run), for its end ("end": one row per node), or for both (a number k: all
nodes after each of the first k rounds, and at the end). It has `has_rounds`: whether it repeats an update
`GraphBatch.rounds`
times, and `rounds_of(graphs, extra)`: how often that is, given how many more than the structure demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from nsmodels.engine.checkpoint import settings_of
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.config import GraphConfig, Kind


def build(kind: Kind, config: GraphConfig, vocabulary: Vocabulary) -> nn.Module:
    """A network of that kind with random weights, for graphs with that vocabulary."""
    if kind == "recurrent":
        from nsmodels.systems.graph.network.recurrent import RecurrentCore

        return RecurrentCore(config.model, vocabulary)
    if kind == "levels":
        from nsmodels.systems.graph.network.levels import Levels

        return Levels(config.model, vocabulary, config.objective.cycle_weight)
    if kind == "flat":
        from nsmodels.systems.graph.network.flat import FlatNetwork

        return FlatNetwork(config.baselines, vocabulary)
    from nsmodels.systems.graph.network.source import SourceNetwork

    return SourceNetwork(config.baselines, vocabulary)


def settings(kind: Kind, config: GraphConfig, vocabulary: Vocabulary) -> dict[str, Any]:
    """What `from_settings` builds the network from, as plain JSON values."""
    sections = {name: getattr(config, name).model_dump(mode="json") for name in ("model", "objective", "baselines")}
    return {"kind": kind, "network": sections, "vocabulary": vocabulary.to_dict()}


def from_settings(payload: Mapping[str, Any], where: str) -> tuple[Kind, GraphConfig, Vocabulary]:
    """Kind, configuration and vocabulary from a checkpoint; raises InputError naming `where` for a different one."""
    kind, sections, names = (settings_of(payload, name, where) for name in ("kind", "network", "vocabulary"))
    return kind, GraphConfig.from_mapping(sections, where), Vocabulary.from_dict(names, where)
