"""Trainings: a system on data, with its model and evaluation assets, and studies; read by schedules and sensors."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.orders import DATA, MODEL, PARENT, Order
from nsmodels.engine import machine
from nsmodels.engine.system import System
from nsmodels.studies.search.config import presets_of
from nsmodels.studies.search.target import Target
from pipeline.lib import checks, policy, step
from pipeline.lib.display import references, results
from pipeline.lib.launchpad import Launchpad

ABOUT_OUTCOMES = {
    "item": "scored item; the same for the same data whatever the model",
    "cluster": "items that succeed and fail together, as the questions about one image",
    "score": "score of the headline metric",
}
USE_MODEL = """

*Materialize* trains it, or keeps an equal one; the arrow beside it opens the launchpad with presets and every option.
*Plots* below show the curves while it trains. Cancelled, it resumes when materialized again.
In Python: `nsmodels.load("{key}")`; one of the checkpoints below: `nsmodels.load("{key}", checkpoint="...")`."""
USE_EVALUATION = """

Tables and pictures are below. Two evaluations of the same data are compared by `leaderboard`, here and as
`nsmodels leaderboard`. In Python: `nsmodels.report("{key}")`."""
ABOUT_SEARCH = """Hyper-parameters of `{model}`: its network `{phase}` trained with varied fields, by `{metric}`.

