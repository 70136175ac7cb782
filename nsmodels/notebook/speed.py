"""Time of answers and of trainings, measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from nsmodels.core.artifact import MANIFEST, read_manifest
from nsmodels.core.provenance import machine
from nsmodels.notebook.choice import Choice
from nsmodels.notebook.demonstration import demonstration_of
from nsmodels.notebook.machine import device

if TYPE_CHECKING:
    import pandas as pd

NUM = 20  # answers that are timed


def speed(choice: Choice, num: int = NUM, seed: int = 0) -> pd.DataFrame:
    """Table of times: of each answer alone, from what the data hold, and of the training; prints the machine.

    One answer goes before that is not timed: it loads and compiles what later ones reuse. Raises `InputError` where
    the model is missing, and where the system has no demonstration.
    """
    import pandas as pd
    import torch

    shown = demonstration_of(choice, num, seed)
    shown.answer(0)
    seconds = np.array([_seconds(lambda number=number: shown.answer(number)) for number in range(len(shown))])
    print(f"{machine()}; {device()}; {torch.get_num_threads()} threads of torch")
    rows = [
        ("one answer, median", f"{1e3 * np.median(seconds):.1f} ms"),
        ("one answer, 95 % quantile", f"{1e3 * np.quantile(seconds, 0.95):.1f} ms"),
        ("answers one after the other", f"{1 / seconds.mean():.1f} per second (mean of {len(seconds)})"),
        *_of_trainings(choice),
    ]
    return pd.DataFrame(rows, columns=["what", "measured"])


def _of_trainings(choice: Choice) -> Iterator[tuple[str, str]]:
    """Size and cost of each sealed stage."""
    for each in choice.chain:
        if (each.model / MANIFEST).is_file():
            manifest = read_manifest(each.model, each.model_key)
            found, stage = manifest.metrics, f" of {each.stage}" if each.stage else ""
            cost = f"{found['train_cpu_seconds']:,.1f} CPU seconds, {found['train_wall_seconds']:,.1f} s in all"
            yield f"training{stage}", f"{cost}, on {manifest.machine}"
            yield f"parameters{stage}", f"{found['num_parameters']:,}"


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
