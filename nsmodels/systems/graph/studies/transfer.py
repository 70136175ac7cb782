"""What a trained core is worth in a different domain: fine-tuned there, against from scratch, at equal steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import read_manifest
from nsmodels.engine import checkpoint
from nsmodels.systems.graph.config import REASONER, GraphConfig
from nsmodels.systems.graph.studies.config import ComparisonConfig
from nsmodels.systems.graph.studies.trials import Trial

SCRATCH = "scratch"
WEIGHTS = "core.pt"


def trials_of(
    config: ComparisonConfig, models: Mapping[str, Path], data: Mapping[str, Path], folder: Path
) -> list[Trial]:
    """Trainings by target: from scratch, then from the core of each other domain; cores are written into `folder`.

    `models` and `data` are by domain. Each target is trained as its own model was, with as many steps for every start.
    """
    found = []
    for target in models:
        for seed in config.seeds:
            whole = _config_of(config, models[target], data[target], seed)
            for start in (SCRATCH, *(name for name in models if name != target)):
                core = None if start == SCRATCH else _core(models[start], models[target], folder / f"{start}_{target}")
                settings = {"from": start, "to": target}
                found.append(Trial(f"{start}_to_{target}_{seed}", settings, REASONER, whole, data[target], core))
    return found


def _config_of(config: ComparisonConfig, model: Path, data: Path, seed: int) -> GraphConfig:
    """The configuration of the target's own model, ended after the study's steps."""
    from nsmodels.formats.graphs import files

    whole = GraphConfig().from_mapping(read_manifest(model).config)
    has_short = whole.training.curriculum and "short" in files.splits(data)
    full, short = (
        math.ceil((2 * config.max_pairs or len(files.read_split(data, split))) / whole.training.batch_size)
        for split in ("train", "short" if has_short else "train")
    )
    num_short = whole.schedule.short_epochs if has_short else 0
    epochs = num_epochs(config.num_steps, full, short, num_short)
    training = {"epochs": epochs, "max_steps": config.num_steps, "seed": seed, "device": config.device, "patience": 0}
    if whole.training.warmup_epochs * (short if num_short else full) >= config.num_steps:
        training["max_warmup_steps"] = max(1, config.num_steps // 10)
    return whole.with_values(
        {**{f"training.{name}": value for name, value in training.items()}, "schedule.max_pairs": config.max_pairs}
    )


def num_epochs(num_steps: int, full: int, short: int, num_short: int) -> int:
    """Epochs in which so many steps are taken; `full`, `short`: steps of one with such graphs, `num_short` of them."""
    within = min(num_short, num_steps // short)
    return max(math.ceil(num_steps / full) + 1, within + math.ceil((num_steps - within * short) / full))


def _core(source: Path, target: Path, folder: Path) -> Path:
    """The weights of the source's core that do not depend on the names of its domain, as a checkpoint file.

    Types, relations and channels of two domains have nothing to do with each other: their tables start anew. So do
    weights of a different shape.
    """
    path = folder / WEIGHTS
    given = checkpoint.load(source / REASONER / checkpoint.BEST)["model_state_dict"]
    wanted = checkpoint.load(target / REASONER / checkpoint.BEST)["model_state_dict"]
    kept = {name: value for name, value in given.items() if _is_shared(name, value, wanted)}
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(path, {"model_state_dict": kept})
    return path


def _is_shared(name: str, value: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a weight belongs to the update, and not to a table by name."""
    by_relation = name.endswith(("messages.scale", "messages.shift"))
    return name.startswith("cell.") and not by_relation and getattr(wanted.get(name), "shape", None) == value.shape
