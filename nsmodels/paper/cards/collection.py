"""The artifacts `model_cards` and `dataset_cards`: a card for each sealed model and dataset under a data root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.paper import spending
from nsmodels.paper.cards import croissant
from nsmodels.paper.cards.card import CARD, card, evaluation_of, is_dataset, is_model
from nsmodels.paper.contents import DATASET_CARDS, MODEL_CARDS, NothingSealed
from nsmodels.paper.inputs import MAKER
from nsmodels.paper.versions import CARDS_VERSION

TRIALS = "_trials/"  # of searches and sweeps: not models of the paper


def make_model_cards(root: Path, folder: Path, is_forced: bool = False) -> Manifest:
    """Seal a card for each model, `<key>/README.md`; an equal artifact is kept. Raises `InputError` without a model."""
    models = sealed(root, lambda manifest: is_model(manifest) and TRIALS not in manifest.key)
    _require_some(models, MODEL_CARDS, root, "train one: dagster asset materialize --select nav_model")
    return _make(MODEL_CARDS, models, folder, is_forced)


def make_dataset_cards(root: Path, folder: Path, is_forced: bool = False) -> Manifest:
    """Seal a card and Croissant metadata for each dataset; see `make_model_cards`."""
    data = sealed(root, is_dataset)
    _require_some(data, DATASET_CARDS, root, "make some: dagster asset materialize --select mazes")
    return _make(DATASET_CARDS, data, folder, is_forced)


def sealed(root: Path, is_wanted: Callable[[Manifest], bool]) -> dict[str, Path]:
    """Folders of the sealed artifacts under a data root that are wanted, by place below it."""
    items = spending.sealed(root)
    return {item.name: item.folder for item in items if item.manifest and is_wanted(item.manifest)}


def _make(key: str, described: Mapping[str, Path], folder: Path, is_forced: bool) -> Manifest:
    manifests = {name: artifact.read_manifest(place) for name, place in described.items()}
    scored = {name: evaluation_of(place, manifests[name]) for name, place in described.items()}
    inputs = {**described, **{f"{name} scored": place for name, place in scored.items() if place}}

    def fill(part: Part) -> None:
        for name, place in described.items():
            (part.path / name).mkdir(parents=True)
            disk.write_atomic(part.path / name / CARD, card(place, manifests[name]))
            if is_dataset(manifests[name]):
                disk.write_json(part.path / name / croissant.NAME, croissant.metadata(place, manifests[name]))
        part.metrics["num_cards"] = len(described)

    about: Any = {"key": key, "maker": MAKER, "kind": key, "code_version": CARDS_VERSION, "is_resumable": False}
    return artifact.made(folder, is_forced, fill, config={"cards": sorted(described)}, inputs=inputs, **about)


def _require_some(found: Mapping[str, Path], key: str, root: Path, remedy: str) -> None:
    if not found:
        raise NothingSealed(f"{key}: nothing that has a card is sealed under {root}; {remedy}")
