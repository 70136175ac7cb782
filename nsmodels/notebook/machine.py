"""The machine of a notebook: its hardware at the start, and its memory and disk in use."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core.artifact import data_root
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.core.progress import readable
from nsmodels.notebook import live

if TYPE_CHECKING:
    import pandas as pd


def begin(data: str | Path | None = None) -> None:
    """Set the data root, print the machine, and show an `InputError` in one line.

    `data` becomes the data root; default: `NSMODELS_DATA`, else `data/` of the project that contains the notebook.
    """
    if data or not os.environ.get("NSMODELS_DATA"):
        os.environ["NSMODELS_DATA"] = str(Path(data or _project() / "data").resolve())
    live.show_errors_in_one_line(InputError)
    live.prepare_display()
    for name, value in _machine().items():
        print(f"{name:<12}{value}")


def _project() -> Path:
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if (place / "dagster.yaml").exists()), here)


def _machine() -> dict[str, str]:
    import torch

    root = data_root()
    existing = next(place for place in (root, *root.parents) if place.exists())
    memory = readable(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) if hasattr(os, "sysconf") else "unknown"
    return {
        "python": f"{platform.python_version()} ({sys.executable})",
        "torch": torch.__version__,
        "device": device() if _gpus() else f"no GPU: {num_cores()} CPU cores; use the presets debug and quick",
        "memory": memory,
        "data root": f"{root}, {readable(shutil.disk_usage(existing).free)} free",
    }


def device() -> str:
    """Names of the GPUs, of which models use the first; "CPU" without any."""
    return ", ".join(_gpus()) or "CPU"


def _gpus() -> list[str]:
    import torch

    found = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [f"{gpu.name} ({readable(gpu.total_memory)})" for gpu in found]


def diagnose() -> pd.DataFrame:
    """Table of memory and disk in use: this process, the machine, each GPU, and the disk of the data root."""
    import pandas as pd
    import psutil
    import torch

    machine, disk = psutil.virtual_memory(), shutil.disk_usage(data_root() if data_root().exists() else Path.cwd())
    rows: list[dict[str, Any]] = [
        {"what": "this process", "used": psutil.Process().memory_info().rss, "of": machine.total},
        {"what": "machine memory", "used": machine.total - machine.available, "of": machine.total},
        {"what": "disk of the data root", "used": disk.used, "of": disk.total},
    ]
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name = torch.cuda.get_device_name(number)
        rows += [{"what": f"{name}, all processes", "used": total - free, "of": total}]
        rows += [{"what": f"{name}, tensors here", "used": torch.cuda.memory_allocated(number), "of": total}]
        rows += [{"what": f"{name}, most so far", "used": torch.cuda.max_memory_allocated(number), "of": total}]
    table = pd.DataFrame(rows)
    table["share"] = (table["used"] / table["of"]).map("{:.0%}".format)
    return table.assign(**{name: table[name].map(readable) for name in ("used", "of")})
