"""Datasets: a folder each, found by `core/discover.py`."""

from nsmodels.core import discover

__path__ = discover.extended(__path__, __name__)
