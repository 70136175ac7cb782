"""Neuro-symbolic models: data, training, evaluation; usable without Dagster.

model = nsmodels.load("clevr_mini_model")
scores = nsmodels.report("clevr_mini_evaluation")
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nsmodels.core import hardware

__all__ = ["__version__", "checkpoints", "load", "report"]

__version__: str

# Here, as every process that trains imports this package first, whatever started it; torch is loaded later.
hardware.is_waiting_chosen = hardware.wait_passively(os.environ)


def __getattr__(name: str) -> str:
    """`__version__`, read from the installed package when it is asked for: reading it takes 10 ms."""
    if name == "__version__":
        from importlib.metadata import version

        return version("nsmodels")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load(name: str | Path, partition: str | None = None, device: str = "auto", checkpoint: str | None = None) -> Any:
    """A trained model, ready to be asked, rebuilt from its checkpoint alone.

    Args:
        name: an asset key ("clevr_mini_model"), one with its partition ("nav_replicates/3/model"), a checkpoint
            folder, or one checkpoint file in it ("nav_model/navigator/epoch_0005.pt"), which gives that network.
            Names are looked up below the data root first, then as paths.
        partition: of a partitioned asset, instead of writing it into the name.
        device: auto, cpu, cuda or cuda:N.
        checkpoint: one of the model's checkpoints by its name in `checkpoints`, "navigator/epoch_0005".

    Returns:
        The system's own object: `VisualReasoner`, `Navigator`, `Reasoner`; for a file the `torch.nn.Module` of that
        network; for `checkpoint` what the system makes of one network, a `Reasoner`, else the module.

    Raises:
        nsmodels.core.errors.InputError: nothing of that name, not sealed, or no model; the message has the remedy.
    """
    from nsmodels import loading
    from nsmodels.commands import checkpoint_table

    if checkpoint is not None:
        return loading.load_checkpoint(checkpoint_table.path_of(name, checkpoint, partition), device)
    return loading.load(name, partition, device)


def checkpoints(name: str | Path, partition: str | None = None) -> list[dict[str, Any]]:
    """Every checkpoint of a model: best, last and those saved at intervals, of each of its networks.

    Args:
        name: as in `load`; the model of an unfinished training too.
        partition: of a partitioned asset.

    Returns:
        A row for each: `name` ("navigator/epoch_0005", as `load` takes it), `epoch`, `kind`, the metrics of that epoch
        ("train/loss", "val/accuracy", ...), `size`, `made` and `path`.

    Raises:
        nsmodels.core.errors.InputError: nothing of that name, or no checkpoint there.
    """
    from nsmodels.commands import checkpoint_table

    return checkpoint_table.rows(name, partition)


def report(name: str | Path, partition: str | None = None) -> dict[str, Any]:
    """The whole report of an evaluation ("nav_evaluation", or its folder), as it was written.

    Raises:
        nsmodels.core.errors.InputError: nothing of that name, not sealed, or no evaluation.
    """
    from nsmodels import loading

    return loading.report(name, partition)
