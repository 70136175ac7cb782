"""What a search varies in each phase: rate, batch, temperature, width of the latents, layers. Torch-free.

Losses depend on temperature and batch, so that trials are compared by what means the same for all of them.
"""

from nsmodels.core.config.spaces import Space

# Ranges of the source document; its rates end at 1e-3, and a few epochs on CPU cores take twice that.
TRAINING = {"training.lr": "1e-5...3e-3:log", "training.batch_size": "32,64,128,256"}
TEMPERATURE = {"objective.temperature": "0.1...1.0:log"}
WIDTHS = {"model.hidden_dim": "128,256,512", "model.num_layers": "1...4"}
SEPARATION = "val/cluster_separation"
SPACES = {
    "vision": Space("vision", SEPARATION, "max", {**TRAINING, **TEMPERATURE, "model.latent_dim": "128,256,512"}),
    "audio": Space("audio", SEPARATION, "max", {**TRAINING, **TEMPERATURE, "model.num_blocks": "1,2"}),
    "fusion": Space(
        "fusion",
        "val/prediction",
        "min",
        {**TRAINING, **TEMPERATURE, "model.num_layers": "1...8", "model.temporal_layers": "1...8"},
    ),
    "dynamics": Space("dynamics", "val/state_mse", "min", {**TRAINING, **WIDTHS}),
    "full": Space("full", "val/property_correlation", "max", {**TRAINING, **WIDTHS}),
}
