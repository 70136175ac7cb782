"""Configuration of a search, and its presets. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, Literal, Self

from pydantic import Field, create_model, model_validator

from nsmodels.core.config import Config, conditional, runtime_field

_DRAWN = {"sampler": ("tpe", "random")}
_PRUNED = {"pruner": ("median", "hyperband")}
NUM_TRIALS = {"debug": 4, "quick": 20, "base": 30, "paper": 60}  # by preset of the training; others as `quick`


class SearchConfig(Config):
    """Trainings of one network with varied fields, and the best one against the configuration as it is.

    Subclasses, one for each kind of training, have the section `model` with the configuration that is varied.
    """

    common = ("sampler", "pruner", "num_trials", "space", "num_workers")

    sampler: Literal["tpe", "random", "grid"] = Field(
        default="tpe",
        description="tpe: values are drawn where good trials are dense; random: anywhere; grid: every combination of "
        "lists of values, in order",
    )
    num_trials: int = conditional(
        20, _DRAWN, ge=2, le=10_000, description="trainings; the first has the values of the configuration as it is"
    )
    sampler_seed: int = conditional(0, _DRAWN, ge=0, description="seed of what is drawn")
    space: list[str] = Field(
        default=[],
        description="fields that are varied, with values as training.lr=1e-3,3e-3, training.lr=1e-4...1e-1:log or "
        "model.depth=1...4; a field alone has those of the system; empty: all fields that the system names",
    )
    pruner: Literal["none", "median", "hyperband"] = Field(
        default="median",
        description="when a training is stopped early; median: once its best value is below the median of finished "
        "ones at the same epoch; hyperband: by successive halving",
    )
    prune_after: float = conditional(
        1 / 3, _PRUNED, ge=0, le=1, description="share of the epochs after which a training may be stopped"
    )
    min_finished: int = conditional(
        3, {"pruner": "median"}, ge=1, description="trainings that finish before one is stopped"
    )
    confirmation_seeds: list[int] = Field(
        default=[101, 102, 103],
        description="seeds with which best and unchanged configuration are trained again and compared; fewer than 2: "
        "no interval; empty: no confirmation",
    )
    num_workers: int = runtime_field(1, ge=1, le=256, description="processes that train at the same time")

    @model_validator(mode="after")
    def _is_a_search(self) -> Self:
        seeds = self.confirmation_seeds
        if len(set(seeds)) < len(seeds) or min(seeds, default=0) < 0:
            raise ValueError(f"confirmation_seeds: expected whole numbers from 0 on, each once, got {seeds}")
        if model := getattr(self, "model", None):  # this class alone has none
            self._require_trainable(model)
        return self

    def _require_trainable(self, model: Any) -> None:
        if model.training.num_processes > 1:
            raise ValueError("model.training.num_processes: a trial runs in one process; raise num_workers instead")
        if model.training.seed in self.confirmation_seeds:
            raise ValueError(f"confirmation_seeds: {model.training.seed} is the seed of the trials; give fresh ones")


@cache
def config_class(training: type[Config]) -> type[SearchConfig]:
    """The configuration of a search over trainings of this configuration class."""
    name = f"{training.__name__.removesuffix('Config')}SearchConfig"
    made = create_model(name, __base__=SearchConfig, model=(training, training()))
    made.__doc__ = SearchConfig.__doc__
    return made


def search_of(model: Config, **values: Any) -> Any:
    """The search over a training of this configuration, its other fields as given."""
    return config_class(type(model))(**{"model": model, **values})


def presets_of(trainings: Mapping[str, Callable[[], Config]]) -> dict[str, Callable[[], Any]]:
    """A preset of the search for each preset of the training."""
    return {name: _preset(name, made) for name, made in trainings.items()}


def _preset(name: str, made: Callable[[], Config]) -> Callable[[], Any]:
    @wraps(made)
    def found() -> Any:
        seeds = {"confirmation_seeds": [101]} if name == "debug" else {}
        return search_of(made(), num_trials=NUM_TRIALS.get(name, NUM_TRIALS["quick"]), **seeds)

    found.__doc__ = f"Search from the preset {name}: {made.__doc__}"
    return found
