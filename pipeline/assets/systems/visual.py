"""The neuro-symbolic visual reasoner: a model and its evaluation per dataset."""

from typing import cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.systems.visual.config import CODE_VERSION, PRESETS, EvaluationConfig, VisualConfig
from pipeline.assets.systems.visual_checks import first_look
from pipeline.lib import hardware, policy, step
from pipeline.lib.launchpad import Launchpad

DATASETS = ("clevr_mini", "clevr")
MODEL = Launchpad(PRESETS, default="base", automatic=hardware.fitting_preset)
EVALUATION = Launchpad({"default": lambda: EvaluationConfig.from_mapping({})}, default="default")
TAGS = {"system": "visual"}


def train(order: step.Order[VisualConfig]) -> Manifest:
    """Train perception, the parser, then the baseline, and seal them as one checkpoint."""
    from nsmodels.systems.visual.train import train

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("perception", "parser", "baseline")
    return train(order.config, data, order.folder, order.key, data_key, trackers, is_forced=order.force)


def evaluate(order: step.Order[EvaluationConfig]) -> Manifest:
    """Score the checkpoint, with baselines, calibration, latency and example proofs."""
    from nsmodels.systems.visual.evaluate import make_evaluation

    (model_key, model), (data_key, data) = order.inputs.items()
    where = (model, data, order.folder, order.key, model_key, data_key)
    return make_evaluation(*where, order.config.split, order.config.device, order.force)


def model(dataset: str) -> dg.AssetsDefinition:
    """The model asset of a dataset."""

    @dg.asset(
        name=f"{dataset}_model",
        deps=[dataset],
        tags=TAGS,
        code_version=CODE_VERSION,
        config_schema=MODEL.schema,
        description=f"Perception and question parser trained on `{dataset}`; answers with proofs.",
        **policy.model(),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, MODEL, CODE_VERSION, (dataset,), train, first_look)

    return cast(dg.AssetsDefinition, asset)


def evaluation(dataset: str) -> dg.AssetsDefinition:
    """The evaluation asset of a dataset's model."""
    inputs = (f"{dataset}_model", dataset)

    @dg.asset(
        name=f"{dataset}_evaluation",
        deps=inputs,
        tags=TAGS,
        code_version=CODE_VERSION,
        config_schema=EVALUATION.schema,
        description=f"`{dataset}_model` on held-out `{dataset}`: four rows, priors beside them, calibration, latency.",
        **policy.evaluation(),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, EVALUATION, CODE_VERSION, inputs, evaluate)

    return cast(dg.AssetsDefinition, asset)


models = [model(dataset) for dataset in DATASETS]
evaluations = [evaluation(dataset) for dataset in DATASETS]
