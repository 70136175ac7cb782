"""The figures, as PDF for the paper and PNG for the screen; each names its data source."""

from pathlib import Path

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.systems.visual.figures import CODE_VERSION
from pipeline.lib import policy, step
from pipeline.lib.launchpad import Launchpad

FIGURE = Launchpad({"default": Config}, default="default")


def draw(order: step.Order[Config]) -> Manifest:
    """Draw the figure of that name from its one input."""
    from nsmodels.systems.visual import figures

    (key, made_from), function = next(iter(order.inputs.items())), getattr(figures, order.key)
    return function(made_from, order.folder, key)


def files(folder: Path) -> dict[str, dg.MetadataValue]:
    """Where the PDFs are."""
    return {path.name: dg.MetadataValue.path(str(path)) for path in sorted(folder.glob("*.pdf"))}


@dg.asset(**policy.figure(), deps=["clevr_mini_model"], code_version=CODE_VERSION, config_schema=FIGURE.schema)
def training_curves(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Losses of perception and parser by epoch."""
    return step.materialise(context, FIGURE, CODE_VERSION, ("clevr_mini_model",), draw)


@dg.asset(**policy.figure(), deps=["clevr_mini_evaluation"], code_version=CODE_VERSION, config_schema=FIGURE.schema)
def reasoning_depth(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """How deep the questions are, by the longest path of their programs, and how accuracy depends on it."""
    return step.materialise(context, FIGURE, CODE_VERSION, ("clevr_mini_evaluation",), draw)
