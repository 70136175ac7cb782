"""A data root and a Dagster instance of each test's own."""

import dagster as dg
import pytest


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty data root."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def instance():
    """A Dagster instance that forgets everything."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
