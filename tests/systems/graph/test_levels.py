"""Two levels, the flat layers and the source document's network: gradients, independence, the cycle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nsmodels.datasets.long_chains.config import debug
from nsmodels.datasets.long_chains.prepare import draw
from nsmodels.formats.graphs.checks import permuted
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import PRESETS_BY_DOMAIN, GraphConfig, Kind
from nsmodels.systems.graph.evaluation.cycle import centred_error, measures, plain_error
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.network.clusters import Clusters
from nsmodels.systems.graph.network.encoding import GraphBatch, collate
from nsmodels.systems.graph.network.levels import SlotMap
from nsmodels.systems.graph.network.recurrent import NodeEmbedding
from nsmodels.systems.graph.network.source import Coupling
from nsmodels.systems.graph.phases import make_trial
from nsmodels.systems.graph.reasoner import Reasoner
from tests.contracts.test_splits import gradient, split
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def chains() -> Graphs:
    return Graphs.concatenate([draw(debug(), split, 5, np.random.default_rng(0)) for split in ("short", "train")])


def batch_of(network: Any, graphs: Graphs) -> GraphBatch:
    return collate(graphs, network.rounds_of(graphs, 1), network.supervision)


def reasoner(kind: Kind, graphs: Graphs, **model: Any) -> Reasoner:
    config = GraphConfig().with_values({"model": {"dim": 8, "slot_dim": 4, **model}, "baselines.source_dim": 8})
    config = config.with_values({"model.kind": kind, "objective.cycle_weight": 0.1, "baselines.flat_dim": 8})
    torch.manual_seed(0)
    return Reasoner(kinds.build(kind, config, graphs.vocabulary).eval(), kind, config, graphs.vocabulary, 0.1)


@pytest.mark.parametrize("kind", ["levels", "flat", "source"])
def test_the_losses_reach_every_parameter(kind: Kind, chains: Graphs) -> None:
    network = reasoner(kind, chains).network
    batch = batch_of(network, chains)
    found = network(batch)
    assert batch.trace is not None
    assert found.trace.shape == batch.trace.target.shape
    loss = found.logits.sum() + (found.trace * batch.trace.weight).sum() + sum(found.losses.values())
    loss.backward()
    names = [name for name, each in network.named_parameters() if each.grad is None or not each.grad.abs().sum()]
    assert names == []


@pytest.mark.parametrize("kind", ["levels", "flat", "source"])
def test_a_prediction_depends_neither_on_company_nor_on_the_order_of_nodes(kind: Kind, chains: Graphs) -> None:
    found = reasoner(kind, chains)
    together = found.predict(chains, with_trace=True)
    assert np.ptp(together.probability) > 0.01
    alone = found.predict(chains.take([12]), with_trace=True)
    assert together.believed is not None
    assert alone.believed is not None
    np.testing.assert_allclose(alone.believed[0], together.believed[12], atol=1e-5)
    order = np.random.default_rng(1).permutation(len(chains))
    other = found.predict(permuted(chains.take(order), np.random.default_rng(2)), batch_size=3)
    np.testing.assert_allclose(other.probability, together.probability[order], atol=1e-5)


def test_the_gradient_of_a_batch_does_not_depend_on_its_split(shared: Shared) -> None:
    config = PRESETS_BY_DOMAIN["chains"]["debug"]().with_values({"training.batch_size": 6})
    task = make_trial("reasoner", config, shared.data("long_chains")).task
    torch.manual_seed(0)
    model = task.build()
    loss, whole = gradient(task, model, split(task, "train", 1, 1, 0))
    apart, found = gradient(task, model, split(task, "train", 1, 4, 0))
    assert apart == pytest.approx(loss, rel=1e-5)
    assert (found - whole).norm() < 1e-4 * whole.norm()


def test_nodes_without_clusters_and_edges_are_predicted_too(chains: Graphs) -> None:
    bare = chains.replaced(clusters=np.full_like(chains.clusters, -1))
    found = reasoner("levels", chains)
    assert np.isfinite(found.predict(bare).probability).all()
    empty = {name: getattr(bare, name)[:0] for name in ("sources", "targets", "relations", "confidence")}
    bare = bare.replaced(edge_offsets=np.zeros_like(bare.edge_offsets), **empty)
    network: Any = found.network
    assert torch.isfinite(network(batch_of(network, bare)).logits).all()


def test_the_upper_level_runs_as_often_as_there_are_clusters_and_one_level_within_its_budget(chains: Graphs) -> None:
    levels: Any = reasoner("levels", chains).network
    np.testing.assert_array_equal(levels.rounds_of(chains, 3), 1 + -(-chains.lengths // 4) + 3)
    recurrent: Any = reasoner("recurrent", chains, max_rounds=12).network
    assert recurrent.rounds_of(chains, 3).max() == 12


@torch.no_grad()
def test_slots_keep_members_apart_and_restore_them(chains: Graphs) -> None:
    network: Any = reasoner("levels", chains).network
    batch = batch_of(network, chains)
    clusters = Clusters.of(batch, len(chains.vocabulary.relations))
    x = torch.randn(len(batch.graph), 8)
    whole, narrow = SlotMap(8, num_slots=8, slot_dim=8), SlotMap(8, num_slots=8, slot_dim=4)
    assert centred_error(x, whole.restore(whole(x, clusters), clusters)) < 1e-9
    # 4 of 8 channels of independent noise are half of its variance.
    assert centred_error(x, narrow.restore(narrow(x, clusters), clusters)) == pytest.approx(0.5, abs=0.1)


def test_the_coupling_is_undone_by_its_inverse(chains: Graphs) -> None:
    network: Any = reasoner("source", chains).network
    batch = batch_of(network, chains)
    x = NodeEmbedding(chains.vocabulary, 8)(batch)
    coupling = Coupling(chains.vocabulary, 8)
    up = coupling(x, batch.adjacency)
    assert (up - x).abs().max() > 0.1
    torch.testing.assert_close(coupling.inverse(up, batch.adjacency), x, atol=1e-4, rtol=1e-4)


def test_the_error_of_the_cycle_is_relative_to_the_variance() -> None:
    x = torch.randn(2_000, 6) + 10
    mean, shuffled = x.mean(0).expand_as(x), x[torch.randperm(len(x))]
    assert centred_error(x, x) == 0
    assert centred_error(x, mean) == pytest.approx(1, abs=1e-5)
    assert centred_error(x, shuffled) == pytest.approx(2, abs=0.1)
    assert plain_error(x, mean) < 0.02  # a common vector makes any reconstruction look good


def test_the_measures_of_the_cycle_are_those_of_all_graphs_together(chains: Graphs) -> None:
    found = measures(reasoner("levels", chains), chains)
    assert set(found) == {"centred_error", "plain_error", "semantic", "node_types"}
    assert all(value is not None and value >= 0 for value in found.values())
    assert measures(reasoner("source", chains), chains)["semantic"] is None
    assert measures(reasoner("flat", chains), chains) == {}
