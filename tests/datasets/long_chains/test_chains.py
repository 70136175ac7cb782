"""Long chains: the oracle against a plain recursion along the edges, and what twins share."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from nsmodels.datasets.long_chains.config import LongChainsConfig, debug
from nsmodels.datasets.long_chains.prepare import VOCABULARY, draw
from nsmodels.datasets.long_chains.walking import faults
from nsmodels.formats.graphs.colours import STABLE, node_colours
from nsmodels.formats.graphs.tables import Graph, Graphs, graph

RULES = {"xor": lambda a, b: a != b, "and": lambda a, b: a and b, "or": lambda a, b: a or b}


@pytest.fixture(scope="module")
def chains() -> dict[str, Graphs]:
    config = debug()
    return {split: draw(config, split, 30, np.random.default_rng(0)) for split in ("short", "train", "lengths")}


def solved(one: Graph, before_segment: bool | None = None) -> list[bool | None]:
    """Value of every node; with `before_segment`, of the mechanisms alone, if it were what each segment begins with."""
    names = VOCABULARY.node_types
    into: dict[int, dict[str, int]] = {node: {} for node in range(len(one.node_types))}
    for source, target, relation in zip(one.sources, one.targets, one.relations, strict=True):
        into[int(target)][VOCABULARY.relations[relation]] = int(source)

    @cache
    def value(node: int) -> bool | None:
        if names[one.node_types[node]] in ("root", "start"):
            return None if before_segment is not None else VOCABULARY.features[one.features[node]] == "true"
        root = next(source for name, source in into[node].items() if "side" in name)
        side = (VOCABULARY.features[one.features[root]] == "true") != ("negated side" in into[node])
        begins = "bridge" in into[node]
        before = before_segment if begins and before_segment is not None else None
        if before is None:
            before = value(into[node]["bridge" if begins else "next"])
        assert before is not None
        return RULES[names[one.node_types[node]]](before, side)

    return [value(node) for node in range(len(into))]


def test_labels_values_and_functions_of_segments_are_those_of_a_plain_recursion(chains: dict[str, Graphs]) -> None:
    for graphs in chains.values():
        for row in range(0, len(graphs), 7):
            one = graph(graphs, row)
            for channel, begins in enumerate((None, False, True)):
                for node, wanted in enumerate(solved(one, begins)):
                    assert (one.since[node, channel] >= 0) == (wanted is not None)
                    assert wanted is None or (one.truth[:, node, channel] == wanted).all()
            assert solved(one)[int(one.marks.argmax())] == one.label


def test_what_is_wrong_is_found(chains: dict[str, Graphs]) -> None:
    one = graph(chains["train"], 3)
    assert faults(one) == []
    one.label = 1 - one.label
    assert "by the walk" in faults(one)[0]
    one.truth = ~one.truth
    assert "a value differs" in faults(one)[0]
    one.marks = np.zeros_like(one.marks)
    assert "no chain" in faults(one)[0]


def test_around_the_asked_mechanism_twins_are_the_same_graph_for_twelve_rounds(chains: dict[str, Graphs]) -> None:
    graphs = chains["train"]
    asked = np.flatnonzero(graphs.marks)
    near, all_of_it = (node_colours(graphs, rounds)[asked].reshape(-1, 2) for rounds in (12, STABLE))
    assert (near[:, 0] == near[:, 1]).all()
    assert (all_of_it[:, 0] != all_of_it[:, 1]).all()
    assert (graphs.labels[::2] != graphs.labels[1::2]).all()


def test_lengths_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="ood_lengths: expected 6 to 256 mechanisms"):
        LongChainsConfig(ood_lengths=[4, 8])
