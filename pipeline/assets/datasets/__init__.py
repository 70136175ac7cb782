"""The datasets: a file per dataset."""

from nsmodels.core import discover

__path__ = discover.extended(__path__, __name__)
