"""Configuration of the ablations of natural images, their variants and presets. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import decided, partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.config import VariantStudyConfig
from nsmodels.studies.variant import Variant
from nsmodels.systems.natural import presets
from nsmodels.systems.natural.config import BaselineConfig, Dataset, NaturalConfig

Programs = Literal[
    "fusion",
    "second_look",
    "relation_graph",
    "memory",
    "routing",
    "hierarchy",
    "concepts",
    "soft",
    "rules",
]
Answers = Literal[
    "cross_attention", "fusion", "second_look", "relation_graph", "routing", "concepts", "programs", "soft", "rules"
]
RARE, CLASS_ERRORS = "rare_objects", "class_errors"  # metrics
DEGREES, RULES = "degrees of belief", "rules"  # quantities
_SEEN = ("perception",)
# Answers are learnt from what perception sees, and so anew with it.
_READ = ("perception", "answers")
VARIANTS: Mapping[str, Variant] = {
    "fusion": Variant("features of several scales", {"perception.fusion": False}, phases=_READ),
    "second_look": Variant("second look at the pixels below a box", {"perception.crop_size": 0}, phases=_READ),
    "relation_graph": Variant("messages between objects", {"perception.relation_graph": 0}, phases=_READ),
    "memory": Variant("prototypes of each name", {"perception.memory": 2}, phases=_READ, metric=RARE, adds=True),
    "routing": Variant("concepts and objects inform each other", {"perception.routing": False}, phases=_READ),
    "hierarchy": Variant("class before name", {"perception.hierarchy": False}, phases=_READ, metric=CLASS_ERRORS),
    "concepts": Variant("concepts of the whole image, and their routing", {"perception.num_concepts": 0}, phases=_READ),
    "cross_attention": Variant(
        "attention of the question to objects", {"answers.cross_attention": False}, phases=("answers",)
    ),
    "soft": Variant("probabilities in execution", evaluation={"soft": False}, removes=DEGREES),
    "rules": Variant("relations that rules derive", evaluation={"rules": True}, adds=True, removes=RULES),
    "programs": Variant("proved answers first", evaluation={"programs": False}),
}


class ModelConfig(NaturalConfig):
    """The full model; the study decides seeds, data, and that no baselines are trained."""

    dataset: Dataset = decided("gqa", "the folders of data decide it")
    training: TrainingConfig = partly_decided(TrainingConfig(), {"seed": "seeds decides it"})
    baseline: BaselineConfig = partly_decided(
        BaselineConfig(is_enabled=False), dict.fromkeys(BaselineConfig.model_fields, "no baselines are trained")
    )


class AblationConfig(VariantStudyConfig):
    """The reasoner on natural images without one part after the other, over the same seeds.

    On a folder of GQA all answers are those of programs. With a folder of VQA, answers of people are learnt too.
    """

    variants: list[Programs] = Field(
        default=list(get_args(Programs)), min_length=1, description="parts that are left out or added, on GQA"
    )
    answer_variants: list[Answers] = Field(
        default=["cross_attention", "programs", "soft", "rules"],
        min_length=1,
        description="parts that are left out or added where answers of people are learnt; `programs`, `soft` and "
        "`rules` need folders of both",
    )
    split: str = Field(default="val", min_length=1, description="split that is scored")
    num_images: int = Field(default=0, ge=0, description="score questions about the first so many images; 0: all")
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("variants", "answer_variants"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if self.model.training.num_processes > 1:
            raise ValueError("model.training.num_processes: a trial runs in one process; raise num_workers instead")
        return self


def debug() -> AblationConfig:
    """Seconds on one CPU core, to see that everything runs: three seeds, few variants."""
    return _study(presets.debug()).with_values(
        {
            "variants": ["hierarchy", "soft"],
            "answer_variants": ["cross_attention", "programs"],
            "num_images": 8,
        }
    )


def quick() -> AblationConfig:
    """Three seeds of 3,600 image-steps each: far from converged. Not measured as a whole."""
    return _study(presets.quick()).with_values(
        {
            "num_images": 200,
            "model": {
                "max_images": 1200,
                "max_val_images": 100,
                "training": {"epochs": 3, "eval_interval": 3},
                "parser": {"max_questions": 10_000, "max_val_questions": 500},
                "answers_training.epochs": 4,
            },
        }
    )


def base() -> AblationConfig:
    """Five seeds of the base model, on a GPU. Not measured."""
    return _study(presets.base()).with_values({"seeds": [0, 1, 2, 3, 4]})


def paper() -> AblationConfig:
    """Five seeds of the paper model, on a GPU. Not measured."""
    return _study(presets.paper()).with_values({"seeds": [0, 1, 2, 3, 4]})


def _study(model: NaturalConfig) -> AblationConfig:
    values = model.with_values({"baseline.is_enabled": False}).model_dump()
    return AblationConfig(model=ModelConfig.model_validate(values))


ABLATION_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
