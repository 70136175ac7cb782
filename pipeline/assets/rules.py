"""Rules: planted over scene graphs, and learnt again."""

from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import Order
from nsmodels.scenery.rule_learning.config import CODE_VERSION, PRESETS, RuleStudyConfig
from pipeline.lib import policy, step
from pipeline.lib.display import references
from pipeline.lib.launchpad import Launchpad

MODULE = "nsmodels.scenery.rule_learning.study"
PAD: Launchpad[Any] = Launchpad(PRESETS, default="quick")


def run(order: Order[RuleStudyConfig]) -> Manifest:
    """Run the study on the scenes of an order, with the facts that a model perceives where one is named."""
    from nsmodels.commands.perceiving import study_rules

    return study_rules(order)


@dg.asset(
    **policy.report(),
    deps=["gqa_mini"],
    code_version=PAD.version(CODE_VERSION),
    config_schema=PAD.schema,
    metadata=references.to_module(MODULE),
)
def rule_learning(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Rules planted over scene graphs and learnt again, by number of scenes and by share of wrong facts.

    Precision and recall on held-out scenes, of the rules themselves and of their labels; with `model`, the name of a
    model of natural images, also from the facts that it perceives. Then questions that only rules answer.
    """
    return step.materialise(context, PAD, CODE_VERSION, ("gqa_mini",), run)
