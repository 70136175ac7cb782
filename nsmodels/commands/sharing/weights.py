"""Weights of a checkpoint as safetensors: readable without this project, and without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def write(model: Path, names: Mapping[str, str], into: Path) -> dict[str, Path]:
    """Write checkpoints of a model as plain weights below `into`; files by name.

    `names`: of the plain weights, by that of the checkpoint. The settings of the network are in the file's metadata, as
    JSON. Raises `InputError` for a damaged checkpoint.
    """
    for checkpoint, name in names.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        _convert(model / checkpoint, into / name)
    return {name: into / name for name in names.values()}


def _convert(checkpoint: Path, target: Path) -> None:
    from safetensors.torch import save_file

    from nsmodels.engine.checkpoint import load

    payload = load(checkpoint)
    weights = payload["model_state_dict"]
    about = {"format": "pt", "config": json.dumps(payload.get("config", {}), default=str)}
    # a copy of each: the format refuses tensors that share memory
    save_file({name: value.contiguous().clone() for name, value in weights.items()}, target, about)
