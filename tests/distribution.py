"""Order of the test files, and which tests one process runs: long files first, so that none is left over at the end."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from nsmodels.core import discover

CONTRACTS = "contracts"
# What takes more than half a minute on a core: folders and files, the longest first.
LONG = (CONTRACTS, "test_notebook.py", "test_bare_command.py", "test_site.py", "test_example.py")
LONG += ("test_paper.py", "test_world_graph.py", "test_processes.py")
LONGER_THAN_REST = ("pipeline", "studies", "systems")


def ordered(items: list[pytest.Item]) -> list[pytest.Item]:
    """Live tests and others in turn, file by file, long files first.

    Live tests mostly wait: beside each other they leave the processors idle, beside others they cost little time.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    live = [path for path, found in files.items() if found[0].get_closest_marker("live")]
    others = sorted((path for path in files if path not in live), key=_rank)
    order = [path for pair in zip_longest(live, others) for path in pair if path]
    return [item for path in order for item in files[path]]


def _rank(path: Path) -> int:
    """The place of a file among those that are not live."""
    names = [*LONG, *LONGER_THAN_REST]
    return next((place for place, name in enumerate(names) if name in path.parts), len(names))


class ByFileOrSystem(LoadFileScheduling):
    """A process runs the tests of a file; of the contracts, which take minutes, those of one system or dataset."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        words = nodeid.partition("[")[2].rstrip("]").split("-") if CONTRACTS in Path(file).parts else []
        subject = next((word for word in words if word in _subjects()), "")
        return " ".join([file, subject]).strip()


@cache
def _subjects() -> list[str]:
    return [*discover.systems(), *discover.datasets()]
