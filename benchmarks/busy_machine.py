"""Training beside other programs: the speed of a perception step (preset `quick`) by the way in which threads wait.

    python benchmarks/busy_machine.py [--busy 0 2 6] [--steps 5]

Makes the load itself: processes that count. Each line is measured in a process of its own, first on the quiet machine.
Goals, for two threads that wait passively, which is what every training of this project does: images per CPU-second
beside six busy processes at least 90 % of those of the quiet machine, and on the quiet machine at least 93 % of the
images per second of threads that spin, which is torch's default. Then, on the quiet machine with one thread, float32 in
both layouts of images, and bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nsmodels.core.hardware import WAITING

# libgomp's own count where the environment has none; given, it keeps the project from choosing another.
SPINNING = {"GOMP_SPINCOUNT": "300000"}
WAYS = {
    "one thread": (1, {}),
    "two threads, spinning": (2, SPINNING),
    "two threads, passive": (2, {}),
    "two threads, GOMP_SPINCOUNT=0": (2, {"GOMP_SPINCOUNT": "0"}),
}
KINDS = {"float32, channels last": [], "float32, contiguous": ["--contiguous"], "bfloat16, channels last": ["--bf16"]}
PASSIVE, SPIN = "two threads, passive", "two threads, spinning"


@contextmanager
def busy(num: int) -> Iterator[None]:
    """`num` processes that do nothing but count."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(num)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measured(threads: int, waiting: dict[str, str], steps: int, flags: list[str] | None = None) -> tuple[float, float]:
    """Images per second, and per CPU-second, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in WAITING}
    words = [sys.executable, __file__, "--measure", "--steps", str(steps), *(flags or [])]
    environment = kept | waiting | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    wall, cpu = json.loads(done.stdout)
    return wall, cpu


def measure(steps: int, is_contiguous: bool, is_bf16: bool) -> None:
    """Print both rates of this process as JSON."""
    import torch

    from nsmodels.systems.visual.config import quick
    from nsmodels.systems.visual.perception.speed import step_rate

    layout = torch.contiguous_format if is_contiguous else torch.channels_last
    print(json.dumps(step_rate(quick().perception, 32, steps, layout, is_bf16)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 2, 6], help="numbers of busy processes")
    parser.add_argument("--steps", type=int, default=5, help="measured steps of a line")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contiguous", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bf16", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        return measure(given.steps, given.contiguous, given.bf16)
    rates: dict[tuple[int, str], tuple[float, float]] = {}
    print(f"{'busy processes':>14}  {'threads':<32}{'images/s':>10}{'images/CPU-s':>14}{'CPU-s, to quiet':>17}")
    for num in given.busy:
        for way, (threads, waiting) in WAYS.items():
            with busy(num):
                rates[num, way] = wall, cpu = measured(threads, waiting, given.steps)
            ratio = f"{cpu / rates[given.busy[0], way][1]:>16.0%}"
            print(f"{num:>14}  {way:<32}{wall:>10.1f}{cpu:>14.1f}{ratio}", flush=True)
    first, last = given.busy[0], given.busy[-1]
    kept, quiet = rates[last, PASSIVE][1] / rates[first, PASSIVE][1], rates[first, PASSIVE][0] / rates[first, SPIN][0]
    print(f"passive, images per CPU-second beside {last} busy processes: {kept:.0%} of those beside {first}")
    print(f"passive, images per second beside {first} busy processes: {quiet:.0%} of spinning")
    for kind, flags in KINDS.items():
        wall, cpu = measured(1, {}, given.steps, flags)
        print(f"{kind:<48}{wall:>10.1f}{cpu:>14.1f}", flush=True)
    return None


if __name__ == "__main__":
    main()
