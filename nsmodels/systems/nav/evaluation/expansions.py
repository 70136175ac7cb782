"""Expansions of A* with the network's cost-to-go as heuristic, beside those with the distance on an empty map.

The measure of learnt heuristics (Yonetani et al. 2021). A learnt cost can exceed the true one, so that the first path
found need not be the best: the cost of the paths stands beside the cells that were saved. Computing the cost-to-go is
not counted: it visits every cell that can reach the goal, and pays when many starts share a goal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.solving import search
from nsmodels.systems.nav.evaluation.scorer import Problems
from nsmodels.systems.nav.evaluation.scoring import RELATIVE, TOLERANCE
from nsmodels.systems.nav.network.navigator import Navigator

SAMPLE = 50  # problems of each size
LARGEST_CELLS = 128 * 128  # plain Python takes seconds a problem beyond


def expansions(navigator: Navigator, problems: Sequence[Problems]) -> dict[str, Any]:
    """By size of the map: mean number of cells expanded, share saved, share of optimal paths, largest cost over it.

    `saved` is the mean over the problems of 1 − (expanded with the network) / (expanded with the distance).
    """
    groups: dict[str, list[Problems]] = {}
    for part in problems:
        if part.maps.shape[0] * part.maps.shape[1] <= LARGEST_CELLS:
            groups.setdefault(part.size, []).append(part)
    found = {size: _of_size(navigator, parts) for size, parts in groups.items()}
    return {size: entry for size, entry in found.items() if entry}


def _of_size(navigator: Navigator, parts: list[Problems]) -> dict[str, Any] | None:
    rows = [row for part in parts for row in _sampled(navigator, part, -(-SAMPLE // len(parts)))]
    if not rows:
        return None
    plain, learnt, ratio = np.array(rows).T
    return {
        "n": len(rows),
        "astar": float(plain.mean()),
        "network": float(learnt.mean()),
        "saved": float((1 - learnt / plain).mean()),
        "optimal": float((ratio <= 1 + TOLERANCE).mean()),
        "worst_cost": float(ratio.max()),
    }


def _sampled(navigator: Navigator, part: Problems, num: int) -> list[tuple[int, int, float]]:
    """Cells expanded with the distance and with the network, and cost over the optimum, of the solvable problems."""
    chosen = np.unique(np.linspace(0, len(part.maps) - 1, num).round().astype(int))
    maps = part.maps[chosen]
    costs, found = navigator.policy(maps).cost_to_go, []
    for i in range(len(maps)):
        best, plain = search.expand(maps, i, search.empty_bound(maps, i))
        path, learnt = search.expand(maps, i, _bound(costs[i]))
        if best is not None and path is not None and len(best) > 1:
            paid, least = search.path_cost(maps, i, path), search.path_cost(maps, i, best)
            found.append((plain, learnt, paid / least if paid > least * (1 + RELATIVE) else 1.0))
    return found


def _bound(cost_to_go: NDArray[np.float32]) -> search.Bound:
    values = cost_to_go.tolist()
    return lambda cell: values[cell[0]][cell[1]]
