"""The tiny recursive navigator: one network that plans on grid maps by thinking in steps, taught by exact search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PHASES = ("navigator", "mlp", "cnn")  # the networks of a checkpoint, a folder each, in the order of their training
DATA = ("mazes", "mazes")  # the dataset and the asset key that it is usually trained on


def load(folder: Path, device: str = "auto") -> Any:
    """The `Navigator` of a checkpoint folder."""
    from nsmodels.systems.nav.network.navigator import Navigator

    return Navigator.load(folder, device)


def load_network(path: Path, device: str = "auto") -> Any:
    """The network in one checkpoint file: the `Navigator`, or the plain `Mlp` or `Cnn` trained beside it."""
    from nsmodels.engine import checkpoint
    from nsmodels.engine.runtime import resolve_device
    from nsmodels.systems.nav.network.navigator import Navigator
    from nsmodels.systems.nav.training.plain import from_checkpoint

    kind = Navigator.from_checkpoint if path.parent.name == PHASES[0] else from_checkpoint
    return kind(checkpoint.load(path), str(path)).to(resolve_device(device))
