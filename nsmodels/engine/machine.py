"""The machine: whether it has a GPU, and the preset that fits it. Torch-free until a driver is found."""

from __future__ import annotations

from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def has_driver() -> bool:
    """Whether a GPU driver is installed; does not import torch."""
    return any(Path(driver).exists() for driver in DRIVERS)


def fitting_preset() -> tuple[str, str]:
    """`base` if torch finds a GPU, else `quick`, and the reason; imports torch only if a driver is installed."""
    if not has_driver():
        return "quick", "no GPU found"
    import torch

    if not torch.cuda.is_available():
        return "quick", "a GPU driver is installed, but torch finds no GPU"
    return "base", f"GPU found: {torch.cuda.get_device_name()}"
