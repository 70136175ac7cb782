"""What a search varies in the training of ComplEx, from which the hybrid starts. Torch-free."""

from nsmodels.core.config.spaces import Space
from nsmodels.systems.links.config import COMPLEX

FIELDS = {
    "training.lr": "1e-3...1e-1:log",
    "complex.dim": "32,64,128,256",
    "complex.regularisation": "1e-3...1e-1:log",
}
SPACES = {"": Space(COMPLEX, "val/mrr", "max", FIELDS)}
