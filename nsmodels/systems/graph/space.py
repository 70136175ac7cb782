"""What a search varies in the training of the reasoner: the source document's learning rates and cycle weights.

The weight acts where the network has two levels. Torch-free.
"""

from nsmodels.core.config.spaces import Space
from nsmodels.systems.graph.config import REASONER

LRS = "3e-3,1e-3,1e-4,5e-5"  # the first one is not in the document
CYCLE_WEIGHTS = "0.01,0.05,0.1"
METRIC = "val/paired_accuracy"
FIELDS = {
    "training.lr": LRS,
    "objective.cycle_weight": CYCLE_WEIGHTS,
    "training.weight_decay": "0.0,0.01,0.05",
    "model.dim": "32,48,64,96",
}
SPACES = {"": Space(REASONER, METRIC, "max", FIELDS)}
# The network of the source document, which is a baseline here.
SOURCE = Space("source", METRIC, "max", {"baseline_training.lr": LRS, "baselines.cycle_weight": CYCLE_WEIGHTS})
