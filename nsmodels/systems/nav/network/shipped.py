"""Trained navigators in the package, so that plans need no training: one of four moves, one of eight.

A file has the weights, and in its metadata the settings that rebuild the network and the origin of the weights: data,
seed, commit, fingerprint. The card beside the files describes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.config import NAVIGATOR
from nsmodels.systems.nav.network.construction import navigator_from
from nsmodels.systems.nav.network.navigator import Navigator

FOLDER = Path(__file__).parents[1] / "shipped"
CONNECTIVITY = (4, 8)


def shipped_path(connectivity: int) -> Path:
    """The file of the navigator with so many moves; raise `InputError` when there is none."""
    if connectivity not in CONNECTIVITY:
        raise InputError(f"connectivity {connectivity}: navigators of 4 and of 8 moves are shipped")
    return FOLDER / f"navigator_{connectivity}.safetensors"


def load_shipped(connectivity: int = 4, device: str = "auto") -> Navigator:
    """The shipped navigator of 4 or 8 moves, in evaluation mode."""
    path = shipped_path(connectivity)
    with safe_open(path, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is no mapping)
    return navigator_from({"config": config, "model_state_dict": weights}, str(path)).to(resolve_device(device))


def origin(connectivity: int) -> dict[str, Any]:
    """Origin of the weights: data, seed, commit and fingerprint of their checkpoint."""
    with safe_open(shipped_path(connectivity), framework="pt") as file:
        return json.loads(file.metadata()["origin"])


def ship(folder: Path) -> Path:
    """Write the navigator of a checkpoint folder into the package; returns the file."""
    manifest = artifact.read_manifest(folder)
    payload = checkpoint.load(folder / NAVIGATOR / checkpoint.BEST)
    navigator = navigator_from(payload, str(folder))
    come_from = {
        "data": manifest.source,
        "seed": manifest.seed,
        "commit": manifest.commit,
        "fingerprint": manifest.fingerprint,
    }
    metadata = {"config": json.dumps(payload["config"]), "origin": json.dumps(come_from)}
    path = shipped_path(navigator.config.connectivity)
    path.parent.mkdir(exist_ok=True)
    save_file({name: weight.contiguous() for name, weight in navigator.state_dict().items()}, path, metadata)
    return path
