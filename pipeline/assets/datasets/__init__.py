"""The datasets: a file per dataset."""

import importlib
import pkgutil

from nsmodels.core import discover

__path__ = discover.extended(__path__, __name__)


def load() -> None:
    """Import the file of every dataset, which registers how the data are made that a step or a search misses."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
