"""The ablations: parts of the visual reasoner left out once each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import DATA, Order
from nsmodels.engine.config import EvaluationConfig
from nsmodels.studies.comparison import Counts
from nsmodels.studies.study import run_study
from nsmodels.studies.trials import Arm
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.evaluation.studies.config import NUM_EPOCHS, PARAPHRASES, VARIANTS, VIEWS, AblationConfig


def ablate(order: Order[AblationConfig]) -> Manifest:
    """Train and score every variant over all seeds on the data of an order, and seal the table.

    A stopped study resumes. Raises `InputError` as `run_study`.
    """
    return run_study(order, arms_for, SYSTEM.package, "ablations")


def arms_for(order: Order[AblationConfig]) -> list[Arm]:
    """The one part of the study."""
    (key,) = order.inputs.datasets
    return [arm_of(order.config, {key: order.data})]


def arm_of(config: AblationConfig, data: Mapping[str, Path]) -> Arm:
    """The part of the study on these data."""
    (key, path), *_ = data.items()
    device = config.model.training.device
    return Arm(
        name=path.name if key == DATA else key,
        system=SYSTEM,
        config=VisualConfig.model_validate(config.model.model_dump()),
        evaluation=EvaluationConfig().with_values({"split": config.split, "device": device}),
        data=data,
        variants={name: VARIANTS[name] for name in config.variants},
        count=count,
    )


def count(config: VisualConfig, _: EvaluationConfig) -> Counts:
    """What images and questions of a training have besides themselves."""
    return {VIEWS: NUM_EPOCHS if config.perception.augment else 1, PARAPHRASES: config.parser.paraphrases}
