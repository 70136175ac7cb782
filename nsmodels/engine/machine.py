"""The machine: whether it has a GPU, and the preset that fits it. Torch-free until a driver is found."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
SMALL = "small"  # the preset of minutes, where a system has one


def has_driver() -> bool:
    """Whether a GPU driver is installed; does not import torch."""
    return any(Path(driver).exists() for driver in DRIVERS)


def fitting_preset(presets: Collection[str] = ()) -> tuple[str, str]:
    """`base` if torch finds a GPU, else `small` where that is among `presets`, else `quick`; and the reason.

    Imports torch only if a driver is installed.
    """
    without = SMALL if SMALL in presets else "quick"
    if not has_driver():
        return without, "no GPU found"
    import torch

    if not torch.cuda.is_available():
        return without, "a GPU driver is installed, but torch finds no GPU"
    return "base", f"GPU found: {torch.cuda.get_device_name()}"
