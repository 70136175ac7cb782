"""Running the steps of a plan, several at the same time."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nsmodels.core import hardware
from nsmodels.core.config import PRESET
from nsmodels.core.errors import InputError
from nsmodels.engine import machine
from pipeline.lib.runs import child
from pipeline.lib.runs.child import Job
from pipeline.publication.step import Step

MOST, MEMORY = 4, 6e9  # steps at the same time where nothing is given, and bytes for each process
MOST_WORKERS = 8  # processes of a study: more than find something to do at its begin gain little


def execute(steps: Sequence[Step], preset: str, num: int) -> dict[str, int]:
    """Run steps, at most `num` at the same time, each in a process of its own; returns their exit statuses by name.

    Those of the longest system begin first, so that it does not keep all others waiting at the end.
    """
    texts = {step.name: f"[{number}/{len(steps)}] {step.text()}" for number, step in enumerate(steps, 1)}
    python = [sys.executable, "-m", "dagster"]
    threads = _num_threads(num)
    workers = 1 if machine.has_driver() else max(1, min(threads, _num_fitting() // num, MOST_WORKERS))
    jobs = [Job(step.name, [*python, *step.arguments(workers)], step.after) for step in _longest_first(steps, num)]
    variables = {PRESET: preset} | ({hardware.THREADS: str(threads)} if num > 1 else {})
    return child.wait_all(jobs, num, variables, lambda job: print(texts[job.name], file=sys.stderr, flush=True))


def _longest_first(steps: Sequence[Step], num: int) -> list[Step]:
    """Steps by what is to do from their begin to the end of what follows them; one at a time in their order."""
    return sorted(steps, key=lambda step: _length(step, steps), reverse=True) if num > 1 else list(steps)


def _length(step: Step, steps: Sequence[Step]) -> tuple[int, float]:
    """What of a step and the longest that follows it has no known time, and CPU-seconds of the rest."""
    following = max((_length(other, steps) for other in steps if step.name in other.after), default=(0, 0.0))
    return following[0] + len(step.unmeasured), following[1] + step.cpu_seconds


def _num_threads(num: int) -> int:
    """A share of the cores for each step, or what a person has chosen where that is less."""
    return min(max(1, hardware.num_cores() // num), hardware.num_threads())


def num_jobs(text: str, num_first: int) -> int:
    """Steps at the same time: as given, or as many as cores and memory let through, one where there is a GPU.

    By itself no more than the `num_first` that can begin at once.
    """
    if not text.isdecimal():
        raise InputError(f"--jobs: expected a whole number from 0 on, got '{text}'")
    return int(text) or max(1, 1 if machine.has_driver() else min(MOST, _num_fitting(), num_first))


def _num_fitting() -> int:
    """Processes that cores and memory let through."""
    return min(hardware.num_cores(), int(hardware.available_memory() / MEMORY))
