"""The neuro-symbolic visual reasoner: a model and its evaluation per dataset."""

from typing import cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.systems.visual.config import CODE_VERSION, PRESETS, VisualConfig
from pipeline.lib import hardware, policy, step
from pipeline.lib.launchpad import Launchpad

MODEL = Launchpad(PRESETS, default="base", automatic=hardware.fitting_preset)
TAGS = {"system": "visual"}


def train(order: step.Order[VisualConfig]) -> Manifest:
    """Train perception, then the parser, and seal both as one checkpoint."""
    from nsmodels.systems.visual.train import train

    (data_key, data), trackers = next(iter(order.inputs.items())), order.trackers("perception", "parser")
    return train(order.config, data, order.folder, order.key, data_key, trackers, is_forced=order.force)


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
        return step.materialise(context, MODEL, CODE_VERSION, (dataset,), train)

    return cast(dg.AssetsDefinition, asset)


clevr_mini_model = model("clevr_mini")
clevr_model = model("clevr")
