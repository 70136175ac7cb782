"""The toy: two trainings that form a chain, the second one scored."""

from nsmodels.systems.toy import SYSTEM
from pipeline.lib.training import Training

ENCODER = Training("toy_encoder", SYSTEM, ("dots",), "An encoder of `dots`.", stage="encoder")
TOY = Training("toy", SYSTEM, ("dots",), "A classifier on it.", "Its scores on held-out `dots`.", starts_from=ENCODER)
TRAININGS = [ENCODER, TOY]
assets = [asset for each in TRAININGS for asset in each.assets()]
training_checks = [check for each in TRAININGS for check in each.checks()]
