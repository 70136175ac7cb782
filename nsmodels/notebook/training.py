"""Data, networks, training that can be interrupted and resumed, and its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsmodels.commands import checkpoint_table
from nsmodels.core import artifact, discover
from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Order
from nsmodels.notebook import live
from nsmodels.notebook.choice import Choice
from nsmodels.notebook.live import LiveCurves

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from torch import nn

    from nsmodels.engine.trial import Trial


def prepare(choice: Choice) -> Manifest:
    """Data of a choice: reused if present, else built with the dataset's preset of the same name (or `quick`).

    Raises `InputError` when the data do not exist and are not the system's usual ones.
    """
    folder = choice.data
    try:
        manifest = artifact.read_manifest(folder, choice.data_key)
    except InputError:
        usual = {choice.trained.data_key: choice.trained.datasets[0]}
        usual |= {each.data_key: each.data_key for each in choice.trained.domains.values()}
        if (key := choice.data_key) not in usual:
            raise
        dataset = usual[key]
        presets = discover.module("datasets", dataset, "config").PRESETS
        config = presets.get(choice.preset, presets["quick"])()
        manifest = discover.module("datasets", dataset, "prepare").prepare(config, key, folder)
    print(f"{folder}: {manifest.source}, made {manifest.created}, fingerprint {manifest.fingerprint}")
    return manifest


def train(choice: Choice, is_forced: bool = False) -> Manifest | None:
    """Train with live curves, resuming a stopped training; an equal model is reused. Of a chain, each stage in turn.

    An interrupt of the kernel ends the current step with a checkpoint and returns None: call again to resume.
    """
    if choice.parent is not None and train(choice.parent, is_forced) is None:
        return None
    trackers = (LiveCurves(choice.unfinished),)
    order = Order(choice.model_key, choice.config, choice.inputs, choice.model, is_forced, trackers)
    try:
        manifest = choice.trained.train(order, choice.stage or None)
    except Interrupted as error:
        print(f"{error}; here: run this cell again")
        return None
    except KeyboardInterrupt:
        print("stopped between two trainings; run this cell again to resume")
        return None
    print(f"{choice.model}: sealed {manifest.created}, fingerprint {manifest.fingerprint}, data {manifest.source}")
    return manifest


def networks(choice: Choice) -> pd.DataFrame:
    """Table of the layers of the networks that a choice trains; nothing is trained.

    Of a chain, those of the first stage, and of each whose parent is trained: it takes its dimensions from there.
    """
    import pandas as pd

    from nsmodels.engine import runtime

    tables, system = [], choice.trained
    ready = [each for each in choice.chain if each.parent is None or (each.parent.model / MANIFEST).is_file()]
    found = [(each, p) for each in ready for p in system.enabled(system.stage(each.stage or None), each.config)]
    for each, phase in found:
        trial = system.make_trial(phase, each.config, each.inputs)
        runtime.seed_everything(trial.training.seed)
        table = layers(trial.task.build())
        table.insert(0, "network", phase)
        print(f"{phase}: {table['parameters'].sum():,} parameters")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def gradients(choice: Choice, num_batches: int = 4, phase: str = "") -> pd.DataFrame:
    """Flow of gradients: their norm in each module, at the start and in the best checkpoint where there is one.

    Mean over the first training batches; also drawn. A module whose gradients vanish does not learn, one whose
    gradients explode keeps the others from it. `phase`: the network; default: the first.
    """
    import pandas as pd

    from nsmodels.engine import checkpoint, runtime

    name = phase or choice.phases[0]
    trial = choice.trained.make_trial(name, choice.config, choice.inputs)
    runtime.seed_everything(trial.training.seed)
    network = trial.task.build()
    found = {"start": _gradient_norms(trial, network, num_batches)}
    if (best := choice.model / name / checkpoint.BEST).is_file():
        checkpoint.load_weights(network, best)
        found["best"] = _gradient_norms(trial, network, num_batches)
    table = pd.DataFrame(found).rename_axis("module").reset_index()
    live.show(_flow(table, name))
    return table


def _gradient_norms(trial: Trial, network: nn.Module, num_batches: int) -> dict[str, float]:
    """Mean norm of the gradient of each module that has parameters of its own."""
    from itertools import islice

    from nsmodels.engine import batching, runtime
    from nsmodels.engine.task import Shard

    device = runtime.resolve_device(trial.training.device)
    network.to(device).train()
    sums: dict[str, float] = {}
    batches = list(islice(trial.task.batches("train", 0, Shard()), num_batches))
    for batch in batches:
        network.zero_grad(set_to_none=True)
        trial.task.loss(network, batching.to_device(batch, device))[0].backward()
        for name, module in network.named_modules():
            own = [p.grad.float().square().sum() for p in module.parameters(recurse=False) if p.grad is not None]
            if own:
                sums[name] = sums.get(name, 0.0) + float(sum(own)) ** 0.5 / len(batches)
    return sums


def _flow(table: pd.DataFrame, name: str) -> Figure:
    from nsmodels.evaluation import plots

    figure, (axis,) = plots.make_figure(width=5.5, height=1.2 + 0.22 * len(table))
    shown = [column for column in table.columns if column != "module"]
    for number, column in enumerate(shown):
        places = [place + 0.4 * number for place in range(len(table))]
        axis.barh(places, table[column].clip(lower=1e-9), 0.38, color=plots.COLOURS[number], label=column)
    axis.set_yticks(range(len(table)), list(table["module"]), fontsize=7)
    axis.set(xscale="log", xlabel="norm of the gradient", title=name)
    axis.invert_yaxis()
    axis.legend(frameon=False, fontsize=8)
    return figure


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
