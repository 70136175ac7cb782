"""What a search varies in the training of perception: the source document's rates, and two more fields. Torch-free."""

from nsmodels.core.config.spaces import Space

FIELDS = {
    "training.lr": "1e-3,5e-4,1e-4",
    "training.weight_decay": "0.01,0.05",
    "perception.augment": "0.5,1.0,1.5",
}
SPACES = {"": Space("perception", "val/loss", "min", FIELDS)}
