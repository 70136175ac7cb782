"""The source document's search: learning rate times cycle weight of its network, every combination.

The reasoner's own search is that of its space. Torch-free to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import Order
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.search.config import search_of
from nsmodels.studies.search.target import Target
from nsmodels.systems.graph import SYSTEM
from nsmodels.systems.graph.config import GraphConfig
from nsmodels.systems.graph.space import SOURCE

TARGET = Target(SYSTEM, "", SOURCE)
CHANCE = 0.25  # both twins right by guessing


def search(order: Order[Any]) -> Manifest:
    """Train every combination on the graphs of an order and seal the search; see `studies.search.run.search`."""
    from nsmodels.studies.search import run  # here: it imports torch

    return run.search(order, TARGET, "hyperparameters")


def debug_search() -> Any:
    """Seconds on one CPU core, to see that everything runs: one cycle weight, two rates, one epoch."""
    tiny = {"model": {"dim": 8}, "baselines": {"source_dim": 8, "cycle_weight": 0.05}, "schedule.max_pairs": 16}
    fields = ["baseline_training.lr=3e-3,1e-4", "baselines.cycle_weight=0.05"]
    return _search(1, tiny, space=fields, confirmation_seeds=[101])


def quick_search() -> Any:
    """12 trials of three epochs on 1,000 pairs of each split. Time and scores are not measured yet."""
    return _search(3, {"schedule.max_pairs": 1_000})


def base_search() -> Any:
    """12 trials of six epochs on 4,000 pairs of each split. Not measured."""
    return _search(6, {"schedule.max_pairs": 4_000})


def paper_search() -> Any:
    """12 trials of 100 epochs on all pairs, as in the source document, on a GPU. Not measured."""
    return _search(100, {"baseline_training.patience": 20})


def _search(epochs: int, values: Mapping[str, Any], **search: Any) -> Any:
    """The grid over a configuration whose unchanged values are its first combination."""
    training = TrainingConfig(epochs=epochs, curriculum=True, batch_size=64, lr=3e-3, weight_decay=0.01, num_workers=0)
    whole = GraphConfig(training=training, baseline_training=training)
    chosen = whole.with_values({"schedule.short_epochs": 1, "baselines.cycle_weight": 0.01, **values})
    return search_of(chosen, sampler="grid", pruner="none", **search)


SEARCH_PRESETS = {"debug": debug_search, "quick": quick_search, "base": base_search, "paper": paper_search}
