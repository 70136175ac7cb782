"""The dots as a sealed folder: `train.npz` and `val.npz` with `points` (n, 2) in [-1, 1] and `labels` (n,) 0 or 1."""

from pathlib import Path

import numpy as np

from nsmodels.core import artifact
from nsmodels.datasets.dots.config import CODE_VERSION, DotsConfig


def oracle(points: np.ndarray) -> np.ndarray:
    """True labels (n,) of points (n, 2): 1 where both coordinates have one sign."""
    return (points[:, 0] * points[:, 1] > 0).astype(int)


def prepare(config: DotsConfig, key: str, folder: Path, is_forced: bool = False) -> artifact.Manifest:
    """Generate the dots into `folder`, or keep equal ones."""

    def fill(part: artifact.Part) -> None:
        rng = np.random.default_rng(config.seed)
        for split, num in (("train", config.num_train), ("val", config.num_val)):
            points = rng.uniform(-1, 1, (num, 2)).astype(np.float32)
            labels = oracle(points) ^ (rng.random(num) < config.noise)
            np.savez(part.path / f"{split}.npz", points=points, labels=labels)

    recipe = {
        "config": config.relevant(),
        "code_version": CODE_VERSION,
        "seed": config.seed,
        "source": "synthetic dots",
    }
    return artifact.made(folder, is_forced, fill, key=key, maker="nsmodels.datasets.dots", **recipe)
