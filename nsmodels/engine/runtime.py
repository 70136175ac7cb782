"""The machine: seeds, device, precision, interrupts, memory."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import platform
import random
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from nsmodels.core import hardware
from nsmodels.core import interrupts as watching
from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig

log = logging.getLogger(__name__)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def resolve_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto`: CUDA when available (under torchrun this process's own GPU), else the CPU.

    Raises `InputError` for an unknown name and for a device that torch does not find.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if name == "auto":
        name = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"device: expected auto, cpu, cuda or cuda:N, got '{name}'") from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device: expected auto, cpu, cuda or cuda:N, got '{name}'")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise InputError(f"device: '{name}' requested, but torch finds no CUDA device; use device=auto or cpu")
        if device.index is None:
            device = torch.device("cuda", local)
        if device.index >= torch.cuda.device_count():
            raise InputError(
                f"device: '{device}' requested, but torch finds {torch.cuda.device_count()} GPUs; lower num_processes"
            )
    return device


def memory_of(device: torch.device) -> float:
    """Bytes of memory of a device, infinite where they are unknown."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows; names that a system does not have
        return math.inf


def require_devices(config: TrainingConfig) -> None:
    """Raise `InputError` unless this machine has the device of a training, for each of its processes."""
    device = resolve_device(config.device)
    if device.type == "cuda" and config.num_processes > torch.cuda.device_count():
        raise InputError(
            f"num_processes: {config.num_processes} requested, one per GPU, but torch finds "
            f"{torch.cuda.device_count()} GPUs; lower num_processes"
        )


def tune_device(device: torch.device) -> None:
    """Faster settings at no measurable loss of accuracy: TF32 products and autotuned convolutions on CUDA.

    On a CPU it logs a warning where the threads will wait actively (`hardware.wait_passively`).
    """
    if device.type == "cpu" and torch.get_num_threads() > 1 and not hardware.is_waiting_chosen:
        log.warning(
            "torch was imported before nsmodels: its threads spin while they wait, slow beside other programs; "
            "import nsmodels first, or set OMP_WAIT_POLICY=passive"
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True


@contextlib.contextmanager
def threads(most: int, device: torch.device | None = None) -> Iterator[None]:
    """No more than `most` threads of torch, where it is not 0 and `device` is no GPU; as before at the end."""
    before = torch.get_num_threads()
    if (device is None or device.type == "cpu") and 0 < most < before:
        torch.set_num_threads(most)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def resolve_precision(config: TrainingConfig, device: torch.device) -> torch.dtype | None:
    """The autocast type, or None for float32. On a CPU mixed precision needs an explicit bf16, or is measured later."""
    if not config.use_amp:
        return None
    if device.type != "cuda":
        return torch.bfloat16 if config.amp_dtype == "bf16" else None
    if config.amp_dtype in ("auto", "measured"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return {"bf16": torch.bfloat16, "fp16": torch.float16}[config.amp_dtype]


def torch_rng_state(device: torch.device) -> dict[str, torch.Tensor]:
    """State of torch's generators: of the CPU and of `device`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def rng_state(device: torch.device) -> dict[str, Any]:
    """State of every global generator, in types that `torch.load(weights_only=True)` accepts."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    numpy_state = [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, float(gauss)]
    return {"torch": torch_rng_state(device), "numpy": numpy_state, "python": random.getstate()}


def restore_rng_state(state: dict[str, Any], device: torch.device) -> None:
    """Restore the state from `rng_state`."""
    torch.set_rng_state(state["torch"]["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state["torch"]:
        torch.cuda.set_rng_state(state["torch"]["cuda"].cpu(), device)
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))


class Interrupt:
    """Whether SIGINT or SIGTERM has requested a stop."""

    def __init__(self) -> None:
        self.requested = False


@contextlib.contextmanager
def interrupts(is_patient: bool = False) -> Iterator[Interrupt]:
    """Turn the first SIGINT or SIGTERM into a request; the previous handler receives a second one.

    With `is_patient` further signals are requests too: torchrun forwards a signal that the whole process group has
    already received. So they are in a command, whose watch bounds its time (`core.interrupts`). Outside the main thread
    no handler is installed. The previous handlers are restored on exit.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    is_patient = is_patient or watching.is_watched()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def request(_number: int, _frame: Any) -> None:
        interrupt.requested = True
        if not is_patient:
            restore()

    for number in previous:
        signal.signal(number, request)
    try:
        yield interrupt
    finally:
        restore()


def peak_memory(device: torch.device) -> int:
    """Peak memory so far in bytes: allocated on a CUDA device, else resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def device_name(device: torch.device) -> str:
    """Product name of a GPU; of a CPU its architecture and the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} CPU, {torch.get_num_threads()} threads"
