"""Latency of one question, from the image file and words to answer and proof, on one thread."""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np

from nsmodels.core.hardware import num_cores
from nsmodels.engine import runtime
from nsmodels.systems.natural.evaluation.function_subject import FunctionSubject
from nsmodels.systems.natural.evaluation.subject import Subject
from nsmodels.systems.natural.language.asking import places_of

NUM_PAIRS, WARM_UP = 40, 3
PARTS = ("perceive", "parse", "answer_and_prove")


def measure_latency(subject: Subject | FunctionSubject) -> dict[str, Any]:
    """Milliseconds (median, 95th percentile, median of each part) at batch 1, and where they were measured."""
    with runtime.threads(1):
        times = np.array([_time_one(subject, k) for k in _places(subject)]) * 1e3
    table = times[min(WARM_UP, len(times) - 1) :]
    total = table.sum(1)
    return {
        "milliseconds_median": float(np.median(total)),
        "milliseconds_p95": float(np.percentile(total, 95)),
        "parts": dict(zip(PARTS, np.median(table, axis=0).tolist(), strict=True)),
        "n": len(table),
        "device": str(subject.reasoner.perception.mean.device),
        "machine": f"{platform.platform()}, {num_cores()} usable cores",
    }


def _places(subject: Subject | FunctionSubject) -> list[int]:
    return np.linspace(0, subject.num_balanced - 1, min(NUM_PAIRS, subject.num_balanced)).astype(int).tolist()


def _time_one(subject: Subject | FunctionSubject, place: int) -> tuple[float, ...]:
    question, reasoner = subject.balanced[place], subject.reasoner
    (path,) = places_of(subject.data, [question.image])
    start = time.perf_counter()
    belief = reasoner.see(path)
    seen = time.perf_counter()
    (parse,) = reasoner.parse([question.text])
    read = time.perf_counter()
    reasoner.conclude(path, question.text, belief, parse)
    return seen - start, read - seen, time.perf_counter() - read
