"""Selections of assets that are often run together."""

import dagster as dg

demo = dg.define_asset_job(
    "demo",
    selection=dg.AssetSelection.assets("clevr_mini_model").downstream() | dg.AssetSelection.assets("clevr_mini"),
    config={"ops": {key: {"config": {"preset": "quick"}} for key in ("clevr_mini", "clevr_mini_model")}},
    description="In minutes on two CPU cores: 3,000 synthetic images, the model, its evaluation and the figures.",
)
retrain = dg.define_asset_job(
    "retrain_clevr_mini",
    selection=dg.AssetSelection.assets("clevr_mini_model", "clevr_mini_evaluation"),
    description="Train the visual reasoner again when its data, code or configuration changed, and evaluate it.",
)
JOBS = [demo, retrain]
