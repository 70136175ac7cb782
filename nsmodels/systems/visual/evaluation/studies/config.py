"""Configuration of the ablations of the visual reasoner, its variants and presets. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.config import VariantStudyConfig
from nsmodels.studies.variant import Variant
from nsmodels.systems.visual import config as visual
from nsmodels.systems.visual.config import BaselineConfig, VisualConfig

Part = Literal["second_look", "augmentation", "paraphrases"]
VIEWS, PARAPHRASES = "views of an image in eight epochs", "paraphrases for each question"
NUM_EPOCHS = 8  # in which views are counted
VARIANTS: Mapping[str, Variant] = {
    "second_look": Variant(
        "second look at the pixels around a centre", {"perception.crop_size": 0}, phases=("perception",)
    ),
    "augmentation": Variant(
        "augmented training images", {"perception.augment": 0.0}, phases=("perception",), removes=VIEWS
    ),
    "paraphrases": Variant(
        "questions in words that people type", {"parser.paraphrases": 0.0}, phases=("parser",), removes=PARAPHRASES
    ),
}
_FIVE = {"seeds": [0, 1, 2, 3, 4], "variants": ["augmentation", "paraphrases"]}


class ModelConfig(VisualConfig):
    """The full model; the study decides seeds, and that no baseline is trained."""

    training: TrainingConfig = partly_decided(TrainingConfig(), {"seed": "seeds decides it"})
    baseline: BaselineConfig = partly_decided(
        BaselineConfig(is_enabled=False), dict.fromkeys(BaselineConfig.model_fields, "no baseline is trained")
    )


class AblationConfig(VariantStudyConfig):
    """The visual reasoner without one part after the other, over the same seeds."""

    variants: list[Part] = Field(
        default=list(get_args(Part)), min_length=1, description="parts that are left out, one at a time"
    )
    split: str = Field(default="val", min_length=1, description="split that is scored")
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.variants)) < len(self.variants):
            raise ValueError(f"variants: expected each value once, got {self.variants}")
        if self.model.training.num_processes > 1:
            raise ValueError("model.training.num_processes: a trial runs in one process; raise num_workers instead")
        return self


def debug() -> AblationConfig:
    """Seconds on one CPU core, to see that everything runs: three seeds, two variants."""
    return _study(visual.debug()).with_values({"variants": ["second_look", "paraphrases"]})


def quick() -> AblationConfig:
    """Three seeds of three epochs each, far from converged, on CPU cores. Not measured."""
    epochs = {"training.epochs": 3, "parser_training.epochs": 2, "parser.max_questions": 10_000}
    return _study(visual.quick()).with_values({"model": epochs})


def base() -> AblationConfig:
    """Five seeds of the base model, on a GPU; it takes no second look. Not measured."""
    return _study(visual.base()).with_values(_FIVE)


def paper() -> AblationConfig:
    """Five seeds of the paper model, on a GPU; it takes no second look. Not measured."""
    return _study(visual.paper()).with_values(_FIVE)


def _study(model: VisualConfig) -> AblationConfig:
    values = model.with_values({"baseline.is_enabled": False, "has_export": False}).model_dump()
    return AblationConfig(model=ModelConfig.model_validate(values))


ABLATION_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
