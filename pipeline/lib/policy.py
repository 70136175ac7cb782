"""What all assets of a group have in common."""

from __future__ import annotations

from typing import Any

OWNERS = ["team:nsmodels"]


def archive(**more: Any) -> dict[str, Any]:
    """A published archive: looked at, not downloaded."""
    return _group("archives", {"http"}, more)


def dataset(**more: Any) -> dict[str, Any]:
    """Data in their released format."""
    return _group("datasets", {"image", "json"}, more)


def model(**more: Any) -> dict[str, Any]:
    """A trained model; one at a time holds the GPU."""
    return _group("models", {"pytorch"}, {"pool": "gpu", **more})


def evaluation(**more: Any) -> dict[str, Any]:
    """The score of a model on held-out data."""
    return _group("evaluations", {"pytorch", "table"}, more)


def study(**more: Any) -> dict[str, Any]:
    """Many trainings that are compared; they take turns with the models on the GPU."""
    return _group("studies", {"pytorch", "table"}, {"pool": "gpu", **more})


def figure(**more: Any) -> dict[str, Any]:
    """A figure of the paper, as PDF and PNG."""
    return _group("figures", {"matplotlib", "pdf"}, more)


def _group(name: str, kinds: set[str], more: dict[str, Any]) -> dict[str, Any]:
    return {"group_name": name, "kinds": kinds, "owners": OWNERS, **more}
