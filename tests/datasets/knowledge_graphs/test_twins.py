"""Pairs of knowledge graphs: labels and traces by a second search, equal surroundings, quotas, threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.knowledge_graphs.config import KnowledgeGraphsConfig, debug
from nsmodels.datasets.knowledge_graphs.prepare import DATASET, SLACK, draw, prepare
from nsmodels.datasets.knowledge_graphs.rules import HEAD, LETTERS, PATHS, TAIL, TYPE_RULE, VOCABULARY, transitions
from nsmodels.datasets.knowledge_graphs.search import faults
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.colours import certificates, node_colours
from nsmodels.formats.graphs.drawing import draw_splits
from nsmodels.formats.graphs.tables import Graphs, graph

RICH = KnowledgeGraphsConfig(num_decoys=3, near_misses=2, random_share=0.8, missing_rate=0.3, swept_lengths=[4, 16])


def drawn(config: KnowledgeGraphsConfig, split: str, number: int = 30) -> Graphs:
    return draw(config, split, number, np.random.default_rng(3))


@pytest.mark.parametrize(("config", "split"), [(debug(), "train"), (RICH, "ood"), (RICH, "lengths")])
def test_a_second_search_finds_labels_and_traces(config: KnowledgeGraphsConfig, split: str) -> None:
    graphs = drawn(config, split)
    for row in range(len(graphs)):
        assert faults(graph(graphs, row)) == []
    assert (graphs.labels.reshape(-1, 2).sum(axis=1) == 1).all()


def test_the_second_search_finds_a_wrong_label_and_a_wrong_trace() -> None:
    one = graph(drawn(debug(), "test", 2), 0)
    one.truth = ~one.truth
    assert "trace of node" in faults(one)[0]
    one.label = 1 - one.label
    assert faults(one) == [f"label {one.label}, by the search {1 - one.label}"]


def test_a_state_is_reached_only_from_neighbours_that_had_one_the_round_before() -> None:
    """Everything in the trace is decidable by then: no truth is ahead of the messages."""
    graphs, steps = drawn(RICH, "train", 20), transitions()
    for row in range(len(graphs)):
        one = graph(graphs, row)
        rule = int(one.features[one.marks == HEAD][0]) - 1
        before = np.zeros(one.truth.shape[1:], bool)
        before[one.marks == HEAD, 0] = True
        for now in one.truth:
            allowed = before.copy()
            for u, v, relation in zip(one.sources, one.targets, one.relations, strict=True):
                for a, b, moves in ((u, v, steps[rule, 0, relation]), (v, u, steps[rule, 1, relation])):
                    for state in np.flatnonzero(before[a] & (moves >= 0)):
                        allowed[b, moves[state]] = True
            np.testing.assert_array_equal(now, allowed)
            before = now


def test_twins_differ_in_nothing_that_is_near() -> None:
    graphs = drawn(RICH, "ood")
    one = node_colours(graphs, 1)
    for pair in range(0, len(graphs), 2):
        np.testing.assert_array_equal(np.sort(one[graphs.nodes(pair)]), np.sort(one[graphs.nodes(pair + 1)]))
    assert (certificates(graphs)[::2] != certificates(graphs)[1::2]).all()


def test_head_and_tail_are_as_far_apart_as_the_path_is_long() -> None:
    import networkx

    graphs = drawn(RICH, "lengths")
    for row in range(len(graphs)):
        one = graph(graphs, row)
        net = networkx.Graph(zip(one.sources.tolist(), one.targets.tolist(), strict=True))
        ends = (int(np.flatnonzero(one.marks == mark)[0]) for mark in (HEAD, TAIL))
        assert networkx.shortest_path_length(net, *ends) == one.length == one.rounds - SLACK


def test_no_edge_is_there_twice() -> None:
    graphs = drawn(RICH, "train")
    owner = np.repeat(np.arange(len(graphs)), graphs.num_edges)
    rows = np.stack([owner, graphs.sources, graphs.targets, graphs.relations], axis=1)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_kinds_and_lengths_have_their_quotas() -> None:
    graphs = drawn(RICH.with_values({"type_share": 0.25}), "lengths", 40)
    assert (graphs.kinds == PATHS).mean() == 0.75
    assert np.bincount(graphs.lengths[graphs.kinds == PATHS])[[4, 16]].tolist() == [30, 30]


def test_a_word_of_one_rule_is_no_word_of_another() -> None:
    steps = transitions()
    for rule, (a, b, c, d) in enumerate(LETTERS.tolist()):
        for other in range(TYPE_RULE):
            state = 0
            for letter in (a, b, c, b, d):
                state = int(steps[other, 0, letter, state]) if state >= 0 else -1
            assert (state == VOCABULARY.channels.index("end reaches")) == (rule == other)


def test_threads_do_not_change_the_graphs() -> None:
    config = debug().with_values({"num_train": 300})
    one, four = (
        draw_splits(config.with_values({"num_workers": number}), draw, DATASET.numbers(config)).splits["train"]
        for number in (1, 4)
    )
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(four, name), name)


def test_graphs_of_ones_own_are_read(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    graphs = drawn(debug(), "test", 3)
    names = np.array([f"mine {row}" for row in range(len(graphs))], object)
    files.write(tmp_path / "given" / "test.parquet", graphs.replaced(ids=names))
    config = KnowledgeGraphsConfig(source="local", local_path=str(tmp_path / "given"))
    manifest = prepare(config, "mine", tmp_path / "mine")
    assert (manifest.source, manifest.metrics["num_graphs"]) == ("graphs from local files", {"test": 6})
    assert DATASET.vocabulary == files.read_split(tmp_path / "mine", "test").vocabulary


def test_impossible_settings_are_named() -> None:
    config = debug().with_values({"random_share": 2.0, "type_share": 1.0, "swept_lengths": [60]})
    with pytest.raises(InputError, match=r"lengths: no twins with opposite labels in .* lower random_share"):
        drawn(config, "lengths", 1)
    with pytest.raises(InputError, match="shortest 9 is above longest 7"):
        debug().with_values({"shortest": 9})
