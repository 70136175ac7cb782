"""Selections of assets that are often run together."""

import dagster as dg

from pipeline.assets.systems import trainings
from pipeline.lib.training import Training

demo = dg.define_asset_job(
    "demo",
    selection=dg.AssetSelection.assets("clevr_mini_model").downstream() | dg.AssetSelection.assets("clevr_mini"),
    config={"ops": {key: {"config": {"preset": "quick"}} for key in ("clevr_mini", "clevr_mini_model")}},
    description="In minutes on two CPU cores: 3,000 synthetic images, the model, its evaluation and the figures.",
)


def made_from(*those: Training) -> dg.AssetSelection:
    """The models of trainings and all that is made from them, except studies that train anew."""
    studies = dg.AssetSelection.groups("studies", "replicates", "trials") & dg.AssetSelection.kind("pytorch")
    return dg.AssetSelection.assets(*(each.model_key for each in those)).downstream() - studies


retrain = dg.define_asset_job(
    "retrain",
    selection=made_from(*trainings()),
    description="Every model, its evaluation and figures. Schedules and sensors take their part of it, each model with "
    "the configuration that it has; what did not change is reused in seconds.",
)
JOBS = [demo, retrain]
