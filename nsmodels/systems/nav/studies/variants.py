"""Configuration of the ablations of the navigator, their variants and presets. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import decided, partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.config import VariantStudyConfig
from nsmodels.studies.variant import Variant
from nsmodels.systems.nav import config as nav
from nsmodels.systems.nav.config import BaselineConfig, EvaluationConfig, NavConfig

Counting = Literal[
    "recursion", "longer", "segments", "width", "augmentation", "cost", "reach", "halting", "fresh_maps", "burn_in"
]
Latent = Literal[
    "recursion", "longer", "segments", "inner", "horizon", "depth", "augmentation", "cost", "reach", "halting"
]
STEPS, SEGMENTS, TERMS = "steps", "supervised segments", "terms of the loss"
VIEWS, MAPS, WAITS, BURNT = "views of a map", "training maps", "segments that wait", "segments before"
CELLS, LARGER, LARGER_CELLS = "optimal_cells", "larger_success", "larger_optimal_cells"
NAMES = (CELLS, "success", "spl", LARGER_CELLS, LARGER)  # metrics, the headline first
_ONE_SEGMENT = {"model.num_inner": 1, "model.num_cycles": 1, "model.num_segments": 1}


def _term(name: str, about: str) -> Variant:
    return Variant(about, {f"objective.{name}_weight": 0.0}, removes=TERMS)


SHARED: Mapping[str, Variant] = {
    "recursion": Variant("recursion: more than two steps", _ONE_SEGMENT, evaluation={"max_steps": 2}, removes=STEPS),
    "longer": Variant("more steps than in training", removes=STEPS),
    "segments": Variant("supervision of more than one segment", {"model.num_segments": 1}, removes=SEGMENTS),
    "augmentation": Variant("turned and mirrored maps", {"data.augment": False}, removes=VIEWS),
    "cost": _term("cost", "loss of the cost to go"),
    "reach": _term("reach", "loss of reachability"),
    "halting": _term("halting", "loss of halting"),
}
COUNTING: Mapping[str, Variant] = {
    **SHARED,
    "width": Variant("hidden units of moves beyond four", {"model.dim": 4}),
    "fresh_maps": Variant("maps drawn anew each epoch", {"data.fresh_maps": True}, removes=MAPS, adds=True),
    "burn_in": Variant("segments before the supervised ones", {"objective.max_burn_in": 4}, removes=BURNT, adds=True),
}
LATENT: Mapping[str, Variant] = {
    **SHARED,
    "inner": Variant("updates of the reasoning before an answer", {"model.num_inner": 1}, removes=STEPS),
    "horizon": Variant("horizon: cells asked when a signal can reach them", {"objective.horizon": 0.0}, removes=WAITS),
    "depth": Variant("layers of the core beyond one", {"model.depth": 1}),
}


class ModelConfig(NavConfig):
    """A full model; the study decides seeds, and that no baselines are trained."""

    training: TrainingConfig = partly_decided(TrainingConfig(), {"seed": "seeds decides it"})
    baselines: BaselineConfig = partly_decided(
        BaselineConfig(is_enabled=False), dict.fromkeys(BaselineConfig.model_fields, "no baselines are trained")
    )
    baseline_training: TrainingConfig = decided(TrainingConfig(), "no baselines are trained")


class AblationConfig(VariantStudyConfig):
    """The navigator without one part after the other: the one that counts costs, and the one of latent vectors."""

    variants: list[Counting] = Field(
        default=list(get_args(Counting)), description="parts of the network that counts; none: it is left out"
    )
    latent_variants: list[Latent] = Field(
        default=list(get_args(Latent)), description="parts of the network of latents; none: it is left out"
    )
    num_maps: int = Field(default=0, ge=0, description="score the first so many maps of each size; 0: all")
    largest_side: int = Field(default=0, ge=0, description="leave out larger maps with longer sides; 0: none")
    model: ModelConfig = ModelConfig(model=nav.ModelConfig(core="value"))
    latent: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("variants", "latent_variants"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if not self.variants and not self.latent_variants:
            raise ValueError("variants, latent_variants: expected at least one of them")
        cores = {"model": self.model.model.core == "value", "latent": self.latent.model.core != "value"}
        if wrong := [name for name, fits in cores.items() if not fits]:
            raise ValueError(f"{wrong[0]}.model.core: model has core=value, and latent has any other")
        if any(each.training.num_processes > 1 for each in (self.model, self.latent)):
            raise ValueError("training.num_processes: a trial runs in one process; raise num_workers instead")
        return self


class MapsConfig(EvaluationConfig):
    """The evaluation of a variant: test maps, and larger ones beside them."""

    num_maps: int = Field(default=0, ge=0, description="score the first so many maps of each size; 0: all")
    largest_side: int = Field(default=0, ge=0, description="leave out larger maps with longer sides; 0: none")


def debug() -> AblationConfig:
    """Seconds on one CPU core, to see that everything runs: three seeds, few variants."""
    chosen = {"variants": ["longer", "width"], "latent_variants": ["horizon"], "num_maps": 10}
    small = {"model": {"core": "conv", "dim": 8, "depth": 1, "num_segments": 2, "num_inner": 1, "group_width": 8}}
    latent = nav.debug().with_values({**small, "training.epochs": 1})
    return _study(nav.debug(), latent).with_values({**chosen, "largest_side": 16})


def quick() -> AblationConfig:
    """Three seeds of every variant on 1,000 maps each. Not measured as a whole."""
    counting = nav.quick().with_values({"data.max_maps": 1_000})
    latent = nav.latent().with_values({"data.max_maps": 1_000, "training.epochs": 8})
    return _study(counting, latent).with_values({"num_maps": 200, "largest_side": 16})


def base() -> AblationConfig:
    """Five seeds on 50,000 maps. Not measured."""
    return _study(nav.base(), nav.latent()).with_values({"seeds": [0, 1, 2, 3, 4]})


def paper() -> AblationConfig:
    """Five seeds of longer trainings, on a GPU. Not measured."""
    counting = nav.base().with_values({"training.epochs": 40})
    return _study(counting, nav.latent().with_values({"training.epochs": 40})).with_values({"seeds": [0, 1, 2, 3, 4]})


def _study(counting: NavConfig, latent: NavConfig) -> AblationConfig:
    plain: dict[str, Any] = {}
    for name, config in (("model", counting), ("latent", latent)):
        plain[name] = {each: getattr(config, each).model_dump() for each in ("model", "training", "objective", "data")}
    return AblationConfig.model_validate(plain)


ABLATION_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
