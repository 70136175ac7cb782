"""What a search varies in the training of perception on natural images. Torch-free."""

from nsmodels.core.config.spaces import Space

FIELDS = {
    "training.lr": "3e-4...1e-2:log",
    "training.weight_decay": "0.01,0.05,0.1",
    "perception.dropout": "0.0,0.1,0.2",
    "perception.relation_dropout": "0.0,0.15,0.3",
}
SPACES = {"": Space("perception", "val/names", "max", FIELDS)}
