"""Plans: rollouts of a policy on the map, with exact search as a fallback on request.

Every plan is checked: each move of a path has been made on the map, from the start to the goal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import NAMES, OCTILE, OFFSETS, DiagonalRule
from nsmodels.datasets.mazes.grids import Maps, concatenate
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.components import can_reach
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.systems.nav.network.encoding import LARGEST_COST
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import REACHABLE_THRESHOLD, Policy
from nsmodels.systems.nav.planning.rollout import Rollout, roll_out

CHUNK_CELLS = 2**22  # cells whose policies are in memory at once
NO_WAY = "unreachable (certain: exact search found no path)"


@dataclass(frozen=True)
class Plan:
    """A plan from start to goal, checked by a rollout.

    Attributes:
        path: int16 (k, 2), row and column of the cells on the path, the start first. It ends at the goal when
            `is_found`, else where the policy failed; the start alone when the goal cannot be reached, or the network
            predicts so.
        actions: int8 (k - 1,), the moves between them.
        confidence: float32 (k - 1,), the network's probability that each move begins an optimal path.
        steps: recursion steps that the network used.
        is_final: whether no further step would change anything; False: the limit of steps was reached before.
        is_found: whether `path` leads to the goal.
        is_reachable: whether the goal can be reached: proven by the path, or where the network has none by the
            connected free cells.
        is_certain: True: `is_reachable` is proven and no prediction.
        probability: the network's probability that the goal can be reached.
        source: origin of the path: "model", or "astar" for the fallback.
        cost: cost of `path`, complete or not.
        optimal_cost: exact cost of the best path; inf: there is none; None: not computed (see `fallback`).
        why: outcome in words.
        failed_path: int16 (k, 2), the cells that the network's policy crossed before the fallback replaced its path;
            empty without a fallback, or where no path was tried.
    """

    path: NDArray[np.int16]
    actions: NDArray[np.int8]
    confidence: NDArray[np.float32]
    steps: int
    is_final: bool
    is_found: bool
    is_reachable: bool
    is_certain: bool
    probability: float
    source: Literal["model", "astar"]
    cost: float
    optimal_cost: float | None
    why: str
    failed_path: NDArray[np.int16]

    @property
    def is_optimal(self) -> bool | None:
        """Whether the path is optimal; None without exact search, or without a path."""
        if self.optimal_cost is None or not self.is_found:
            return None
        unit = np.spacing(np.float32(self.optimal_cost))  # rounding of the labels; different costs differ by more
        return bool(self.cost <= self.optimal_cost + unit)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values for JSON; an infinite cost is None."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        named |= {"path": self.path.tolist(), "failed_path": self.failed_path.tolist()}
        named |= {"actions": [NAMES[action] for action in self.actions]}
        named |= {"confidence": [round(float(value), 4) for value in self.confidence], "is_optimal": self.is_optimal}
        if self.optimal_cost == float("inf"):
            named["optimal_cost"] = None
        return named


def plan(
    navigator: Navigator,
    free: ArrayLike,
    start: Sequence[int],
    goal: Sequence[int],
    cost: ArrayLike | None = None,
    fallback: bool = False,
    max_steps: int | None = None,
) -> Plan:
    """The plan from `start` to `goal`, each a row and a column, on one map.

    `free` is a bool array (h, w), True for free cells (`movingai.read_map` reads one from a file); `cost`, if given,
    the integer cost (h, w) of entering a cell, 1 to 255. With `fallback` the result is exact: the path is the network's
    where that reaches the goal, else the A* path, or the certain result that there is none; `optimal_cost` is computed.
    `max_steps` limits the recursion (default: by the size of the map). Raises InputError for a grid that is not bool
    and 2-D, for a start or goal in a wall or outside, and for costs when the network was trained on maps without any.
    """
    if cost is not None and not navigator.is_cost_aware:
        raise InputError(
            "cost: this network was trained on maps where every move costs 1; omit cost, or train with data generated "
            "with --max-cell-cost above 1"
        )
    maps = problem(free, start, goal, cost, navigator.config.connectivity, navigator.diagonals)
    return plan_many(navigator, maps, fallback, max_steps)[0]


def plan_many(
    navigator: Navigator, maps: Maps | Sequence[Maps], fallback: bool = False, max_steps: int | None = None
) -> list[Plan]:
    """The plans of many problems, in their order; `maps` of one shape, or a list with maps of several shapes.

    Maps of one shape are processed in batches. Arguments and errors as for `plan`.
    """
    parts = [maps] if isinstance(maps, Maps) else list(maps)
    for part in parts:
        check_endpoints(part)
    plans: list[Plan | None] = [None] * sum(len(part) for part in parts)
    for places, same in _by_shape(parts):
        for rows in _chunks(same):
            found = plans_from(navigator.policy(same[rows], max_steps), same[rows], fallback)
            for place, made in zip(places[rows], found, strict=True):
                plans[place] = made
    return [made for made in plans if made is not None]


def plans_from(policy: Policy, maps: Maps, fallback: bool = False) -> list[Plan]:
    """The plans of a policy of `maps`, a rollout from each start; with `fallback` exact search replaces failures."""
    rollout = roll_out(policy.actions, maps)
    exact = label(maps) if fallback else None
    reachable = rollout.success.copy()
    reachable[~rollout.success] = can_reach(maps[~rollout.success])
    plans = [
        _make_plan(policy, maps, rollout, k, bool(reachable[k]), _cost_at(exact, maps, k)) for k in range(len(maps))
    ]
    failed = [k for k, made in enumerate(plans) if not made.is_found]
    if exact is None or not failed:
        return plans
    rows = maps[failed]
    moves = search.demonstrations(rows, Labels(exact.cost_to_go[failed], exact.optimal[failed]))
    for place, (k, digits) in enumerate(zip(failed, moves, strict=True)):
        plans[k] = _astar_plan(plans[k], policy, k, rows, place, digits)
    return plans


def problem(
    free: ArrayLike,
    start: Sequence[int],
    goal: Sequence[int],
    cost: ArrayLike | None = None,
    connectivity: int = 4,
    diagonals: DiagonalRule = OCTILE,
) -> Maps:
    """One problem as `Maps`: `free` bool (h, w), `cost` int (h, w), `start` and `goal` row and column.

    Raises `InputError` as `plan` does.
    """
    grid = np.asarray(free)
    if grid.ndim != 2 or not grid.size:
        raise InputError(f"free: expected a grid of rows and columns, got an array of shape {grid.shape}")
    if grid.dtype != bool:
        raise InputError(
            f"free: expected bool, True for free cells, got {grid.dtype}; if 1 marks a wall, pass grid == 0"
        )
    weights = None if cost is None else _weights(np.asarray(cost), grid)
    first, last = (_cell(name, place) for name, place in (("start", start), ("goal", goal)))
    maps = Maps(grid[None], first[None], last[None], weights, connectivity, diagonals)
    check_endpoints(maps)
    return maps


def check_endpoints(maps: Maps) -> None:
    """Raise `InputError` naming the first map whose start or goal is no free cell."""
    for name, ends in (("start", maps.start), ("goal", maps.goal)):
        is_inside: NDArray[np.bool_] = np.all((ends >= 0) & (ends < np.array(maps.shape)), axis=1)
        safe = np.where(is_inside[:, None], ends, 0)
        is_good = is_inside & maps.free[np.arange(len(maps)), safe[:, 0], safe[:, 1]]
        if not is_good.all():
            k = int(np.flatnonzero(~is_good)[0])
            where = f"{name} ({ends[k, 0]}, {ends[k, 1]})" + (f" of map {k}" if len(maps) > 1 else "")
            height, width = maps.shape
            reason = "is a wall" if is_inside[k] else f"is outside the map of {height} rows and {width} columns"
            raise InputError(f"{where}: {reason}; choose a free cell (row, column, counted from 0)")


def _weights(cost: NDArray[Any], grid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if cost.shape != grid.shape or not np.issubdtype(cost.dtype, np.integer):
        raise InputError(
            f"cost: expected integers of the grid's shape {grid.shape}, got {cost.dtype} of shape {cost.shape}"
        )
    inside = cost[grid]
    if inside.size and not (inside.min() >= 1 and inside.max() <= LARGEST_COST):
        raise InputError(f"cost: expected 1 to {LARGEST_COST} on free cells, got {inside.min()} to {inside.max()}")
    return np.where(grid, cost, 1).astype(np.uint8)[None]


def _cell(name: str, place: Sequence[int]) -> NDArray[np.int16]:
    cell = np.asarray(place)
    if cell.shape != (2,) or not np.issubdtype(cell.dtype, np.integer):
        raise InputError(f"{name}: expected a row and a column, got {place!r}")
    return np.clip(cell, -(2**15), 2**15 - 1).astype(np.int16)


def _by_shape(parts: Sequence[Maps]) -> Iterator[tuple[NDArray[np.int64], Maps]]:
    """Indices in the whole list, int64 (m,), and the m problems, of each shape and rule of moves."""
    first = np.cumsum([0, *(len(part) for part in parts)])
    kinds: dict[Any, list[int]] = {}
    for number, part in enumerate(parts):
        if len(part):
            kinds.setdefault((part.shape, part.rule), []).append(number)
    for numbers in kinds.values():
        places = np.concatenate([np.arange(first[number], first[number + 1]) for number in numbers])
        yield places, concatenate([parts[number] for number in numbers])


def _chunks(maps: Maps) -> Iterator[slice]:
    size = max(1, CHUNK_CELLS // (maps.shape[0] * maps.shape[1]))
    for first in range(0, len(maps), size):
        yield slice(first, first + size)


def _cost_at(exact: Labels | None, maps: Maps, k: int) -> float | None:
    return None if exact is None else float(exact.cost_to_go[(k, *maps.start[k])])


def _make_plan(
    policy: Policy, maps: Maps, rollout: Rollout, k: int, is_reachable: bool, optimal_cost: float | None
) -> Plan:
    """The plan of rollout k; whether the goal can be reached is exact, whatever the network predicts."""
    path, is_found = rollout.paths[k], bool(rollout.success[k])
    probability = float(policy.reachable[(k, *maps.start[k])])
    is_believed = probability >= REACHABLE_THRESHOLD
    if not is_reachable or not (is_found or is_believed):
        path = path[:1]
    actions = _actions(path)
    return Plan(
        path=path,
        actions=actions,
        confidence=_confidence(policy, k, path, actions),
        steps=int(policy.steps[k]),
        is_final=bool(policy.is_final[k]),
        is_found=is_found,
        is_reachable=is_reachable,
        is_certain=True,
        probability=probability,
        source="model",
        cost=float(rollout.cost[k]) if len(path) > 1 else 0.0,
        optimal_cost=optimal_cost,
        why="goal reached" if is_found else _failure(policy, maps, rollout, k, probability) if is_reachable else NO_WAY,
        failed_path=path[:0],
    )


def _astar_plan(failed: Plan, policy: Policy, k: int, maps: Maps, place: int, digits: str) -> Plan:
    """The exact plan of map k, `place` in `maps`, whose rollout failed."""
    is_found = failed.optimal_cost != float("inf")
    actions = np.array([int(digit) for digit in digits] if is_found else [], np.int8)
    path = search.path_cells(maps, place, actions.tolist()).astype(np.int16)
    cost = search.path_cost(maps, place, path)
    reached = f"goal reached by A*; the network's plan: {failed.why}"
    return replace(
        failed,
        path=path,
        actions=actions,
        confidence=_confidence(policy, k, path, actions),
        is_found=is_found,
        is_reachable=is_found,
        is_certain=True,
        source="astar",
        cost=cost,
        optimal_cost=cost if is_found else failed.optimal_cost,
        why=reached if is_found else NO_WAY,
        failed_path=failed.path if len(failed.path) > 1 else failed.failed_path,
    )


def _failure(policy: Policy, maps: Maps, rollout: Rollout, k: int, probability: float) -> str:
    if probability < REACHABLE_THRESHOLD and not policy.is_final[k]:
        return f"undecided: no path after {policy.steps[k]} recursion steps, and more may find one"
    if probability < REACHABLE_THRESHOLD:
        return f"the network found no path, though there is one (its probability of a path: {probability:.2f})"
    row, column = (int(value) for value in rollout.paths[k][-1])
    if rollout.looped[k]:
        return f"loop at ({row}, {column})"
    if not rollout.collided[k]:
        return f"stopped at ({row}, {column}), too many moves"
    rows, columns = OFFSETS[policy.actions[k, row, column]]
    there = row + rows, column + columns
    if not (0 <= there[0] < maps.shape[0] and 0 <= there[1] < maps.shape[1]):
        return f"edge of the map at ({row}, {column})"
    return f"corner cut at ({row}, {column})" if maps.free[(k, *there)] else f"wall at ({there[0]}, {there[1]})"


def _actions(path: NDArray[np.int16]) -> NDArray[np.int8]:
    """The moves between the cells of a path."""
    moves = np.diff(path.astype(int), axis=0)
    return (moves[:, None] == np.array(OFFSETS)).all(2).argmax(1).astype(np.int8)


def _confidence(policy: Policy, k: int, path: NDArray, actions: NDArray[np.int8]) -> NDArray[np.float32]:
    return policy.probabilities[k, actions, path[:-1, 0], path[:-1, 1]]
