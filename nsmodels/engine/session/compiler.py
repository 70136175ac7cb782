"""Compilation of a network by `torch.compile` for a training, where `use_compile` asks for it.

Weights, their names and the checkpoints stay as they are; losses may differ in their last digits, as on a different
processor. What torch cannot compile (numba kernels, control flow that depends on data) runs as before.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import torch
from torch import nn

from nsmodels.core.errors import InputError

COMPILERS = ("g++", "clang++")


def compile_network(model: nn.Module, device: torch.device) -> None:
    """Have `model` and its parts compiled in place when each is first called.

    The parts, too: a task may call methods of the network, and these its parts, but never the network itself.
    Raises `InputError` where this machine cannot compile for `device`.
    """
    require_compiler(device)
    torch._dynamo.config.trace_numpy = False  # pyright: ignore[reportPrivateImportUsage] - numpy stays numpy
    try:
        for part in _parts(model):
            part.compile()
    except RuntimeError as error:  # this Python has no torch.compile
        raise InputError(f"use_compile: {error}; leave it out") from None


def require_compiler(device: torch.device) -> None:
    """Raise `InputError` where there is no compiler for `device`: of C++ for a CPU (`$CXX`, g++ or clang++)."""
    given = os.environ.get("CXX")
    candidates = (given,) if given else COMPILERS
    if device.type == "cpu" and not any(map(shutil.which, candidates)):
        raise InputError(
            f"use_compile: torch.compile needs a C++ compiler on a CPU, and there is no {' or '.join(candidates)}; "
            "install one, name it in CXX, or leave use_compile out"
        )
    if device.type == "cuda" and sys.platform != "linux":
        raise InputError("use_compile: compilation for a GPU works on Linux only; leave it out")


def _parts(model: nn.Module) -> Iterator[nn.Module]:
    """The network and its direct parts, those in lists among them."""
    yield model
    for child in model.children():
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from child.children()
        else:
            yield child