The first trial has the configuration as it is, the best one is trained again with fresh seeds beside it; `best.yaml` is
for `--config`. A cancelled search resumes. More processes join by `nsmodels search {training} --join`."""
M = TypeVar("M", bound=Config)
E = TypeVar("E", bound=Config)


@dataclass(frozen=True)
class Training(Generic[M, E]):
    """A stage of a system learning from data; `<name>_model`, `_evaluation` and `_search` are built from it.

    Attributes:
        name: prefix of both asset keys, and of its replicates and trials.
        system: trains and scores.
        datasets: keys of the assets it learns from; it is scored on the same.
        about_model: description of the model asset.
        about_evaluation: description of the evaluation asset; None: the model is not scored by itself.
        stage: stage of the system; None: its last.
        starts_from: the training whose model this one starts from.
        show: metadata to look at, from a sealed model folder.
        presets: presets of the model; None: those of the stage.
    """

    name: str
    system: System[M, E]
    datasets: tuple[str, ...]
    about_model: str
    about_evaluation: str | None = None
    stage: str | None = None
    starts_from: "Training[Any, Any] | None" = None
    show: Callable[[Path], Mapping[str, Any]] = results.pages
    presets: Mapping[str, Callable[[], M]] | None = None

    @cached_property
    def model(self) -> Launchpad[M]:
        """Launchpad of the model; by default the machine chooses between `quick`, or `small`, and `base`."""
        presets = self.presets or self.system.stage(self.stage).presets
        by_machine = {"quick", "base"} <= presets.keys()
        default = "base" if "base" in presets else list(presets)[-1]
        automatic = partial(machine.fitting_preset, tuple(presets))
        return Launchpad(presets, default, automatic if by_machine else None)

    @cached_property
    def evaluation(self) -> Launchpad[E]:
        """Launchpad of the evaluation."""
        presets = self.system.evaluation_presets
        return Launchpad(presets, next(iter(presets)))

    @cached_property
    def search(self) -> Launchpad[Any]:
        """Launchpad of the search, with the presets of the model."""
        return Launchpad(presets_of(self.model.presets), self.model.default, self.model.automatic)

    @property
    def is_searched(self) -> bool:
        """Whether the system declares what a search varies in it."""
        return self.system.stage(self.stage).name in self.system.spaces

    @property
    def target(self) -> Target:
        """What a search trains. Raises InputError where nothing is declared."""
        return Target.of(self.system, self.stage)

    @property
    def search_key(self) -> str:
        """Key of the search asset, where there is one."""
        return f"{self.name}_search"

    @property
    def is_scored(self) -> bool:
        """Whether the model has an evaluation of its own."""
        return self.about_evaluation is not None

    @property
    def model_key(self) -> str:
        """Key of the model asset."""
        return f"{self.name}_model"

    @property
    def evaluation_key(self) -> str:
        """Key of the evaluation asset, where there is one."""
        return f"{self.name}_evaluation"

    @property
    def keys(self) -> str:
        """Its assets as text, "`nav_model` and `nav_evaluation`"."""
        return " and ".join(f"`{key}`" for key in [self.model_key, *([self.evaluation_key] if self.is_scored else [])])

    @property
    def chain(self) -> "tuple[Training[Any, Any], ...]":
        """The trainings that lead to this one, each starting from the one before it; this one is the last."""
        return (*(self.starts_from.chain if self.starts_from else ()), self)

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Keys of the data of the whole chain."""
        return tuple(dict.fromkeys(key for each in self.chain for key in each.datasets))

    @property
    def model_inputs(self) -> dict[str, str]:
        """Role of each input of the model asset, by key."""
        parent = {self.starts_from.model_key: PARENT} if self.starts_from else {}
        return parent | dict.fromkeys(self.datasets, DATA)

    @property
    def evaluation_inputs(self) -> dict[str, str]:
        """Role of each input of the evaluation asset, by key."""
        return {self.model_key: MODEL} | dict.fromkeys(self.datasets, DATA)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the assets in the UI and in selections."""
        return {"system": self.system.name, "dataset": "_".join(self.datasets)}

    def train(self, order: Order[M]) -> Manifest:
        """Train the model of an order."""
        return self.system.train(order, self.stage)

    def check_config(self, config: M) -> None:
        """Raise InputError for a configuration that cannot be trained on this machine."""
        self.system.check_config(config, self.stage)

    def assets(self) -> list[dg.AssetsDefinition]:
        """The model, its evaluation and its search where there are such."""
        found = [self._model(), *([self._evaluation()] if self.is_scored else [])]
        return [*found, *([self._search()] if self.is_searched else [])]

    def checks(self) -> list[dg.AssetChecksDefinition]:
        """Checks of any trained model: finite losses, and a loss that the loaded network reproduces."""
        phase, key = self.system.stage(self.stage).phases[0], self.model_key
        finite = "Every number of the training history is finite."
        same = f"Loaded anew, the network '{phase}' has the validation loss of its training."
        return [
            checks.check(key, "losses_are_finite", finite, checks.losses_are_finite, is_blocking=True),
            checks.check(key, "reproduces_its_score", same, checks.reproduces(self.system, phase)),
        ]

    def _model(self) -> dg.AssetsDefinition:
        version, stage, inputs = self.system.code_version, self.system.stage(self.stage), self.model_inputs
        step.check_first(self.model_key, self.model, version, self.check_config)

        @dg.asset(
            name=self.model_key,
            deps=list(inputs),
            tags=self.tags,
            code_version=self.model.version(version),
            config_schema=self.model.schema,
            description=self.about_model + USE_MODEL.format(key=self.model_key),
            metadata=references.to(type(self.system).make_trial, self.show),
            output_required=False,
            **policy.model(),
        )
        def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            how = {"roles": inputs, "phases": stage.phases}
            if not step.is_left_out(context, inputs):
                yield step.materialise(context, self.model, version, inputs, self.train, self._shown, **how)

        return cast(dg.AssetsDefinition, asset)

    def _search(self) -> dg.AssetsDefinition:
        target, pad, inputs = self.target, self.search, self.model_inputs
        step.check_first(self.search_key, pad, target.version, target.check)

        @dg.asset(
            name=self.search_key,
            deps=list(inputs),
            tags=self.tags,
            code_version=pad.version(target.version),
            config_schema=pad.schema,
            description=ABOUT_SEARCH.format(model=self.model_key, training=self.name, **asdict(target.space)),
            metadata=references.to_module("nsmodels.studies.search.run"),
            **policy.study(),
        )
        def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            how: Any = {"roles": inputs, "phases": ("trials",)}
            return step.materialise(context, pad, target.version, inputs, self.run_search, **how)

        return cast(dg.AssetsDefinition, asset)

    def run_search(self, order: Order[Any]) -> Manifest:
        """Search the configuration of the model."""
        from nsmodels.studies.search.run import search  # here: it imports torch

        return search(order, self.target)

    def _shown(self, folder: Path) -> Mapping[str, Any]:
        """What `show` shows, and the checkpoints."""
        return {**self.show(folder), **results.checkpoints(folder)}

    def _evaluation(self) -> dg.AssetsDefinition:
        return _evaluation(self, self.evaluation_key, self.evaluation_inputs, self.tags, self.about_evaluation or "")


@dataclass(frozen=True)
class FurtherEvaluation:
    """A trained model scored on data that it was not trained on, as `<data>_evaluation`.

    Attributes:
        training: whose model is scored.
        data: key of the data.
        about: description of the asset.
    """

    training: Training[Any, Any]
    data: str
    about: str

    @property
    def key(self) -> str:
        """Key of the asset."""
        return f"{self.data}_evaluation"

    def asset(self) -> dg.AssetsDefinition:
        """The evaluation."""
        inputs = {self.training.model_key: MODEL, self.data: DATA}
        tags = {"system": self.training.system.name, "dataset": self.data}
        return _evaluation(self.training, self.key, inputs, tags, self.about)


def _evaluation(
    training: Training[Any, Any], key: str, inputs: dict[str, str], tags: dict[str, str], about: str
) -> dg.AssetsDefinition:
    """The asset `key`: the model of a training scored on the data among the inputs."""
    version, pad, system = training.system.evaluation_version, training.evaluation, training.system
    step.check_first(key, pad, version, system.check_device)

    @dg.asset(
        name=key,
        deps=list(inputs),
        tags=tags,
        code_version=pad.version(version),
        config_schema=pad.schema,
        description=about + USE_EVALUATION.format(key=key),
        metadata=references.to(type(system).score),
        output_required=False,
        **policy.evaluation(),
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        if not step.is_left_out(context, inputs):
            yield step.materialise(context, pad, version, inputs, system.evaluate, scores, roles=inputs)

    return cast(dg.AssetsDefinition, asset)


def study(
    name: str,
    inputs: Mapping[str, str],
    function: str,
    presets: Mapping[str, Callable[[], Any]],
    code_version: str,
    description: str,
) -> dg.AssetsDefinition:
    """A study, many trainings for one report, in the pool of the models; its preset is chosen by the machine.

    Args:
        name: key of the asset.
        inputs: role of each input, by key.
        function: of the library, "package.module:name"; it takes an `Order` and returns the manifest.
        presets: of its configuration.
        code_version: of the library that makes it.
        description: for its page.
    """
    module, _, called = function.partition(":")
    pad: Launchpad[Any] = Launchpad(presets, default="base", automatic=machine.fitting_preset)

    def run(order: Order[Any]) -> Manifest:
        return getattr(importlib.import_module(module), called)(order)  # here: it imports torch

    @dg.asset(
        name=name,
        deps=list(inputs),
        description=description,
        code_version=pad.version(code_version),
        config_schema=pad.schema,
        tags={"system": module.split(".")[2]},
        metadata=references.to_module(module),
        output_required=False,
        **policy.study(),
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        if not step.is_left_out(context, inputs):
            yield step.materialise(context, pad, code_version, inputs, run, roles=inputs, phases=("trials",))

    return cast(dg.AssetsDefinition, asset)


def scores(folder: Path) -> results.Metadata:
    """Figures and tables of an evaluation, and the columns of the table of all that it scored."""
    from nsmodels.evaluation.outcomes import OUTCOMES

    return {**results.pages(folder), **results.columns(folder / OUTCOMES, ABOUT_OUTCOMES)}
