"""Messages: the kernel, the tensor operations and a dense reference agree in values and gradients."""

from __future__ import annotations

import pytest
import torch

from nsmodels.layers.messages import Adjacency, Aggregation, by_index, messages

DIM, RELATIONS = 5, 3


def adjacency(num_nodes: int, num_edges: int) -> Adjacency:
    """Random edges, double ones and loops among them; the first half of the nodes has none to the second."""
    half = max(1, num_nodes // 2)
    torch.manual_seed(num_edges)
    source = torch.randint(max(1, num_nodes), (num_edges,))
    target = torch.where(source < half, torch.randint(half, (num_edges,)), source)
    relation, confidence = torch.randint(RELATIONS, (num_edges,)), torch.rand(num_edges)
    return Adjacency.of(num_nodes, *(each.numpy() for each in (source, target, relation, confidence)), RELATIONS)


def dense(x, scale, shift, edges: Adjacency, aggregation: Aggregation) -> torch.Tensor:
    """Node by node, from the definition."""
    rows, none = [], 0 * (x.sum(0) + scale.sum(0) + shift.sum(0))
    for v in range(len(x)):
        into = [e for e in range(len(edges.target)) if edges.target[e] == v]
        sent = [
            edges.confidence[e] * (x[edges.source[e]] * scale[edges.relation[e]] + shift[edges.relation[e]])
            for e in into
        ]
        if not sent:
            rows.append(none)
            continue
        stacked = torch.stack(sent)
        added, largest = stacked.sum(0), stacked.max(0).values
        half = {"sum": DIM, "max": 0, "both": DIM // 2}[aggregation]
        rows.append(torch.cat([added[:half], largest[half:]]))
    return torch.stack(rows) if rows else x + none


def found(layer, num: int, edges: Adjacency, aggregation: Aggregation) -> list[torch.Tensor]:
    """Messages and the gradients of a fixed function of them."""
    torch.manual_seed(1)
    given = [torch.randn(size, DIM, requires_grad=True) for size in (num, 2 * RELATIONS, 2 * RELATIONS)]
    out = layer(*given, edges, aggregation)
    (out * torch.arange(out.numel()).view_as(out).cos()).sum().backward()
    return [out.detach(), *(each.grad for each in given)]


@pytest.mark.parametrize("aggregation", ["sum", "max", "both"])
@pytest.mark.parametrize(("num_nodes", "num_edges"), [(8, 30), (8, 0), (1, 2), (1, 0), (0, 0)])
def test_kernel_and_tensor_operations_agree_with_the_definition(
    num_nodes: int, num_edges: int, aggregation: Aggregation
) -> None:
    edges = adjacency(num_nodes, num_edges)
    for num in {num_nodes, num_nodes // 2}:  # all nodes, and a prefix of them
        wanted = found(dense, num, prefix(edges, num), aggregation)
        for layer in (messages, by_index):
            for one, other in zip(found(layer, num, edges, aggregation), wanted, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def prefix(edges: Adjacency, num: int) -> Adjacency:
    """The edges into the first nodes."""
    kept = edges.target < num
    fields = (edges.source, edges.target, edges.relation, edges.confidence)
    return Adjacency.of(num, *(each[kept].numpy() for each in fields))


def test_of_equal_messages_one_edge_has_the_gradient_in_both() -> None:
    edges = Adjacency.of(2, *(torch.tensor(each).numpy() for each in ([0, 0], [1, 1], [0, 1], [1.0, 1.0])))
    for layer in (messages, by_index):
        x, scale = torch.ones(2, DIM), torch.ones(2, DIM, requires_grad=True)
        layer(x, scale, None, edges, "max").sum().backward()
        assert scale.grad is not None
        torch.testing.assert_close(scale.grad, torch.tensor([[1.0], [0.0]]).expand(2, DIM))


def test_inverse_edges_carry_relations_of_their_own() -> None:
    edges = Adjacency.of(2, *(torch.tensor(each).numpy() for each in ([0], [1], [2], [0.5])), RELATIONS)
    assert edges.source.tolist() == [1, 0]
    assert edges.relation.tolist() == [2 + RELATIONS, 2]
    assert edges.confidence.tolist() == [0.5, 0.5]
    assert edges.out_edges.tolist() == [1, 0]
