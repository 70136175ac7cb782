"""False alarms of the navigator before the exact check, by kind and size of map.

Problems of all kinds of maps are drawn, and half of them lose their way: the start is moved to where the goal cannot be
reached, or a few walls are built across. A false alarm: the network's probability of a way is below one half, and there
is one. A miss: it is above, and there is none. `nav plan` does not print the network's word for it, an exact fill
decides there. Success: the share of the problems with a way that the network's policy solves.

    OMP_NUM_THREADS=1 python benchmarks/nav_false_alarms.py --checkpoint FOLDER [--problems 10000] [--steps N]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.progress import counted
from nsmodels.datasets.mazes.config import KINDS, MazesConfig
from nsmodels.datasets.mazes.drawing.blocking import block
from nsmodels.datasets.mazes.drawing.problems import draw
from nsmodels.datasets.mazes.grids import Maps, concatenate
from nsmodels.datasets.mazes.solving.components import can_reach
from nsmodels.evaluation.metrics import wilson_interval
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import REACHABLE_THRESHOLD
from nsmodels.systems.nav.planning.rollout import roll_out

SIDES = [8, 12, 16, 24, 32, 48, 64]


def problems(config: MazesConfig, num: int, side: int, rng: np.random.Generator) -> tuple[Maps, NDArray[np.bool_]]:
    """`num` problems on maps of one side, half of them without a way; and bool (num,), whether there is one."""
    maps, _ = draw(config, num, side, side, rng)
    blocked, _ = block(maps[: num // 2], rng)
    whole = concatenate([blocked, maps[num // 2 :]])
    return whole, can_reach(whole)


def recipe(kind: str, navigator: Navigator, max_cell_cost: int) -> MazesConfig:
    """The configuration with one kind of maps only, and the moves of the navigator."""
    weights: dict[str, Any] = {f"{name}_weight": float(name == kind) for name in KINDS}
    connectivity, diagonals = navigator.config.connectivity, navigator.diagonals
    rule: dict[str, Any] = (
        {"diagonal_cost": diagonals.cost, "corner_rule": diagonals.corners} if connectivity == 8 else {}
    )
    return MazesConfig(**weights, connectivity=connectivity, max_cell_cost=max_cell_cost, **rule)


def measured(navigator: Navigator, maps: Maps, has_way: NDArray[np.bool_], steps: int | None) -> NDArray[np.int64]:
    """Problems with a way, false alarms, successes; problems without, misses."""
    policy = navigator.policy(maps, steps)
    believes = policy.reachable[np.arange(len(maps)), *maps.start.T] >= REACHABLE_THRESHOLD
    success = roll_out(policy.actions, maps).success
    counts = (has_way, has_way & ~believes, has_way & success, ~has_way, ~has_way & believes)
    return np.array([count.sum() for count in counts])


def line(name: str, counts: NDArray[np.int64]) -> str:
    with_way, alarms, solved, without, misses = counts.tolist()
    cells = [(alarms, with_way), (misses, without), (solved, with_way)]
    shares = "".join(f"{f'{hits:,} of {total:,}':>16} {_percent(hits, total):>20}" for hits, total in cells)
    return f"{name:<12}{shares}"


def _percent(hits: int, total: int) -> str:
    if not total:
        return "-"
    low, high = wilson_interval(hits, total)
    return f"{100 * hits / total:.2f} ({100 * low:.2f}-{100 * high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder made by nsmodels nav train")
    parser.add_argument("--problems", type=int, default=10_000, help="problems, equally many of each kind and side")
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--steps", type=int, help="recursion steps at most [by the size of the map]")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--max-cell-cost", type=int, default=1, help="cells cost 1 to this [1]")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    navigator = load_navigator(arguments.checkpoint, arguments.device)
    tasks = [(kind, side) for side in arguments.sides for kind in arguments.kinds]
    num, began, found = -(-arguments.problems // len(tasks)), time.process_time(), {}
    for kind, side in counted(tasks, len(tasks), "problems", "group"):
        rng = np.random.default_rng([arguments.seed, side, KINDS.index(kind)])
        maps, has_way = problems(recipe(kind, navigator, arguments.max_cell_cost), num, side, rng)
        found[kind, side] = measured(navigator, maps, has_way, arguments.steps)
    heads = ("false alarms", "missed", "success")
    print(f"{num * len(tasks):,} problems, {navigator.rule}, {time.process_time() - began:.0f} CPU-seconds")
    print(f"{'':<12}" + "".join(f"{name:>16} {'% (95 %)':>20}" for name in heads))
    for kind in arguments.kinds:
        print(line(kind, np.sum([found[kind, side] for side in arguments.sides], 0)))
    for side in arguments.sides:
        print(line(f"{side}x{side}", np.sum([found[kind, side] for kind in arguments.kinds], 0)))
    print(line("all", np.sum(list(found.values()), 0)))


if __name__ == "__main__":
    main()
