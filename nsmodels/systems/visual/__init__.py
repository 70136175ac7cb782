"""The neuro-symbolic visual reasoner: scenes read from images, questions answered by programs with proofs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PHASES = ("perception", "parser", "baseline")  # the networks of a checkpoint, a folder each, in the order of training
DATA = ("clevr", "clevr_mini")  # the dataset and the asset key that it is usually trained on


def load(folder: Path, device: str = "auto") -> Any:
    """The `VisualReasoner` of a checkpoint folder."""
    from nsmodels.systems.visual.model import VisualReasoner

    return VisualReasoner.load(folder, device)


def load_network(path: Path, device: str = "auto") -> Any:
    """The network in one checkpoint file: `Perception`, `Parser` or the baseline `CnnLstm`."""
    from nsmodels.engine import checkpoint
    from nsmodels.engine.runtime import resolve_device
    from nsmodels.systems.visual.baselines.cnn_lstm import CnnLstm
    from nsmodels.systems.visual.language.parser import Parser
    from nsmodels.systems.visual.perception.network import Perception

    kinds: dict[str, Any] = dict(zip(PHASES, (Perception, Parser, CnnLstm), strict=True))
    network = kinds[path.parent.name].from_checkpoint(checkpoint.load(path), str(path))
    return network.to(resolve_device(device)).eval()
