"""Speed of a plan and of policies: the navigator beside exact search, in one run.

They do not do the same. The navigator and the labels give the action of every cell of a map; A* finds one path. Peers:
A* with a heap in plain Python (heapq), and A* in C++ (pyastar2d, where it is installed: 8-connected without corner
rule, 4-connected otherwise). The labels are compiled exact search. Measured in CPU-seconds, so that other work on the
machine disturbs little; on a GPU by the clock.

    OMP_NUM_THREADS=1 python benchmarks/nav_speed.py [--checkpoint FOLDER ...] [--device cpu] [--sides 8 64 256]
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.problems import draw
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.shipped import load_shipped
from nsmodels.systems.nav.planning.plan import plans_from

CELLS, MOST_MAPS, SECONDS = 2**17, 1000, 2.0


def milliseconds(work: Callable[[int], object], num: int, device: str) -> float:
    """Mean milliseconds of CPU time of `work` over some of `num` maps; on a GPU of wall time."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    work(0)
    began, done = clock(), 0
    while clock() - began < SECONDS and done < num:
        work(done)
        done += 1
    return 1e3 * (clock() - began) / done


def planned(navigator: Navigator, maps: Maps, i: int) -> None:
    """One plan of one map, as `nav plan` makes it."""
    plans_from(navigator.policy(maps[i : i + 1]), maps[i : i + 1])


def single(navigators: dict[str, Navigator], maps: Maps, device: str) -> dict[str, float]:
    """Milliseconds of one plan by method."""
    num = len(maps)
    found = {
        name: milliseconds(lambda i, network=network: planned(network, maps, i), num, device)
        for name, network in navigators.items()
    }
    found["A*, heapq"] = milliseconds(lambda i: search.astar(maps, i), num, "cpu")
    if importlib.util.find_spec("pyastar2d"):
        found["A*, pyastar2d"] = milliseconds(lambda i: _pyastar(maps, i), num, "cpu")
    return found


def _pyastar(maps: Maps, i: int) -> object:
    import pyastar2d  # type: ignore[import-not-found]

    weights = np.where(maps.free[i], 1.0, np.inf).astype(np.float32)
    start, goal = (tuple(int(value) for value in cell) for cell in (maps.start[i], maps.goal[i]))
    return pyastar2d.astar_path(weights, start, goal, allow_diagonal=maps.connectivity == 8)


def batched(navigators: dict[str, Navigator], maps: Maps, device: str) -> dict[str, float]:
    """Milliseconds a map of the policies of all maps at once, by method."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    found = {}
    works = {name: network.policy for name, network in navigators.items()} | {"labels, compiled": label}
    for name, work in works.items():
        work(maps[:1])
        began = clock()
        work(maps)
        found[name] = 1e3 * (clock() - began) / len(maps)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, nargs="+", default=[], help="of equal moves [the shipped navigator]")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--sides", type=int, nargs="+", default=[8, 16, 32, 64, 256])
    arguments = parser.parse_args()
    device = resolve_device(arguments.device).type
    navigators = {folder.name: load_navigator(folder, arguments.device) for folder in arguments.checkpoint}
    navigators = navigators or {"shipped": load_shipped(4, arguments.device)}
    rule = next(iter(navigators.values()))
    sizes = ", ".join(f"{name} {network.num_parameters:,} parameters" for name, network in navigators.items())
    print(f"{rule.rule}; {sizes}; {device}, threads: {torch.get_num_threads()}")
    for title, measure, most in (("one plan", single, 50), ("policies of a batch", batched, MOST_MAPS)):
        print(f"{title}, milliseconds a map")
        for side in arguments.sides:
            num = min(most, max(8, CELLS // side**2))
            config = MazesConfig(connectivity=rule.config.connectivity)
            maps, _ = draw(config, num, side, side, np.random.default_rng(0))
            found = measure(navigators, maps, device)
            print(f"  {side}x{side:<6}" + "".join(f"  {name} {value:.3g}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
