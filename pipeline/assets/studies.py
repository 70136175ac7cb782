"""Studies over all systems: every training with several seeds."""

from pipeline.lib.replicates import replicates
from pipeline.lib.training import trainings

REPLICATES = replicates(trainings())
assets = [each.asset() for each in REPLICATES]
