"""Energy of a training by the counters of the machine: of processor packages (Linux) and of an NVIDIA GPU.

A counter counts everything that runs on its device, not one process alone. Where a machine has none, or does not let it
be read, nothing is measured, and nothing is estimated in its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
PACKAGES = "*-rapl:[0-9]*"  # of these, the ones without a second colon: a package holds the counters of its parts
CPU, GPU = "cpu", "gpu"
Read = Callable[[], float]


class Counter:
    """A counter of joules that starts again at 0 once it has reached `range` (None: never).

    It must be read at least once in that time.
    """

    def __init__(self, read: Read, range: float | None = None) -> None:
        self._read, self._range = read, range
        self._last, self._sum = read(), 0.0

    @property
    def joules(self) -> float:
        """Joules since the counter was made. Raises `OSError` where it can no longer be read."""
        now = self._read()
        step = now - self._last
        self._sum += step if step >= 0 else step + (self._range or 0.0)
        self._last = now
        return self._sum


class Meter:
    """Joules of a run by device, over all of its sittings; a device only where every sitting could measure it.

    Args:
        counters: by device.
        before: joules of earlier sittings; None: there were none.
    """

    def __init__(self, counters: Mapping[str, list[Counter]], before: Mapping[str, float] | None = None) -> None:
        self._counters = dict(counters)
        self._before = before

    @property
    def joules(self) -> dict[str, float]:
        """Joules so far, by device."""
        found = {}
        for name, counters in self._counters.items():
            if self._before is None or name in self._before:
                with contextlib.suppress(OSError):
                    found[name] = (self._before or {}).get(name, 0.0) + sum(each.joules for each in counters)
        return found


def meter(device: torch.device, before: Mapping[str, float] | None = None, root: Path = POWERCAP) -> Meter:
    """A meter with the counters that this machine has for a training on `device`."""
    gpu = _gpu(device) if device.type == "cuda" else []
    found = {CPU: _packages(root), GPU: gpu}
    return Meter({name: counters for name, counters in found.items() if counters}, before)


def _packages(root: Path) -> list[Counter]:
    """A counter per processor package; none where the machine has none, or one of them cannot be read."""
    places = [path for path in sorted(root.glob(PACKAGES)) if path.name.count(":") == 1]
    try:
        return [Counter(_micro(path / "energy_uj"), _micro(path / "max_energy_range_uj")()) for path in places]
    except (OSError, ValueError):
        return []


def _micro(path: Path) -> Read:
    return lambda: int(path.read_text(encoding="ascii")) / 1e6


def _gpu(device: torch.device) -> list[Counter]:
    """The counter of a GPU, by NVIDIA's management library where that is installed and has one."""
    try:
        import pynvml  # pyright: ignore[reportMissingImports] - optional, of the package nvidia-ml-py

        pynvml.nvmlInit()
        identity = str(torch.cuda.get_device_properties(device).uuid)
        handle: Any = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
        return [Counter(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3)]
    except (ImportError, AttributeError):
        return []
    except Exception as error:  # of the library: it has a class of its own for each refusal
        if type(error).__module__.partition(".")[0] != "pynvml":
            raise
        return []
