"""What a search varies in each stage. Torch-free."""

from nsmodels.core.config.spaces import Space

FIELDS = {"training.lr": "1e-4...1e-1:log", "training.weight_decay": "0.0,0.01,0.1"}
SPACES = {
    "encoder": Space("encoder", "val/loss", "min", FIELDS | {"model.dim": "16,32,64"}),
    "classifier": Space("classifier", "val/accuracy", "max", FIELDS),
}
