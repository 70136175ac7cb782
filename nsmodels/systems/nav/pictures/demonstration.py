"""A navigator at work: plans on held-out maps, each walked on its map, and planned again with a wall in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np

from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.components import can_reach
from nsmodels.evaluation.demonstration import Account, Case, Demonstration, drawn, picture_of
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.pictures.drawing import as_text, draw_plan
from nsmodels.systems.nav.planning.plan import Plan, plan_many

SPLIT = "test"
WIDEST = 40  # columns of a map that is also shown as text


@final
class PlanDemonstration(Demonstration):
    """Plans of a navigator.

    Args:
        navigator: of a checkpoint.
        maps: problems, each with its name.
    """

    about = (
        "Plans on held-out maps, whose moves are all made on the map before a plan is shown. Right: the network's own "
        "path reaches the goal at the lowest cost, or there is no way and it finds none. Where the network fails, "
        "exact search plans in its place."
    )
    about_change = (
        "A wall is put on the path, near its middle where there is a way around it, if there is one; the way is then "
        "planned again."
    )
    own = "nsmodels nav plan --checkpoint {model} --map FILE.map --start 0,0 --goal 9,9"

    def __init__(self, navigator: Navigator, maps: list[tuple[str, Maps]]) -> None:
        self._navigator, self._maps = navigator, maps

    def __len__(self) -> int:
        return len(self._maps)

    def answer(self, number: int) -> Case:
        """Plan from the start to the goal of a map; the exact cost is computed beside it."""
        name, maps = self._maps[number]
        plan = self._plan(maps)
        start, goal = (tuple(map(int, ends[0])) for ends in (maps.start, maps.goal))
        return Case(name, f"way from {start} to {goal}", _answer(plan), _truth(plan), _is_right(plan))

    def explain(self, number: int) -> Account:
        """The map with the plan, and the outcome in words."""
        name, maps = self._maps[number]
        return self._account(name, maps, self._plan(maps))

    def change(self, number: int) -> Account:
        """The plan with a wall on its path, beside the plan before."""
        name, maps = self._maps[number]
        before = self._plan(maps)
        if len(before.path) < 3:
            return Account(f"{name}: {before.why}; no path, so no cell to close")
        cell = in_the_way(maps, before)
        account = self._account(f"{name}, wall at {cell}", closed(maps, cell), self._plan(closed(maps, cell)))
        return Account(f"before: {_answer(before)}\n{account.text}", account.picture)

    def _plan(self, maps: Maps) -> Plan:
        return plan_many(self._navigator, maps, fallback=True)[0]

    def _account(self, name: str, maps: Maps, plan: Plan) -> Account:
        lines = [f"{name}: {plan.why}", f"{_answer(plan)}; {_truth(plan)}; {plan.steps} recursion steps"]
        if len(plan.confidence) and plan.source == "model":
            lines.append(f"confidence of the network in these moves: least {plan.confidence.min():.3f}")
        if maps.shape[1] <= WIDEST:
            lines.append(as_text(maps, 0, plan))
        return Account("\n".join(lines), picture_of(lambda path: draw_plan(plan, maps, 0, path, None, name)))


def demonstrate(navigator: Navigator, data: Path, num: int, seed: int) -> PlanDemonstration:
    """Plans on `num` maps of the test split; raise `InputError` for broken data."""
    split = read_split(data, SPLIT)
    places = [(group, row) for group in split.groups for row in range(len(group.rows))]
    chosen = [places[place] for place in drawn(len(places), num, seed)]
    return PlanDemonstration(
        navigator, [(f"map {int(group.rows[row])} of {SPLIT}", group.maps[[row]]) for group, row in chosen]
    )


def in_the_way(maps: Maps, plan: Plan) -> tuple[int, ...]:
    """The cell of a path, nearest to its middle, without which there is a way; the middle where there is none."""
    inner = sorted(range(1, len(plan.path) - 1), key=lambda place: abs(place - len(plan.path) // 2))
    cells = [tuple(map(int, plan.path[place])) for place in inner]
    return next((cell for cell in cells if can_reach(closed(maps, cell))[0]), cells[0])


def closed(maps: Maps, cell: tuple[int, ...]) -> Maps:
    """The one map with a wall on a cell."""
    free = np.array(maps.free)
    free[(0, *cell)] = False
    return replace(maps, free=free)


def _is_right(plan: Plan) -> bool:
    if plan.optimal_cost == float("inf"):
        return plan.probability < 0.5
    return plan.source == "model" and bool(plan.is_optimal)


def _answer(plan: Plan) -> str:
    if not plan.is_found:
        return "no way"
    by = "" if plan.source == "model" else " by exact search, as the network failed"
    return f"{len(plan.actions)} moves at cost {plan.cost:.6g}{by}"


def _truth(plan: Plan) -> str:
    return "there is no way" if plan.optimal_cost == float("inf") else f"lowest cost {plan.optimal_cost:.6g}"
