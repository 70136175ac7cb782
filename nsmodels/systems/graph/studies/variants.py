"""Configuration of the ablations of the graph reasoner, its variants and presets. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import conditional, partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.config import VariantStudyConfig
from nsmodels.studies.variant import REPLACED, Variant
from nsmodels.systems.graph.config import BaselineConfig, GraphConfig, ModelConfig, ScheduleConfig

OneLevel = Literal[
    "source", "flat", "no_trace", "no_short", "no_gate", "one_layer", "no_norm", "other_aggregation", "bases"
]
TwoLevels = Literal["one_level", "no_cycle", "no_trace"]
TERMS, ROUNDS, SHORT = "terms of the loss", "rounds", "short graphs"
NO_TRACE = {"objective.trace_weight": 0.0}
ONE_LEVEL: Mapping[str, Variant] = {
    "source": Variant("all of it, against the source document's network", {"model.kind": "source"}, removes=REPLACED),
    "flat": Variant("tied rounds, against an R-GCN of own layers", {"model.kind": "flat"}, removes=ROUNDS),
    "no_trace": Variant("the oracle's trace", NO_TRACE, removes=TERMS),
    "no_short": Variant("short graphs first", {"training.curriculum": False}, removes=SHORT),
    "no_gate": Variant("the gate", {"model.use_gate": False}),
    "one_layer": Variant("the hidden layer of the update", {"model.cell_layers": 1}),
    "no_norm": Variant("the normalisation of the sender", {"model.use_norm": False}),
    "other_aggregation": Variant("the aggregation of the data, against the other one", removes=REPLACED),
    "bases": Variant("diagonal relations, against 4 bases", {"model.num_bases": 4}, removes=REPLACED),
}
TWO_LEVELS: Mapping[str, Variant] = {
    "one_level": Variant("the level of clusters, against rounds over nodes", {"model.kind": "recurrent"}),
    "no_cycle": Variant("the cycle loss", {"objective.cycle_weight": 0.0}, removes=TERMS),
    "no_trace": Variant("the oracle's trace of both levels", NO_TRACE, removes=TERMS),
}
_TRAINING = TrainingConfig(curriculum=True, batch_size=64, lr=3e-3, weight_decay=0.01, num_workers=0)
_BY_VARIANT = {"kind": "the variants and the data decide it"}
_NETWORKS: tuple[str, ...] = ("labels_only", "flat", "source", "recurrent", "budget")
_BASELINES = BaselineConfig(budget=True)  # of which sizes are read, and the rounds of `one_level`
_BY_NETWORK: dict[str, str] = dict.fromkeys(_NETWORKS, "the variants decide it")


class AblationConfig(VariantStudyConfig, GraphConfig):
    """The network and the same without one thing after the other, over the same seeds.

    On graphs that declare clusters the network has two levels, on others one. All trainings of a dataset have the same
    epochs, those of other networks too.
    """

    variants: list[OneLevel] = Field(
        default=list(get_args(OneLevel)),
        min_length=1,
        description="what is removed or replaced where graphs declare no clusters",
    )
    level_variants: list[TwoLevels] = Field(
        default=list(get_args(TwoLevels)), min_length=1, description="what is removed where graphs declare clusters"
    )
    level_epochs: int = Field(default=3, ge=1, le=100_000, description="epochs where graphs declare clusters")
    level_short_epochs: int = conditional(
        2,
        {"training.curriculum": True},
        ge=0,
        le=100_000,
        description="first epochs with short graphs alone where graphs declare clusters; else schedule.short_epochs",
    )
    model: ModelConfig = partly_decided(ModelConfig(), _BY_VARIANT)
    training: TrainingConfig = partly_decided(_TRAINING, {"seed": "seeds decides it"})
    baselines: BaselineConfig = partly_decided(_BASELINES, _BY_NETWORK)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("variants", "level_variants"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if self.training.num_processes > 1:
            raise ValueError("training.num_processes: a trial runs in one process; raise num_workers instead")
        return self

    @property
    def whole(self) -> GraphConfig:
        """Configuration of the full model with one level, without the networks that are trained beside it."""
        plain = {name: getattr(self, name).model_dump() for name in GraphConfig.model_fields}
        plain["baselines"] |= dict.fromkeys(_NETWORKS, False)
        return GraphConfig.model_validate(plain)


def debug() -> AblationConfig:
    """Seconds on one CPU core, to see that everything runs: three seeds, two variants of each kind, one epoch."""
    return _study(epochs=1, short_epochs=1, level_epochs=1, level_short_epochs=1).with_values(
        {
            "variants": ["flat", "no_gate"],
            "level_variants": ["one_level", "no_cycle"],
            "model": {"dim": 8, "max_extra_rounds": 1, "slack_rounds": 1},
            "baselines": {"flat_layers": 2, "flat_bases": 2, "flat_dim": 8, "source_dim": 8, "budget_rounds": 4},
            "schedule.max_pairs": 16,
        }
    )


def quick() -> AblationConfig:
    """Three seeds of every variant for three epochs, two of them on short graphs; on 2,500 pairs all are at chance.

    With clusters seven, four of them on short graphs: after two of four a seed of the full model stays at chance.
    """
    return _study(epochs=3, short_epochs=2, level_epochs=7, level_short_epochs=4)


def base() -> AblationConfig:
    """Five seeds of every variant with six epochs on all pairs. Not measured."""
    return _study(epochs=6, short_epochs=2, level_epochs=10, level_short_epochs=4).with_values(
        {"seeds": [0, 1, 2, 3, 4]}
    )


def paper() -> AblationConfig:
    """Five seeds of every variant with 50 epochs on all pairs, on a GPU. Not measured."""
    return _study(epochs=50, short_epochs=4, level_epochs=20, level_short_epochs=4).with_values(
        {"seeds": [0, 1, 2, 3, 4]}
    )


def _study(epochs: int, short_epochs: int, level_epochs: int, level_short_epochs: int) -> AblationConfig:
    return AblationConfig(
        training=_TRAINING.with_values({"epochs": epochs}),
        schedule=ScheduleConfig(short_epochs=short_epochs),
        level_epochs=level_epochs,
        level_short_epochs=level_short_epochs,
    )


ABLATION_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
