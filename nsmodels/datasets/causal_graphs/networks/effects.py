"""Exact causal effects in small networks, by enumeration of the joint distribution (Pearl 2009, sec. 3.2 and 3.3)."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.causal_graphs.networks.bif import Network

MOST_STATES = 1 << 20  # of a joint distribution that is enumerated
TOLERANCE = 1e-9


def num_states(network: Network) -> int:
    """Number of joint states of all variables."""
    return math.prod(len(states) for states in network.states.values())


def joint(network: Network, without: str = "") -> NDArray[np.float64]:
    """The product of all tables, an axis for each variable in the order of the file.

    Without the table of a variable it is the distribution under each value that the variable is set to.
    """
    names = network.variables
    product = np.ones((1,) * len(names))
    for variable in names:
        if variable != without:
            axes = [names.index(name) for name in (*network.parents[variable], variable)]
            table = np.moveaxis(network.table(variable), range(len(axes)), np.argsort(np.argsort(axes)))
            shape = [len(network.states[name]) if place in axes else 1 for place, name in enumerate(names)]
            product = product * table.reshape(shape)
    return product


def effect(network: Network, treatment: str, outcome: str) -> NDArray[np.float64]:
    """P(outcome | do(treatment)), (states of the treatment, states of the outcome)."""
    return _marginal(network, joint(network, without=treatment), [treatment, outcome])


def adjusted(network: Network, treatment: str, outcome: str, members: Collection[str]) -> NDArray[np.float64] | None:
    """Sum over z of P(outcome | treatment, z) P(z), as `effect`; None where a z excludes a value of the treatment."""
    together = _marginal(network, joint(network), [treatment, outcome, *members])
    given = together.sum(axis=1, keepdims=True)
    share = given.sum(axis=0, keepdims=True)
    if (given[np.broadcast_to(share > 0, given.shape)] <= 0).any():
        return None
    conditional = np.divide(together, given, out=np.zeros_like(together), where=given > 0)
    return (conditional * share).reshape(*together.shape[:2], -1).sum(axis=2)


def _marginal(network: Network, table: NDArray[np.float64], wanted: list[str]) -> NDArray[np.float64]:
    """The sum over all other variables, axes in the order of `wanted`."""
    names = network.variables
    others = tuple(place for place, name in enumerate(names) if name not in wanted)
    left = [name for name in names if name in wanted]
    return np.transpose(table.sum(axis=others), [left.index(name) for name in wanted])
