"""Weights of a checkpoint as safetensors: readable without this project, and without running anything."""

from __future__ import annotations

import json
from pathlib import Path

BEST, PLAIN = "best.pt", "best.safetensors"


def write(model: Path, into: Path) -> dict[str, Path]:
    """Write `<network>/best.safetensors` below `into` for each trained network of a model; files by name.

    The settings of the network are in the file's metadata, as JSON. Raises `InputError` for a damaged checkpoint.
    """
    found = {}
    for path in sorted(model.glob(f"*/{BEST}")):
        name = f"{path.parent.name}/{PLAIN}"
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        _convert(path, into / name)
        found[name] = into / name
    return found


def _convert(checkpoint: Path, target: Path) -> None:
    from safetensors.torch import save_file

    from nsmodels.engine.checkpoint import load

    payload = load(checkpoint)
    weights = payload["model_state_dict"]
    about = {"format": "pt", "config": json.dumps(payload.get("config", {}), default=str)}
    # a copy of each: the format refuses tensors that share memory
    save_file({name: value.contiguous().clone() for name, value in weights.items()}, target, about)
