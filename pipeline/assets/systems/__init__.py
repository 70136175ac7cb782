"""The systems: a file per system, whose list `TRAININGS` holds every dataset that it can be trained on."""

import importlib
import pkgutil
from typing import Any

from nsmodels.core import discover
from pipeline.lib.training import Training

__path__ = discover.extended(__path__, __name__)


def trainings() -> list[Training[Any, Any]]:
    """Every system on every dataset that it can be trained on, by file name and in the order of each list."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__, f"{__name__}."))
    found = [getattr(importlib.import_module(name), "TRAININGS", []) for name in names]
    return [training for those in found for training in those]
