"""Energy of a training by the counters of the machine: of processor packages (Linux) and of an NVIDIA GPU.

A counter counts everything that runs on its device, not one process alone. Where a machine has none, or does not let it
be read, nothing is measured, and nothing is estimated in its place.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
PACKAGES = "*-rapl:[0-9]*"  # of these, the ones without a second colon: a package holds the counters of its parts
PLATFORM = "psys"  # beside the packages: the whole machine, with them in it
CPU, GPU = "cpu", "gpu"
MACHINES = "other machines"
Read = Callable[[], float]


class Counter:
    """A counter of joules that starts again at 0 once it has reached `range` (None: never).

    It must be read at least once in that time. `name`: of what it counts, "package-0" or "GPU 1".
    """

    def __init__(self, read: Read, range: float | None = None, name: str = "") -> None:
        self._read, self._range, self.name = read, range, name
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
        used: devices and machines on which the run is, counted or not.
    """

    def __init__(
        self,
        counters: Mapping[str, list[Counter]],
        before: Mapping[str, float] | None = None,
        used: Sequence[str] = (),
    ) -> None:
        self._counters = dict(counters)
        self._before, self._used = before, used

    @property
    def joules(self) -> dict[str, float]:
        """Joules so far, by device."""
        found = {}
        for name, counters in self._counters.items():
            if self._before is None or name in self._before:
                with contextlib.suppress(OSError):
                    found[name] = (self._before or {}).get(name, 0.0) + sum(each.joules for each in counters)
        return found

    @property
    def counted(self) -> str:
        """What is in `joules`, and what of the run is not: "package-0, GPU 1; without other machines"."""
        measured = self.joules
        names = [each.name for device in measured for each in self._counters[device]]
        absent = [name for name in self._used if name not in measured]
        return ", ".join(names) + (f"; without {', '.join(absent)}" if names and absent else "")


def meter(
    device: torch.device, before: Mapping[str, float] | None = None, root: Path = POWERCAP, num_processes: int = 1
) -> Meter:
    """A meter with the counters that this machine has for a training on `device`.

    Of several processes each may have a GPU of its own: those of this machine are all counted.
    """
    num_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if num_processes > 1 else 1  # set by torchrun
    devices = [torch.device("cuda", index) for index in range(num_here)] if num_here > 1 else [device]
    found = {CPU: _packages(root), GPU: _gpus(devices) if device.type == "cuda" else []}
    used = [CPU, *([GPU] if device.type == "cuda" else []), *([MACHINES] if num_processes > num_here else [])]
    return Meter({name: counters for name, counters in found.items() if counters}, before, used)


def _packages(root: Path) -> list[Counter]:
    """A counter per processor package; none where the machine has none, or one of them cannot be read."""
    places = {path: _name(path) for path in sorted(root.glob(PACKAGES)) if path.name.count(":") == 1}
    try:
        return [
            Counter(_micro(path / "energy_uj"), _micro(path / "max_energy_range_uj")(), name)
            for path, name in places.items()
            if name != PLATFORM
        ]
    except (OSError, ValueError):
        return []


def _name(path: Path) -> str:
    with contextlib.suppress(OSError):
        return (path / "name").read_text(encoding="ascii").strip()
    return path.name


def _micro(path: Path) -> Read:
    return lambda: int(path.read_text(encoding="ascii")) / 1e6


def _gpus(devices: Sequence[torch.device]) -> list[Counter]:
    """The counters of GPUs, by NVIDIA's management library where that is installed and has one for each of them."""
    try:
        import pynvml  # pyright: ignore[reportMissingImports] - optional, of the package nvidia-ml-py

        pynvml.nvmlInit()
        return [_gpu(pynvml, str(torch.cuda.get_device_properties(device).uuid)) for device in devices]
    except (ImportError, AttributeError):
        return []
    except Exception as error:  # of the library: it has a class of its own for each refusal
        if type(error).__module__.partition(".")[0] != "pynvml":
            raise
        return []


def _gpu(library: Any, identity: str) -> Counter:
    handle = library.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
    name = f"GPU {library.nvmlDeviceGetIndex(handle)}"  # as nvidia-smi lists it, whatever this process sees
    return Counter(lambda: library.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3, name=name)
