"""Sealed artifacts for tests of the paper: trainings of debug presets over seeds below one data root, and a study."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.orders import Inputs, Order
from nsmodels.engine.commands.verbs import default_evaluation
from nsmodels.engine.system import System
from nsmodels.evaluation.sealing import REPORT
from nsmodels.studies.report import CSV, PARQUET, frame
from tests.shared import Shared
from tests.studies.test_comparison import study

KEYS = {"nav": "mazes", "causal": "causal_graphs"}


def replicate(root: Path, name: str, system: System[Any, Any], seed: int) -> None:
    """Train and score one seed of a debug preset as the asset of replicates does."""
    key, data = f"{name}_replicates/{seed}", {KEYS[name]: root / KEYS[name]}
    config = system.presets["debug"]().with_values({"training.seed": seed, "training.device": "cpu"})
    system.train(Order(f"{key}/model", config, Inputs.of(data), root / key / "model"))
    inputs = Inputs.of(data, model=(f"{key}/model", root / key / "model"))
    how = default_evaluation(system).with_values({"device": "cpu"})
    system.evaluate(Order(f"{key}/evaluation", how, inputs, root / key / "evaluation"))


def data(root: Path, name: str, shared: Shared) -> None:
    """The debug data of a training below `root`."""
    shutil.copytree(shared.data(KEYS[name]), root / KEYS[name])


def sealed_study(root: Path, key: str = "visual_ablations", source: str = "synthetic GQA") -> Path:
    """A study of variants as `nsmodels.studies` seals it: parts that help, hurt and do not matter."""
    parts = {"gqa_mini": study()}
    report = {
        "parts": {name: {"source": source, "rows": [row.to_dict() for row in rows]} for name, rows in parts.items()}
    }
    about: Any = {"key": key, "maker": "nsmodels.systems.natural", "config": {}, "code_version": "1", "source": source}
    with artifact.build(root / key, kind="study: variants", **about) as part:
        disk.write_json(part.path / REPORT, report)
        frame(parts).to_csv(part.path / CSV, index=False)
        frame(parts).to_parquet(part.path / PARQUET)
    return root / key
