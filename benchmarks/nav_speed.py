"""Speed of the navigator: maps per second in batches, beside exact search.

They do not do the same. The navigator and the labels say for every cell of a map what to do; A* (heapq) and
breadth-first search, both plain Python, find one path; the labels come from compiled search (a bitboard for maps of up
to 64 cells), hold the cost to go too, and are exact. The network is the slowest of them: what it buys is another thing
than speed. Measured in CPU-seconds, so that other work on the machine does not disturb; a GPU by the clock.

    OMP_NUM_THREADS=1 python benchmarks/nav_speed.py [--checkpoint FOLDER] [--device cpu] [--sides 8 16 30 64]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing.problems import draw
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.config import quick
from nsmodels.systems.nav.evaluation.speed import label_rate, search_rates
from nsmodels.systems.nav.network.construction import load_navigator, make_navigator
from nsmodels.systems.nav.network.navigator import Navigator

CELLS, MOST_MAPS = 2**17, 1000


def rate(policy: Callable[[], object], num: int, device: torch.device) -> float:
    """Maps per CPU-second; on a GPU per second."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    policy()
    return num / (clock() - start)


def rates(navigator: Navigator, maps: Maps, device: torch.device) -> dict[str, float]:
    """Of the navigator after the steps of its training and until it halts by itself, and of exact search."""
    trained = [navigator.trained_steps]
    list(navigator.policies_by_step(maps[:8], trained))
    found = {
        "trained steps": rate(lambda: list(navigator.policies_by_step(maps, trained)), len(maps), device),
        "until it halts": rate(lambda: navigator.policy(maps), len(maps), device),
    }
    search = {name: timing["maps_per_cpu_second"] for name, timing in search_rates(maps, seconds=1.0).items()}
    return found | search | {"labels": label_rate(maps)["maps_per_cpu_second"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="a trained one halts when it is done; default: preset quick")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--sides", type=int, nargs="+", default=[8, 16, 30, 64])
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    torch.manual_seed(0)
    navigator = load_navigator(arguments.checkpoint) if arguments.checkpoint else make_navigator(quick().model).eval()
    navigator.to(device)
    what = "trained" if arguments.checkpoint else "untrained: how soon it halts says nothing"
    print(f"{navigator.num_parameters:,} parameters, {what}; {device}, threads: {torch.get_num_threads()}")
    print(f"maps per {'CPU-' if device.type == 'cpu' else ''}second (search and labels: per CPU-second)")
    for number, side in enumerate(arguments.sides):
        num = min(MOST_MAPS, max(8, CELLS // side**2))
        maps, _ = draw(MazesConfig(), num, side, side, np.random.default_rng(0))
        found = rates(navigator, maps, device)
        if not number:
            print(f"{'maps':<18}" + "".join(f"{name:>16}" for name in found))
        print(f"{num:>5} of {side}x{side:<7}" + "".join(f"{value:>16,.0f}" for value in found.values()), flush=True)


if __name__ == "__main__":
    main()
