"""The toy: two trainings that form a chain, the second one scored."""

from nsmodels.systems.toy import SYSTEM

from pipeline.lib import checks
from pipeline.lib.training import Training

ENCODER = Training("toy_encoder", SYSTEM, ("dots",), "An encoder of `dots`.", stage="encoder")
TOY = Training("toy", SYSTEM, ("dots",), "A classifier on it.", "Its scores on held-out `dots`.", starts_from=ENCODER)
TRAININGS = [ENCODER, TOY]
assets = [asset for each in TRAININGS for asset in each.assets()]
toy_checks = [
    checks.check(f"{each.name}_model", "reproduces_its_score", "Loaded anew, it has the validation loss.", judge)
    for each, judge in ((ENCODER, checks.reproduces(SYSTEM, "encoder")), (TOY, checks.reproduces(SYSTEM, "classifier")))
]
