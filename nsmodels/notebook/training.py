"""Data, networks, training that can be interrupted and resumed, and its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsmodels import checkpoint_table
from nsmodels.core import artifact, discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Inputs, Order
from nsmodels.notebook.choice import Choice
from nsmodels.notebook.live import LiveCurves

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn


def prepare(choice: Choice) -> Manifest:
    """Data of a choice: reused if present, else built with the dataset's preset of the same name (or `quick`).

    Raises `InputError` when the data do not exist and are not the system's usual ones.
    """
    folder = choice.data
    try:
        manifest = artifact.read_manifest(folder, choice.data_key)
    except InputError:
        dataset, key = choice.trained.datasets[0], choice.trained.data_key
        if choice.data_key != key:
            raise
        presets = discover.module("datasets", dataset, "config").PRESETS
        config = presets.get(choice.preset, presets["quick"])()
        manifest = discover.module("datasets", dataset, "prepare").prepare(config, key, folder)
    print(f"{folder}: {manifest.source}, made {manifest.created}, fingerprint {manifest.fingerprint}")
    return manifest


def train(choice: Choice, is_forced: bool = False) -> Manifest | None:
    """Train with live curves, resuming a stopped training; an equal model is reused.

    An interrupt of the kernel ends the current step with a checkpoint and returns None: call again to resume.
    """
    inputs, trackers = Inputs.of({choice.data_key: choice.data}), (LiveCurves(choice.unfinished),)
    order = Order(choice.model_key, choice.config, inputs, choice.model, is_forced, trackers)
    try:
        manifest = choice.trained.train(order)
    except Interrupted as error:
        print(f"{error}; here: run this cell again")
        return None
    except KeyboardInterrupt:
        print("stopped between two trainings; run this cell again to resume")
        return None
    print(f"{choice.model}: sealed {manifest.created}, fingerprint {manifest.fingerprint}, data {manifest.source}")
    return manifest


def networks(choice: Choice) -> pd.DataFrame:
    """Table of the layers of the networks that a choice trains; nothing is trained."""
    import pandas as pd

    from nsmodels.engine import runtime

    tables = []
    for phase in choice.trained.phases:
        trial = choice.trained.make_trial(phase, choice.config, Inputs.of({choice.data_key: choice.data}))
        runtime.seed_everything(trial.training.seed)
        table = layers(trial.task.build())
        table.insert(0, "network", phase)
        print(f"{phase}: {table['parameters'].sum():,} parameters")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def layers(network: nn.Module) -> pd.DataFrame:
    """Table of the modules of a network that have parameters of their own, with number and shapes."""
    import pandas as pd

    rows = []
    for name, module in network.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if own:
            shapes = ", ".join(f"{key} {tuple(value.shape)}" for key, value in own.items())
            count = sum(value.numel() for value in own.values())
            rows.append({"layer": name, "kind": type(module).__name__, "parameters": count, "shapes": shapes})
    return pd.DataFrame(rows)


def checkpoints(choice: Choice) -> pd.DataFrame:
    """Table of the checkpoints of a finished or stopped training, with their metrics.

    `nsmodels.load(choice.model_key, checkpoint=name)` loads one. Raises `InputError` when there is no checkpoint yet.
    """
    import pandas as pd

    found = checkpoint_table.rows(choice.model_key)
    return pd.DataFrame(found).reindex(columns=list(checkpoint_table.columns_of(found)))
