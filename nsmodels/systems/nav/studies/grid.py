"""The source document's grid: width, depth and dropout of the recursive network, as a search over every combination.

Torch-free to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.config.spaces import Space
from nsmodels.core.orders import Order
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.search.config import search_of
from nsmodels.studies.search.target import Target
from nsmodels.systems.nav import SYSTEM
from nsmodels.systems.nav.config import NAVIGATOR, ModelConfig, NavConfig
from nsmodels.systems.nav.space import GRID, METRIC

TARGET = Target(SYSTEM, "", Space(NAVIGATOR, METRIC, "max", GRID))


def grid_search(order: Order[Any]) -> Manifest:
    """Train every combination on the maps of an order and seal the search; see `studies.search.run.search`."""
    from nsmodels.studies.search.run import search  # here: it imports torch

    return search(order, TARGET, "grid search")


def debug_grid() -> Any:
    """Two trials of two epochs on 64 maps of 8x8: seconds on one CPU core."""
    fields = {"model.dim": "16", "model.depth": "1", "model.dropout": "0.0,0.1"}
    small = {"training.batch_size": 16, "model.num_segments": 3, "data.max_maps": 64}
    return _grid(fields, {"training.epochs": 2, **small}, confirmation_seeds=[101])


def quick_grid() -> Any:
    """12 trials of 12 epochs on 2,000 maps of 8x8: about 7 CPU-minutes, and three more for the confirmation."""
    fields = {"model.dim": "16,32,48", "model.depth": "1,2", "model.dropout": "0.0,0.1"}
    few = {"data.max_maps": 2_000, "training.warmup_epochs": 0.5, "training.ema_decay": 0.99}
    return _grid(fields, {"training.epochs": 12, **few})


def base_grid() -> Any:
    """27 trials of 50 epochs on 5,000 maps, on one GPU."""
    return _full_grid({"data.max_maps": 5_000})


def paper_grid() -> Any:
    """27 trials of 50 epochs on all training maps, on one GPU."""
    return _full_grid({})


def _full_grid(values: Mapping[str, Any]) -> Any:
    training = {"epochs": 50, "lr": 1e-3, "warmup_epochs": 1.0, "ema_decay": 0.999, "patience": 10}
    return _grid(GRID, {"model.group_width": 32, "training": training, **values})


def _grid(fields: Mapping[str, str], values: Mapping[str, Any], **search: Any) -> Any:
    """The grid over a network whose unchanged values are its first combination."""
    training = TrainingConfig(batch_size=64, lr=3e-3, num_workers=0, monitor=METRIC, monitor_mode="max")
    first = {"dim": 16, "depth": 1, "dropout": 0.0} if fields is not GRID else {"dim": 64, "depth": 2, "dropout": 0.1}
    whole = NavConfig(model=ModelConfig(group_width=16, **first), training=training).with_values(dict(values))
    words = [] if fields is GRID else [f"{name}={text}" for name, text in fields.items()]
    return search_of(whole, sampler="grid", space=words, **search)


GRID_PRESETS = {"debug": debug_grid, "quick": quick_grid, "base": base_grid, "paper": paper_grid}
