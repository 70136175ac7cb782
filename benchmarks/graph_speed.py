"""Speed of the graph reasoner: its message layer beside PyG's RGCNConv, training end to end, and the generators.

The layers have equal width and get the same batches, inverse edges included: 4 layers, forward and backward. All
contenders take turns, so that other work on the machine meets all of them; medians of CPU-seconds (a GPU: seconds).

    OMP_NUM_THREADS=1 python benchmarks/graph_speed.py [--dim 64] [--graphs 64] [--repeats 7] [--device cpu]

RGCNConv is measured where torch_geometric is installed: pip install -e '.[peers]'.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nsmodels.engine.batching import to_device
from nsmodels.engine.runtime import resolve_device
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.config import PRESETS_BY_DOMAIN, ModelConfig
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.network.encoding import GraphBatch, collate
from nsmodels.systems.graph.network.recurrent import RelationalMessages

LAYERS, BASES = 4, 4
DATASETS = {"causal": "causal_graphs", "planning": "planning_graphs", "knowledge": "knowledge_graphs"}


class Own(nn.Module):
    """Layers of this project: diagonal relations, or combinations of bases."""

    def __init__(self, dim: int, graphs: Graphs, num_bases: int) -> None:
        super().__init__()
        config = ModelConfig(dim=dim, num_bases=num_bases, use_norm=False, aggregation="sum")
        self.layers = nn.ModuleList(RelationalMessages(config, graphs.vocabulary, dim) for _ in range(LAYERS))
        self.roots = nn.ModuleList(nn.Linear(dim, dim) for _ in range(LAYERS))

    def forward(self, x: Tensor, adjacency: Adjacency) -> Tensor:
        """Nodes (N, D) after the layers."""
        for layer, root in zip(self.layers, self.roots, strict=True):
            x = torch.relu(layer(x, adjacency) + root(x))
        return x


class Peer(nn.Module):
    """Layers of PyG: a matrix per relation, or combinations of bases; the sum of messages, as above."""

    def __init__(self, dim: int, graphs: Graphs, num_bases: int | None) -> None:
        from torch_geometric.nn import RGCNConv  # pyright: ignore[reportMissingImports]: an extra (peers)

        super().__init__()
        number = 2 * len(graphs.vocabulary.relations)
        self.layers = nn.ModuleList(RGCNConv(dim, dim, number, num_bases=num_bases, aggr="sum") for _ in range(LAYERS))

    def forward(self, x: Tensor, adjacency: Adjacency) -> Tensor:
        """Nodes (N, D) after the layers."""
        edges = torch.stack([adjacency.source, adjacency.target])
        for layer in self.layers:
            x = torch.relu(layer(x, edges, adjacency.relation))
        return x


def has_peer() -> bool:
    """Whether torch_geometric can be imported; prints how to install it otherwise."""
    try:
        with warnings.catch_warnings(action="ignore"):
            importlib.import_module("torch_geometric.nn")
    except ImportError:
        print("torch_geometric is missing, RGCNConv is left out; pip install -e '.[peers]'")
        return False
    return True


def medians(contenders: Mapping[str, Callable[[], object]], repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each contender, which take turns; a first round warms them up."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, work in contenders.items():
            times[name].append(_seconds(work, device))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def layer_work(network: nn.Module, batch: GraphBatch, dim: int, steps: int = 5) -> Callable[[], None]:
    """Forward and backward passes of a network on a batch."""
    x = torch.randn(len(batch.graph), dim, device=batch.graph.device)
    network.to(x.device)

    def work() -> None:
        for _ in range(steps):
            network.zero_grad(set_to_none=True)
            network(x.requires_grad_(), batch.adjacency).square().mean().backward()

    return work


def training_work(domain: str, graphs: Graphs, device: torch.device, batch_size: int = 64) -> Callable[[], None]:
    """An epoch of the preset quick over the graphs: batches, loss, gradient, step."""
    from nsmodels.systems.graph.training.task import weighted_losses

    config = PRESETS_BY_DOMAIN[domain]["quick"]()
    network = kinds.build("recurrent", config, graphs.vocabulary).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.training.lr, fused=True)

    def work() -> None:
        for first in range(0, len(graphs), batch_size):
            part = graphs.take(np.arange(first, min(first + batch_size, len(graphs))))
            batch = to_device(collate(part, part.rounds + 2, "rounds"), device)
            total, _ = weighted_losses(network(batch), batch, config.objective.trace_weight)
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            optimizer.step()

    return work


def drawn(name: str, split: str, num_pairs: int, seed: int = 0) -> Graphs:
    """Graphs of a dataset's preset quick, drawn in this thread."""
    config = importlib.import_module(f"nsmodels.datasets.{name}.config").quick()
    dataset = importlib.import_module(f"nsmodels.datasets.{name}.prepare").DATASET
    return dataset.draw(config, split, num_pairs, np.random.default_rng(seed))


def report(domain: str, arguments: argparse.Namespace, device: torch.device, with_peer: bool) -> None:
    """Measure one domain and print its lines."""
    name, dim = DATASETS[domain], arguments.dim
    graphs = drawn(name, "train", arguments.graphs // 2)
    batch = to_device(collate(graphs, graphs.rounds), device)
    networks: dict[str, Any] = {"own, diagonal": Own(dim, graphs, 0), f"own, {BASES} bases": Own(dim, graphs, BASES)}
    if with_peer:
        networks |= {f"RGCNConv, {BASES} bases": Peer(dim, graphs, BASES), "RGCNConv, full": Peer(dim, graphs, None)}
    work = {label: layer_work(network, batch, dim) for label, network in networks.items()}
    found = {label: 5 * len(graphs) / each for label, each in medians(work, arguments.repeats, device).items()}
    sizes = f"{graphs.num_nodes.mean():.0f} nodes, {2 * graphs.num_edges.mean():.0f} edges"
    print(f"{domain}: {sizes}, {2 * len(graphs.vocabulary.relations)} relations")
    peers = [rate for label, rate in found.items() if label.startswith("RGCN")]
    for label, rate in found.items():
        beside = f"  {rate / max(peers):.1f} x the faster RGCNConv" if peers and label.startswith("own") else ""
        print(f"  layers, {label:<18} {rate:9,.0f} graphs/s{beside}")
    for split in ("short", "train"):
        some = drawn(name, split, 4 * arguments.graphs)
        seconds = medians({"": training_work(domain, some, device)}, arguments.repeats // 2 + 1, device)[""]
        print(f"  training, {split:<16} {len(some) / seconds:9,.0f} graphs/s")
        start = medians(
            {"": lambda split=split: drawn(name, split, 250)}, arguments.repeats // 2 + 1, torch.device("cpu")
        )
        print(f"  generator, {split:<15} {500 / start['']:9,.0f} graphs/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--graphs", type=int, default=64, help="graphs of a batch")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--domains", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    torch.manual_seed(0)
    with_peer = has_peer()
    for domain in arguments.domains:
        report(domain, arguments, device, with_peer)


if __name__ == "__main__":
    main()
