"""Construction of navigators: from a configuration, and from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nsmodels.datasets.mazes.actions import DiagonalRule
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.latents import LatentNavigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.values import ValueNavigator


def make_navigator(config: ModelConfig) -> Navigator:
    """A navigator with random weights; raise `InputError` for a configuration that its core cannot have."""
    return ValueNavigator(config) if config.core == "value" else LatentNavigator(config)


def navigator_from(payload: dict[str, Any], where: str) -> Navigator:
    """The navigator of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

    Raises `InputError` naming `where` when configuration or weights do not fit.
    """
    config = ModelConfig.from_mapping(checkpoint.settings_of(payload, "model", where), where)
    model = make_navigator(config)
    settings = payload["config"]
    model.is_cost_aware = bool(settings.get("knows_costs"))
    model.largest_cost, model.largest_side = settings.get("largest_cost"), settings.get("grid_size")
    model.diagonals = DiagonalRule(**settings.get("diagonals", {}))
    checkpoint.fill(model, payload["model_state_dict"], where)
    return model.eval()


def load_navigator(folder: Path, device: str = "auto") -> Navigator:
    """The navigator of a checkpoint folder; raise `InputError` when it contains none."""
    path = Path(folder) / "navigator" / checkpoint.BEST
    return navigator_from(checkpoint.load(path), str(path)).to(resolve_device(device))
