"""Training by the number of threads on a CPU: samples per second of the phases of a system, with one and with all.

    python benchmarks/threads.py SYSTEM DATA [--preset quick] [--domain chains] [--phases complex] [--steps 40]

Rounds alternate between the numbers of threads; the fastest of each is taken, start and validation are not counted. The
rule of a task that gives it one thread (`Task.num_threads`) is put out of force. Phases that start from an earlier one
are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nsmodels.core import discover, hardware
from nsmodels.core.artifact import read_manifest
from nsmodels.core.orders import Inputs

ROUNDS = 3


def samples_per_second(system: Any, phase: str, config: Any, inputs: Inputs, threads: int) -> float:
    """The rate of the training steps of a phase."""
    import torch  # after nsmodels, which decides how threads wait

    torch.set_num_threads(threads)
    trial = system.make_trial(phase, config, inputs)
    trial.task.num_threads = 0
    with TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        return trial.fit(Path(place) / phase, ()).samples_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("system")
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--domain", default="", help="of a system with several")
    parser.add_argument("--phases", nargs="+", default=[])
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    system, most = discover.system(given.system), hardware.num_threads()
    presets = system.domains[given.domain].presets if given.domain else system.stages[0].presets
    inputs = Inputs.of({read_manifest(given.data).key: given.data})
    print(f"{'phase':<14}{'task':>6}{'1 thread':>14}{f'{most} threads':>14}{'ratio':>8}")
    for phase in given.phases or [each for each in system.stages[0].phases if each not in system.later_phases]:
        section = system.sections.get(phase, "training")
        values = {f"{section}.max_steps": given.steps, f"{section}.warmup_epochs": 0.0}
        config = presets[given.preset]().with_values(values)
        own = system.make_trial(phase, config, inputs).task.num_threads or "all"
        rounds = [[samples_per_second(system, phase, config, inputs, n) for n in (1, most)] for _ in range(ROUNDS)]
        one, several = (max(each) for each in zip(*rounds, strict=True))
        print(f"{phase:<14}{own:>6}{one:>14,.0f}{several:>14,.0f}{one / several:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
