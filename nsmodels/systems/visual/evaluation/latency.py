"""Latency and memory of one question, from image and words to answer and proof."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from nsmodels.core.hardware import num_cores
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief
from nsmodels.systems.visual.reasoning.execution import Program, answer
from nsmodels.systems.visual.reasoning.proof import NoProof, prove

PARTS = ("perceive", "parse", "answer", "prove")
Perceive = Callable[[list[Array]], list[SceneBelief]]
Parse = Callable[[list[str]], list[Program | None]]


def measure_latency(
    perceive: Perceive,
    parse: Parse,
    images: Sequence[Array],
    questions: Sequence[str],
    warm_up: int = 3,
    device: torch.device | None = None,
) -> dict[str, Any]:
    """Time `images` and `questions` pair by pair at batch 1, proof included, without the first `warm_up` pairs.

    At least one pair is counted. Returns milliseconds (median, 95th percentile, and the median of each part), frames
    per second end to end, peak memory in MiB of the process (and of a CUDA `device`), and the machine; an empty dict
    without a pair. The number of threads is the caller's.
    """
    pairs = list(zip(images, questions, strict=False))
    if not pairs:
        return {}
    where = device or torch.device("cpu")
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats(where)
    times = [_time_one(perceive, parse, image, text) for image, text in pairs]
    table = np.array(times[min(warm_up, len(times) - 1) :]) * 1e3
    return {**_summary(table), **_memory(where), **_environment(where)}


def _summary(table: Array) -> dict[str, Any]:
    total = table.sum(axis=1)
    return {
        "milliseconds_median": float(np.median(total)),
        "milliseconds_p95": float(np.percentile(total, 95)),
        "parts": dict(zip(PARTS, np.median(table, axis=0).tolist(), strict=True)),
        "fps": float(1e3 / np.median(total)),
        "n": len(table),
    }


def _memory(device: torch.device) -> dict[str, float]:
    """Peak memory in MiB: `peak_memory_mib` of the process, `peak_gpu_memory_mib` of a CUDA device."""
    peak = peak_memory_mib()
    found = {"peak_memory_mib": peak, "peak_process_memory_mib": peak}
    if device.type == "cuda":
        found["peak_gpu_memory_mib"] = torch.cuda.max_memory_allocated(device) / 2**20
    return found


def _environment(device: torch.device) -> dict[str, Any]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    cores = f"{platform.platform()}, {num_cores()} usable cores"
    return {"device": name, "machine": cores, "num_threads": torch.get_num_threads()}


def peak_memory_mib() -> float:
    """Largest resident size of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _time_one(perceive: Perceive, parse: Parse, image: Array, text: str) -> tuple[float, ...]:
    start = time.perf_counter()
    belief = perceive([image])[0]
    perceived = time.perf_counter()
    program = parse([text])[0]
    parsed = time.perf_counter()
    if program is None:
        return perceived - start, parsed - perceived, 0.0, 0.0
    answer(program, belief)
    answered = time.perf_counter()
    with suppress(NoProof):  # a search without result takes time too
        prove(program, belief)
    return perceived - start, parsed - perceived, answered - parsed, time.perf_counter() - answered
