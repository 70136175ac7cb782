"""CPU-seconds of a training step with and without `use_compile`: `python -m benchmarks.compiled_training [SYSTEM ...]`.

Each system's first network, of the preset `quick`, on its debug data; one process for each row. What the first steps
take beyond the later ones is the price of compilation; the last column is the number of steps after which it has paid.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nsmodels.core import discover
from nsmodels.core.orders import Inputs

BUDGET = {False: 10.0, True: 50.0}  # CPU-seconds of training
STEADY = 8  # of the last steps, the median


class Over(BaseException):
    """Ends a training whose CPU time is spent."""


def main() -> None:
    """Print a row for each system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("systems", nargs="*", default=discover.systems())
    parser.add_argument("--one", choices=("plain", "compiled"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.systems[0], given.one == "compiled")))
        return
    print("system, network | step | compiled | price | pays after")
    for name in given.systems:
        rows = [row_of(name, kind) for kind in ("plain", "compiled")]
        print(line(name, *rows), flush=True)


def row_of(name: str, kind: str) -> dict[str, Any]:
    """What one process measures, or its last line."""
    words = [sys.executable, "-m", "benchmarks.compiled_training", name, "--one", kind]
    environment = os.environ | {"TORCHINDUCTOR_COMPILE_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 else {"error": lines[-1] if lines else "no output"}


def line(name: str, plain: dict[str, Any], compiled: dict[str, Any]) -> str:
    """The row of a system."""
    if errors := [each["error"] for each in (plain, compiled) if "error" in each]:
        return f"{name} | {errors[0]}"
    saved = plain["step"] - compiled["step"]
    pays = f"{compiled['price'] / saved:,.0f} steps" if saved > 0.02 * plain["step"] else "never"
    steps = f"{1e3 * plain['step']:.1f} ms | {1e3 * compiled['step']:.1f} ms | {compiled['price']:.1f} s"
    return f"{name}, {plain['network']} | {steps} | {pays} (steps {plain['steps']}, {compiled['steps']})"


def measure(name: str, is_compiled: bool) -> dict[str, Any]:
    """CPU-seconds of a late step, and what the first ones took beyond that."""
    from nsmodels.engine import loop

    logging.disable(logging.WARNING)
    system = discover.system(name)
    stage, dataset = system.stages[0], system.datasets[0]
    values = {**dict(system.settings.get(dataset, {})), "training.device": "cpu", "training.num_workers": 0}
    config = stage.presets["quick"]().with_values(values)
    phase = system.enabled(stage, config)[0]
    spent: list[float] = []
    step, budget = loop._step, BUDGET[is_compiled]

    def timed(*given: Any) -> None:
        before = cpu_seconds()
        step(*given)
        spent.append(cpu_seconds() - before)
        if cpu_seconds() - began > budget and len(spent) > STEADY:
            raise Over

    loop._step = timed
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / dataset
        debug = discover.module("datasets", dataset, "config").debug()
        discover.module("datasets", dataset, "prepare").prepare(debug, dataset, data)
        trial = system.make_trial(phase, config, Inputs.of(data))
        training = trial.training.with_values({"use_compile": is_compiled, "epochs": 10_000})
        began = cpu_seconds()
        with contextlib.suppress(Over):
            loop.fit(trial.task, training, Path(place) / "run")
    late = statistics.median(spent[-max(STEADY, len(spent) // 3) :])
    price = sum(max(0.0, each - late) for each in spent[:20])
    return {"network": phase, "step": late, "price": price, "steps": len(spent)}


def cpu_seconds() -> float:
    """Processor time of this process and of the compilers that it started, in microseconds' resolution."""
    uses = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


if __name__ == "__main__":
    main()
