"""Rows, studies of baselines and evaluations with drawn scores, sealed as the real ones are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact, disk
from nsmodels.core.orders import Inputs
from nsmodels.evaluation.comparison import joining
from nsmodels.evaluation.comparison.rows import NO_SEED, Row, write_rows
from nsmodels.evaluation.comparison.table import Compared
from nsmodels.evaluation.outcomes import Outcomes, write_outcomes

N, CLUSTERS = 200, 50


def scores(seed: int, share: float, split: str = "val", n: int = N) -> Outcomes:
    right = np.random.default_rng(seed).random(n) < share
    return Outcomes("accuracy", split, [str(k) for k in range(n)], [str(k % CLUSTERS) for k in range(n)], right * 1.0)


def network(name: str = "blind", share: float = 0.4, seeds: int = 3, **values: Any) -> Row:
    found = {str(seed): scores(seed, share, **values) for seed in range(seeds)}
    return Row(name, f"the {name} one", "network", found, {"parameters": 10.0, "cpu_seconds": 2.0})


def guess(**values: Any) -> Row:
    return Row("majority", "most frequent answer", "guess", {NO_SEED: scores(9, 0.2, **values)})


def compared(name: str = "gqa_mini", source: str = "synthetic GQA", **values: Any) -> Compared:
    return Compared(name, source, [guess(), network(**values)], left_out={"vilt": "no checkpoint is configured"})


def sealed(
    folder: Path,
    kind: str,
    data: Path,
    fill: Any,
    seed: int = 0,
    model: Path | None = None,
    config: Any = None,
    code: str = "1",
    name_of_data: str = "gqa_mini",
) -> Path:
    recipe: Any = {"key": folder.name, "maker": "nsmodels.test", "config": config or {}, "code_version": code}
    recipe["seed"] = seed
    inputs = Inputs.of({name_of_data: data}, model=model and ("gqa_mini_model", model))
    with artifact.build(folder, kind=kind, inputs=inputs, source="synthetic GQA", **recipe) as part:
        fill(part)
    return folder


def study(folder: Path, data: Path, name_of_data: str = "gqa_mini", **values: Any) -> Path:
    part = compared(**values)

    def fill(made: artifact.Part) -> None:
        write_rows(made.path / "scores", part.rows)
        disk.write_json(made.path / "report.json", part.to_dict())

    return sealed(folder, joining.STUDY, data, fill, name_of_data=name_of_data)


def evaluation(
    folder: Path,
    data: Path,
    outcomes: Outcomes,
    seed: int = 0,
    epochs: int = 1,
    code: str = "1",
    how: Any = None,
    code_of_scores: str = "1",
    learnt: Path | None = None,
    level: float = 1.0,
    size: int = 7,
) -> Path:
    """`how`: configuration of the evaluation; `learnt`: data that the model was trained on, by default those scored."""

    def fill_model(made: artifact.Part) -> None:
        (made.path / "weights").write_text("")
        made.metrics["num_parameters"] = size

    config = {"training": {"seed": seed, "epochs": epochs}}
    place = folder.with_name(f"{folder.name}_model")
    model = sealed(place, "training", learnt or data, fill_model, seed, config=config, code=code)

    def fill(made: artifact.Part) -> None:
        write_outcomes(made.path, outcomes, model)
        rows: Mapping[str, Any] = {
            "head": {"accuracy": 0.9, "interval": None},
            "true_scene": {"accuracy": level, "interval": [level - 0.01, level]},
        }
        disk.write_json(made.path / "report.json", {"headline": "head", "rows": rows})

    return sealed(folder, "evaluation", data, fill, model=model, config=how, code=code_of_scores)
