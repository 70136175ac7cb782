"""What must hold of the dots: each function lists the problems of a folder, one line each."""

from pathlib import Path

import numpy as np

from nsmodels.datasets.dots.prepare import oracle


def labels_follow_the_oracle(folder: Path) -> list[str]:
    """Splits in which more than half of the labels differ from the oracle."""
    data = {path.name: np.load(path) for path in sorted(folder.glob("*.npz"))}
    shares = {name: (oracle(arrays["points"]) != arrays["labels"]).mean() for name, arrays in data.items()}
    return [f"{name}: {share:.0%} of the labels are wrong" for name, share in shares.items() if share > 0.5]
