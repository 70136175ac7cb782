"""Train, score and evaluate a system on plain folders, as the command line does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.commands import verbs
from nsmodels.engine.system import System


def train(system: System[Any, Any], config: Config, data: Path, folder: Path, key: str = "", **named: str) -> Manifest:
    """Train into `folder`; `data_key` names the data in the manifest."""
    return system.train(Order(key or folder.name, config, Inputs.of({named.get("data_key", "data"): data}), folder))


def score(system: System[Any, Any], checkpoint: Path, data: Path, split: str = "", **values: Any) -> dict[str, Any]:
    """The report of an evaluation that is not sealed."""
    values |= {"split": split} if split else {}
    return dict(system.score(verbs.evaluation_order(system, checkpoint, data, values)).report)


def evaluate(
    system: System[Any, Any], checkpoint: Path, data: Path, folder: Path, keys: tuple[str, str, str] = (), **values: Any
) -> Manifest:
    """Seal an evaluation in `folder`; `keys` are those of evaluation, model and data."""
    key, model_key, data_key = keys or (folder.name, "model", "data")
    inputs = Inputs.of({data_key: data}, model=(model_key, checkpoint))
    config = verbs.default_evaluation(system).with_values(values)
    return system.evaluate(Order(key, config, inputs, folder))
