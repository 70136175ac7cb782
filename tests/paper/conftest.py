"""Data roots with what a paper is made from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nsmodels.core import discover, locks
from tests.paper.made import data, replicate, sealed_study
from tests.shared import Shared


@pytest.fixture(scope="package")
def sealed(shared: Shared) -> Iterator[Path]:
    """Three seeds of two systems, and a study; made once for all processes of the run, to be read only."""
    root = shared.root / "paper" / "data"
    root.parent.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, locks.waiting(root.parent / "once"):
        patch.setenv("NSMODELS_DATA", str(root))
        if not (root / "visual_ablations").exists():  # which is made last
            fill(root, shared)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(root))
        yield root


def fill(root: Path, shared: Shared) -> None:
    for name, system in (("nav", "nav"), ("causal", "graph")):
        data(root, name, shared)
        for seed in range(3):
            replicate(root, name, discover.system(system), seed)
    sealed_study(root)


@pytest.fixture
def copied(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that data root, to be changed."""
    root = tmp_path / "data"
    shutil.copytree(sealed, root)
    monkeypatch.setenv("NSMODELS_DATA", str(root))
    return root
