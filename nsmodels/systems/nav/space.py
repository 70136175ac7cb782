"""What a search varies in the training of the navigator: the source document's ranges, and higher rates. Torch-free."""

from nsmodels.core.config.spaces import Space
from nsmodels.systems.nav.config import NAVIGATOR

# The document lists rates of 1e-3, 5e-4 and 1e-4 for latents; a core that counts costs learns fastest near 3e-2.
FIELDS = {
    "training.lr": "1e-4...1e-1:log",
    "training.weight_decay": "0.01,0.02,0.05",
    "model.dim": "32,64,128,256",
    "model.depth": "2,3,4",
    "model.dropout": "0.1,0.15,0.2,0.25",
}
METRIC = "val/accuracy"
# The core that counts costs chooses the best action from its first epoch on: only its loss tells trials apart.
SPACES = {"": Space(NAVIGATOR, METRIC, "max", FIELDS, instead={"model.core": ("value", "val/loss", "min")})}
# Of the grid alone, as the document lists it.
GRID = {"model.dim": "64,128,256", "model.depth": "2,3,4", "model.dropout": "0.1,0.15,0.2"}
