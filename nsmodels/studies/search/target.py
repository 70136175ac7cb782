"""What is searched: the training of one phase, with the fields of its configuration that are varied. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from nsmodels.core.config import Config, fingerprint, spaces
from nsmodels.core.config.conditions import field_of, is_runtime, without_effect
from nsmodels.core.config.spaces import Axes, Space, Span
from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig, require_metric
from nsmodels.engine.system import System
from nsmodels.studies.search.config import SearchConfig

CODE_VERSION = "1"
WHERE = "search"
SCALARS = (bool, int, float, str)
UNEQUAL = ("epochs", "max_steps", "eval_interval", "monitor", "monitor_mode")  # of a training: with others, others win
VALIDATION = ("val_", "max_val_")  # fields that begin so decide on what a model is validated
OF_A_LOSS = ("_weight", "temperature", "smoothing")  # fields that end so decide what a loss is the sum of
LOSS = "val/loss"
Values = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A phase of a stage of a system, and the space in which its training is searched."""

    system: System[Any, Any]
    stage: str
    space: Space

    @classmethod
    def of(cls, system: System[Any, Any], stage: str | None = None) -> Self:
        """The space that a system declares for a stage, its last one by default.

        Raises `InputError` for a stage without one.
        """
        name = system.stage(stage).name
        if name not in system.spaces:
            raise InputError(f"{system.name}: stage '{name}' declares no space to search")
        return cls(system, name, system.spaces[name])

    def at(self, config: SearchConfig) -> Self:
        """The target with the metric by which trainings of this configuration are compared."""
        return replace(self, space=self.space.at(_model(config)))

    @property
    def version(self) -> str:
        """Version of a search for it: a change makes the search again."""
        version = f"{CODE_VERSION}.{self.system.code_version}"
        return f"{version}.{fingerprint([self.stage, asdict(self.space)])[:8]}"

    @property
    def section(self) -> str:
        """Section of the configuration with the options of the training."""
        return self.system.sections.get(self.space.phase, "training")

    @property
    def other_sections(self) -> set[str]:
        """Sections with the options of trainings that the search does not make."""
        every = {self.system.sections.get(phase, "training") for phase in self.system.stage(self.stage).phases}
        return every - {self.section}

    def training(self, config: SearchConfig) -> TrainingConfig:
        """Options of the training that is searched, unchanged."""
        return getattr(_model(config), self.section)

    def axes(self, config: SearchConfig) -> dict[str, Any]:
        """The values of each searched field, as given or declared.

        Raises `InputError` for fields and values that the configuration cannot have, and for none at all.
        """
        model, fields = _model(config), spaces.acting(_model(config), self.space.fields)
        if config.space:
            fields = self._given(model, config.space)
        axes = spaces.axes_of(model, fields, WHERE)
        for name, axis in axes.items():
            self._require_sensible(model, name, axis)
        if not axes:
            raise InputError(f"{WHERE}: no field to search in this configuration; give some, as training.lr=1e-4,1e-3")
        return axes

    def unchanged(self, config: SearchConfig, axes: Axes) -> Values:
        """The values that the searched fields have before the search."""
        return {name: spaces.plain_value(_model(config), name) for name in axes}

    def combinations(self, config: SearchConfig, axes: Axes) -> list[Values]:
        """The trials of a grid: the configuration as it is, then every other combination."""
        first = self.unchanged(config, axes)
        rest = [values for values, _ in spaces.combinations(_model(config), axes, WHERE) if values != first]
        return [first, *rest]

    def num_trials(self, config: SearchConfig, axes: Axes) -> int:
        """Number of trainings, without those of the confirmation; no combination of lists is trained twice."""
        if config.sampler == "grid":
            return len(self.combinations(config, axes))
        lists = [axis.listed for axis in self.widened(config, axes).values()]
        if None in lists:
            return config.num_trials
        return min(math.prod(len(each or ()) for each in lists), config.num_trials)

    def widened(self, config: SearchConfig, axes: Axes) -> dict[str, Any]:
        """The axes with the values of the unchanged configuration, which is a trial, too."""
        first = self.unchanged(config, axes)
        return {name: axis.including(first[name]) for name, axis in axes.items()}

    def trained(self, config: SearchConfig, values: Mapping[str, Any]) -> Any:
        """Configuration of a training. Raises `InputError` for values that do not go together."""
        return _model(config).with_values(dict(values), WHERE)

    def check(self, config: SearchConfig) -> None:
        """Raise `InputError` for a search that cannot be made on this machine."""
        system, model, phase = self.system, _model(config), self.space.phase
        system.check_config(model, self.stage)
        watched = self.training(config).with_values({"monitor": self.at(config).space.metric})
        require_metric(watched, system.metrics_of(phase, model), f"space of {system.name}")
        axes = self.axes(config)
        for name, axis in axes.items():
            for value in axis.ends:
                system.check_networks(model.with_values({name: value}, WHERE))
        self.num_trials(config, axes)

    def _given(self, model: Config, words: list[str]) -> dict[str, str]:
        """Values by field of the words of a search; raises `InputError` for a bare field that the space lacks."""
        found = {}
        for name, text in spaces.split(words, WHERE).items():
            full = spaces.full_name(model, name, WHERE)
            if full in found:
                raise InputError(f"{WHERE}: expected each field once, got {full} twice; give its values in one list")
            if not text and full not in self.space.fields:
                known = ", ".join(self.space.fields)
                raise InputError(f"{WHERE}: {full}: give its values, as {full}=a,b; the system names those of {known}")
            found[full] = text or self.space.fields[full]
        return found

    def _require_sensible(self, model: Config, name: str, axis: Any) -> None:
        if reason := without_effect(model, name):
            raise InputError(f"{WHERE}: {reason}")
        if name in {f"{self.section}.{each}" for each in UNEQUAL} or name == "training.seed":
            raise InputError(f"{WHERE}: {name}: trials with unequal {name.partition('.')[2]} are not comparable")
        if name in self.space.instead:
            raise InputError(
                f"{WHERE}: {name}: decides by what trials are compared; search each of its values by itself"
            )
        last, metric = name.rpartition(".")[2], self.space.at(model).metric
        if last.startswith(VALIDATION) or (metric == LOSS and last.endswith(OF_A_LOSS)):
            raise InputError(
                f"{WHERE}: {name}: changes {metric}, by which trials are compared, and not the model alone; "
                "search each of its values by itself"
            )
        if is_runtime(field_of(model, name)):
            raise InputError(f"{WHERE}: {name}: never changes a result, so that there is nothing to search")
        if any(name.startswith(f"{section}.") for section in self.other_sections):
            raise InputError(
                f"{WHERE}: {name}: is of a different network; the search trains the {self.space.phase} alone"
            )
        if not all(isinstance(value, SCALARS) for value in axis.ends):
            raise InputError(f"{WHERE}: {name}: expected numbers, words or true and false, got {axis}")
        self._require_includable(model, name, axis)

    def _require_includable(self, model: Config, name: str, axis: Any) -> None:
        """Raise `InputError` for a range that cannot be widened to the unchanged value, which is that of trial 0."""
        now = spaces.plain_value(model, name)
        if isinstance(axis, Span) and axis.is_log and now <= 0:
            raise InputError(
                f"{WHERE}: {name}: is now {now:g}, which a logarithmic scale cannot include; give a list of values, a "
                "range without :log, or change the field of the model first"
            )


def _model(config: SearchConfig) -> Any:
    return config.model  # type: ignore[attr-defined]
