"""A system that can be trained on a dataset: its two assets, and what studies, schedules and sensors ask of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from pipeline.lib import policy, step
from pipeline.lib.display import references, results
from pipeline.lib.launchpad import Launchpad

ABOUT_OUTCOMES = {
    "item": "what was scored; the same for the same data whatever the model",
    "cluster": "what succeeds and fails together, as the questions about one image",
    "score": "from 0 to 1",
}
USE_MODEL = """

*Materialize* trains it, or keeps an equal one; the arrow beside it opens the launchpad with presets and every option.
*Plots* below show the curves while it trains. Cancelled, it goes on where it stopped when materialized again.
In Python: `nsmodels.load("{key}")`."""
USE_EVALUATION = """

Tables and pictures are below. Two evaluations of the same data are compared by `leaderboard`, here and as
`nsmodels leaderboard`. In Python: `nsmodels.report("{key}")`."""
M = TypeVar("M", bound=Config)
E = TypeVar("E", bound=Config)


@dataclass(frozen=True)
class Training(Generic[M, E]):
    """How a system learns a dataset and is scored on it; `<name>_model` and `<name>_evaluation` are made from it.

    The configuration of a model has a section `training` with the engine's options, the seed among them. The orders of
    `train` hold the dataset as their input, those of `evaluate` the model and then the dataset.

    Attributes:
        name: what both asset keys begin with.
        system: folder under nsmodels/systems.
        dataset: key of the asset it learns from.
        code_version: of the system; a change makes everything again.
        model: launchpad of the model.
        train: makes the model of an order.
        evaluation: launchpad of the evaluation.
        evaluate: makes the evaluation of an order.
        evaluation_version: code version of the evaluation alone.
        about_model: description of the model asset.
        about_evaluation: description of the evaluation asset.
        show: what one can look at of a model folder.
    """

    name: str
    system: str
    dataset: str
    code_version: str
    model: Launchpad[M]
    train: Callable[[step.Order[M]], Manifest]
    evaluation: Launchpad[E]
    evaluate: Callable[[step.Order[E]], Manifest]
    evaluation_version: str
    about_model: str
    about_evaluation: str
    show: Callable[[Path], Mapping[str, Any]] = results.pages

    @property
    def model_key(self) -> str:
        """Key of the model asset."""
        return f"{self.name}_model"

    @property
    def evaluation_key(self) -> str:
        """Key of the evaluation asset."""
        return f"{self.name}_evaluation"

    @property
    def tags(self) -> dict[str, str]:
        """By which the assets are found in the UI and in selections."""
        return {"system": self.system, "dataset": self.dataset}

    def assets(self) -> list[dg.AssetsDefinition]:
        """The model and its evaluation."""
        return [self._model(), self._evaluation()]

    def _model(self) -> dg.AssetsDefinition:
        @dg.asset(
            name=self.model_key,
            deps=[self.dataset],
            tags=self.tags,
            code_version=self.model.version(self.code_version),
            config_schema=self.model.schema,
            description=self.about_model + USE_MODEL.format(key=self.model_key),
            metadata=references.to(self.train, self.show),
            **policy.model(),
        )
        def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return step.materialise(context, self.model, self.code_version, (self.dataset,), self.train, self.show)

        return cast(dg.AssetsDefinition, asset)

    def _evaluation(self) -> dg.AssetsDefinition:
        inputs = (self.model_key, self.dataset)

        @dg.asset(
            name=self.evaluation_key,
            deps=inputs,
            tags=self.tags,
            code_version=self.evaluation.version(self.evaluation_version),
            config_schema=self.evaluation.schema,
            description=self.about_evaluation + USE_EVALUATION.format(key=self.evaluation_key),
            metadata=references.to(self.evaluate),
            **policy.evaluation(),
        )
        def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return step.materialise(context, self.evaluation, self.evaluation_version, inputs, self.evaluate, scores)

        return cast(dg.AssetsDefinition, asset)


def scores(folder: Path) -> results.Metadata:
    """Figures and tables of an evaluation, and the columns of the table of all that it scored."""
    from nsmodels.evaluation.outcomes import OUTCOMES

    return {**results.pages(folder), **results.columns(folder / OUTCOMES, ABOUT_OUTCOMES)}
