"""Which preset fits the machine."""

from __future__ import annotations

from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def has_driver() -> bool:
    """Whether the driver of a GPU is there; says so without importing torch."""
    return any(Path(driver).exists() for driver in DRIVERS)


def fitting_preset() -> tuple[str, str]:
    """`base` where torch sees a GPU, else `quick`; torch is imported only where a driver is there."""
    if not has_driver():
        return "quick", "no GPU found"
    import torch

    if not torch.cuda.is_available():
        return "quick", "a GPU driver is there, but torch sees no GPU"
    return "base", f"GPU found: {torch.cuda.get_device_name()}"
