"""Precision of a training on a CPU by measurement: bfloat16 where this processor computes the task faster in it.

The choice depends on the machine, and with it the losses: it is recorded in the checkpoint, and a resumed run keeps it.
"""

from __future__ import annotations

import copy
import sys
import time
from typing import Any

import torch
from torch import nn

from nsmodels.engine import runtime
from nsmodels.engine.batching import count_samples, to_device
from nsmodels.engine.session.session import Session

# bfloat16 must be faster by this factor: below it the choice would vary with what else the machine does.
LEAST_GAIN = 1.25
ROUNDS = 2  # after one that compiles kernels; the types alternate
INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")  # of x86, x86 with tiles, ARM


def choose_precision(session: Session) -> None:
    """Of a run with `amp_dtype=measured` on a CPU: set the precision, as recorded or else measured."""
    config, progress = session.config, session.progress
    if not (config.use_amp and config.amp_dtype == "measured" and session.device.type == "cpu"):
        return
    if not progress.precision and not session.outcome:
        progress.precision = session.world.broadcast(_faster(session) if session.world.is_first else None)
    session.precision = torch.bfloat16 if progress.precision == "bfloat16" else None


def _faster(session: Session) -> str:
    if not has_bfloat16():
        print("precision: float32; this processor has no instructions for bfloat16", file=sys.stderr, flush=True)
        return "float32"
    plain, mixed = _rates(session)
    chosen = "bfloat16" if mixed >= LEAST_GAIN * plain else "float32"
    measured = f"{plain:.1f} samples per CPU-second in float32, {mixed:.1f} in bfloat16"
    print(f"precision: {chosen}; a step takes {measured}", file=sys.stderr, flush=True)
    return chosen


def has_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16; without them it is emulated, and slow."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in INSTRUCTIONS)


def _rates(session: Session) -> tuple[float, float]:
    """Samples per CPU-second of the first batch, forward and backward, in float32 and in bfloat16."""
    batch = to_device(next(iter(session.batches("train", session.progress.epoch))), session.device)
    before = runtime.rng_state(session.device)
    session.set_training()
    model = copy.deepcopy(session.model)  # a step changes running statistics and gradients
    spent: dict[bool, list[float]] = {False: [], True: []}
    try:
        for _ in range(1 + ROUNDS):
            for is_mixed, times in spent.items():
                times.append(_step_seconds(session, model, batch, is_mixed))
    finally:
        runtime.restore_rng_state(before, session.device)
    plain, mixed = (count_samples(batch) / min(times[1:]) for times in spent.values())
    return plain, mixed


def _step_seconds(session: Session, model: nn.Module, batch: Any, is_mixed: bool) -> float:
    # Processor time of all threads, which other programs disturb less than the time on the wall.
    start = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
        loss, _ = session.task.loss(model, batch)
    loss.backward()
    return time.process_time() - start
