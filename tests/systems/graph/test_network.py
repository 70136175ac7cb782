"""The recurrent core: what its outputs depend on, and what they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.formats.graphs.tables import Graphs, graph, table
from nsmodels.systems.graph.config import GraphConfig
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.network.encoding import collate
from nsmodels.systems.graph.network.supervision import traced
from nsmodels.systems.graph.reasoner import Reasoner
from tests.systems.graph.reach import VOCABULARY, graphs

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "max": {"aggregation": "max"},
    "bases": {"num_bases": 2},
    "plain": {"use_gate": False, "cell_layers": 1, "use_norm": False},
}


def reasoner(**model: Any) -> Reasoner:
    """An untrained one whose readout is large enough for differences to be seen."""
    config = GraphConfig().with_values({"model": {"dim": 8, "slack_rounds": 1, **model}})
    torch.manual_seed(0)
    network = kinds.build("recurrent", config, VOCABULARY).eval()
    return Reasoner(network, "recurrent", config, VOCABULARY, temperature=0.1)


def permuted(given: Graphs, seed: int) -> Graphs:
    """The same graphs with their nodes and edges in a different order."""
    rng, made = np.random.default_rng(seed), []
    for number in range(len(given)):
        each = graph(given, number)
        nodes, edges = rng.permutation(len(each.node_types)), rng.permutation(len(each.sources))
        place = nodes.argsort()
        columns = {name: getattr(each, name)[nodes] for name in ("node_types", "features", "marks", "since")}
        columns |= {name: place[getattr(each, name)[edges]] for name in ("sources", "targets")}
        columns |= {name: getattr(each, name)[edges] for name in ("relations", "confidence")}
        made.append(replace(each, truth=each.truth[:, nodes], **columns))
    return table(made, given.vocabulary)


@pytest.mark.parametrize("model", VARIANTS.values(), ids=VARIANTS)
def test_a_prediction_depends_neither_on_company_nor_on_the_order_of_nodes(model: dict[str, Any]) -> None:
    found, given = reasoner(**model), graphs(24)
    assert len(np.unique(given.rounds)) > 4  # graphs of a batch stop after different rounds
    together = found.predict(given, with_trace=True)
    assert np.ptp(together.probability) > 0.01
    for seed, size in ((0, 24), (1, 5), (2, 1)):
        order = np.random.default_rng(seed).permutation(len(given))
        apart = found.predict(permuted(given.take(order), seed), batch_size=size)
        np.testing.assert_allclose(apart.probability, together.probability[order], atol=1e-5)
        np.testing.assert_array_equal(apart.rounds, together.rounds[order])


def test_what_is_believed_has_a_state_per_round_of_each_graph_and_ends_as_the_last_one() -> None:
    found, given = reasoner(), graphs(9)
    prediction = found.predict(given, with_trace=True, batch_size=4)
    assert prediction.believed is not None
    for number, (each, rounds) in enumerate(zip(prediction.believed, prediction.rounds, strict=True)):
        assert each.shape == (rounds, given.num_nodes[number], 2)
        assert rounds == given.rounds[number] + 1
    alone = found.predict(given.take([5]), with_trace=True).believed
    assert alone is not None
    np.testing.assert_allclose(alone[0], prediction.believed[5], atol=1e-5)


def test_more_rounds_confidence_and_every_column_count() -> None:
    found, given = reasoner(), graphs(20)
    before = found.predict(given).probability
    changed = {
        "extra rounds": found.predict(given, extra_rounds=3),
        "the same rounds": found.predict(given, rounds=2),
        "confidence": found.predict(given.replaced(confidence=1 - given.confidence)),
        "directions": found.predict(given.replaced(sources=given.targets, targets=given.sources)),
        "relations": found.predict(given.replaced(relations=1 - given.relations)),
        "types": found.predict(given.replaced(node_types=1 - given.node_types)),
        "marks": found.predict(given.replaced(marks=0 * given.marks)),
        "kinds": found.predict(given.replaced(kinds=1 - given.kinds)),
    }
    for name, prediction in changed.items():
        assert np.abs(prediction.probability - before).max() > 1e-3, name
    unread = given.replaced(labels=1 - given.labels, since=given.since * 0, ids=given.ids[::-1])
    np.testing.assert_array_equal(found.predict(unread).probability, before)


def test_the_trace_is_the_truth_from_when_it_is_decidable_and_both_classes_weigh_the_same() -> None:
    given = graphs(12)
    given = given.replaced(since=np.where(given.since >= 0, np.arange(len(given.since))[:, None] % 3, given.since))
    rounds = given.rounds.astype(np.int64) + 2
    batch = collate(given, rounds, "rounds")
    assert batch.trace is not None
    start = 0
    for t, size in enumerate(batch.sizes):
        target, weight = (each[start : start + size].numpy() for each in batch.trace)
        start += size
        running = [row for row in batch.rows if rounds[row] > t]
        truth = np.concatenate([given.truth(row)[min(t, given.trace_rounds[row] - 1)] for row in running])
        since = np.concatenate([given.since[given.nodes(row)] for row in running])
        is_asked = (since >= 0) & (since <= t)
        np.testing.assert_array_equal(weight > 0, is_asked)
        np.testing.assert_array_equal(target[is_asked], truth[is_asked])
        sums = [weight[is_asked & (truth == value)].sum() for value in (False, True)]
        assert sums[0] == pytest.approx(sums[1], rel=1e-4)
    assert start == len(batch.trace.target)
    assert float(batch.trace.weight.sum()) == pytest.approx(1, rel=1e-4)
    end = traced(given, given.rounds.astype(np.int64), "end").target[:, 0]
    np.testing.assert_array_equal(end, np.concatenate([given.truth(row)[-1, :, 0] for row in range(len(given))]))


def test_checkpointing_has_the_same_gradient() -> None:
    network, batch = reasoner().network, collate(graphs(8), graphs(8).rounds, "rounds")
    gradients = []
    for use in (False, True):
        network.use_checkpointing = use
        network.zero_grad()
        out = network(batch)
        (out.logits.sum() + out.trace.square().mean()).backward()
        gradients.append(torch.cat([each.grad.flatten() for each in network.parameters()]))
    torch.testing.assert_close(*gradients)


def test_graphs_with_different_names_are_refused() -> None:
    given = graphs(4).replaced(vocabulary=replace(VOCABULARY, relations=("road", "path")))
    with pytest.raises(InputError, match=r"'relations' of their vocabulary differs"):
        reasoner().predict(given)


@pytest.mark.parametrize(("most", "aggregation"), [(1, "sum"), (7, "sum"), (7, "max"), (7, "both")])
def test_all_rounds_as_one_function_equal_one_round_after_the_other(most: int, aggregation: str) -> None:
    network: Any = reasoner(aggregation=aggregation).network
    given = graphs(10, most=max(2, most))
    batch, found = collate(given, given.rounds % most + 1, "rounds"), []
    for forward in (network.cell.states, lambda *args: torch.cat(list(one_by_one(network.cell, *args)))):
        network.zero_grad()
        x = network.embed(batch)
        states = forward(x, network.cell.from_input(x), batch.sizes, batch.adjacency)
        (states * torch.arange(states.numel()).view_as(states).cos()).sum().backward()
        gradients = [each.grad.flatten() for each in network.parameters() if each.grad is not None]
        found.append((states.detach(), torch.cat(gradients)))
    (fused, of_fused), (plain, of_plain) = found
    torch.testing.assert_close(fused, plain)
    torch.testing.assert_close(of_fused, of_plain, rtol=1e-4, atol=1e-5)


def one_by_one(cell, h, given, sizes, adjacency):
    """Nodes after each round of the cell."""
    for size in sizes:
        h = cell(h[:size], given[:size], adjacency)
        yield h
