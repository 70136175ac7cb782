"""Selections of assets that are often run together."""

from collections.abc import Iterable

import dagster as dg

from pipeline.assets.systems import trainings
from pipeline.internals import BaseAssetGraph
from pipeline.lib.training import Training

PAPER = dg.AssetSelection.groups("paper")  # made by a command of its own
# What joins the results of studies is made with them: on its own it would have nothing to join.
FROM_STUDIES = (dg.AssetSelection.groups("studies") & dg.AssetSelection.kind("pytorch")).downstream()
demo = dg.define_asset_job(
    "demo",
    selection=(dg.AssetSelection.assets("clevr_mini_model").downstream() - PAPER - FROM_STUDIES)
    | dg.AssetSelection.assets("clevr_mini"),
    config={"ops": {key: {"config": {"preset": "quick"}} for key in ("clevr_mini", "clevr_mini_model")}},
    description="In minutes on two CPU cores: 3,000 synthetic images, the model, its evaluation and the figures.",
)


def made_from(*those: Training) -> dg.AssetSelection:
    """The models of trainings and all that is made from them, except studies and what joins them, and the paper."""
    studies = dg.AssetSelection.groups("replicates", "trials") & dg.AssetSelection.kind("pytorch")
    return dg.AssetSelection.assets(*(each.model_key for each in those)).downstream() - studies - FROM_STUDIES - PAPER


def reach(graph: BaseAssetGraph, those: Iterable[Training], without: Iterable[Training] = ()) -> set[dg.AssetKey]:
    """Keys of the models of `those` and of all that is built from them, except what only `without` leads to."""
    roots = list(those)
    allowed = made_from(*roots).resolve(graph)
    closed = {dg.AssetKey(each.model_key) for each in without}
    pending, found = [dg.AssetKey(each.model_key) for each in roots], set()
    while pending:
        key = pending.pop()
        if key in allowed and key not in closed and key not in found:
            found.add(key)
            pending += graph.get(key).child_keys
    return found


retrain = dg.define_asset_job(
    "retrain",
    selection=made_from(*trainings()),
    description="Every model, its evaluation and figures. Schedules and sensors take their part of it, each model with "
    "the configuration that it has; what did not change is reused in seconds.",
)
JOBS = [demo, retrain]
