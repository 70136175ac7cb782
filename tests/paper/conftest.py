"""Data roots with what a paper is made from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nsmodels.core import discover
from tests.paper.made import data, replicate, sealed_study
from tests.shared import Shared


@pytest.fixture(scope="package")
def sealed(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three seeds of two systems, and a study; to be read only."""
    root = tmp_path_factory.mktemp("paper") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(root))
        for name, system in (("nav", "nav"), ("causal", "graph")):
            data(root, name, shared)
            for seed in range(3):
                replicate(root, name, discover.system(system), seed)
        sealed_study(root)
        yield root


@pytest.fixture
def copied(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that data root, to be changed."""
    root = tmp_path / "data"
    shutil.copytree(sealed, root)
    monkeypatch.setenv("NSMODELS_DATA", str(root))
    return root
