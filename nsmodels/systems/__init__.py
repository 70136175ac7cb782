"""Systems: a folder each, found by `core/discover.py`; each exports its `SYSTEM`."""

from nsmodels.core import discover

__path__ = discover.extended(__path__, __name__)
