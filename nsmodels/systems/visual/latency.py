"""How long one question takes, from image and words to answer and proof, and how much memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.belief import Array, SceneBelief
from nsmodels.systems.visual.proof import NoProof, prove
from nsmodels.systems.visual.reason import Program, answer

PARTS = ("perceive", "parse", "answer", "prove")
Perceive = Callable[[list[Array]], list[SceneBelief]]
Parse = Callable[[list[str]], list[Program | None]]


def measured_latency(
    perceive: Perceive, parse: Parse, images: Sequence[Array], questions: Sequence[str], warm_up: int = 3
) -> dict[str, Any]:
    """Time `images` and `questions` pair by pair at batch 1, proof included; the first `warm_up` pairs are not counted.

    Returns milliseconds (median, p95, and the median of each part), frames per second end to end, and the process's
    peak memory in MiB. Threads are as the caller set them. Raises InputError when no pair is left to time.
    """
    times = [_timed(perceive, parse, image, text) for image, text in zip(images, questions, strict=False)][warm_up:]
    if not times:
        raise InputError(f"latency: give more than {warm_up} pairs of image and question, the first ones warm up")
    table = np.array(times) * 1e3
    total = table.sum(axis=1)
    return {
        "milliseconds_median": float(np.median(total)),
        "milliseconds_p95": float(np.percentile(total, 95)),
        "parts": dict(zip(PARTS, np.median(table, axis=0).tolist(), strict=True)),
        "fps": float(1e3 / np.median(total)),
        "peak_memory_mib": peak_memory_mib(),
        "n": len(times),
    }


def peak_memory_mib() -> float:
    """The largest resident size of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _timed(perceive: Perceive, parse: Parse, image: Array, text: str) -> tuple[float, ...]:
    start = time.perf_counter()
    belief = perceive([image])[0]
    seen = time.perf_counter()
    program = parse([text])[0]
    read = time.perf_counter()
    if program is None:
        return seen - start, read - seen, 0.0, 0.0
    answer(program, belief)
    answered = time.perf_counter()
    with suppress(NoProof):  # the search for a proof takes its time all the same
        prove(program, belief)
    return seen - start, read - seen, answered - read, time.perf_counter() - answered
