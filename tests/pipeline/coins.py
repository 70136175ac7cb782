"""Two trainings that cost nothing, with their replicates and trials: definitions for tests, in process or live."""

import os
import signal

import dagster as dg
import numpy as np
from pydantic import Field

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config, runtime_field
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.system import Stage, System
from nsmodels.evaluation.ledger import enter_own
from nsmodels.evaluation.outcomes import Outcomes, write_outcomes
from pipeline.lib import store
from pipeline.lib.partitions.replicates import replicates
from pipeline.lib.partitions.trials import trials
from pipeline.lib.training import Training

UNLUCKY = "unlucky"  # a file in the data root: "3 stops", "3 breaks", "3 gets SIGINT" is what happens to seed 3
DATASETS = ("pennies", "dimes")


class Weight(Config):
    """How the coin is made."""

    dim: int = Field(16, ge=1, le=64, description="width")
    is_fair: bool = Field(True, description="whether")


class CoinConfig(Config):
    """A model with a section of its own, and that of the engine."""

    model: Weight = Weight()
    training: TrainingConfig = TrainingConfig(epochs=1)


class TossConfig(Config):
    """How it is scored."""

    device: str = runtime_field("auto", description="where")


PRESETS = {"debug": lambda: CoinConfig(model=Weight(dim=2)), "base": CoinConfig}


class Coins(System[CoinConfig, TossConfig]):
    """Trains and scores without the loop."""

    name = "coins"
    stages = (Stage(("toss",), PRESETS),)
    datasets = DATASETS
    data_key = DATASETS[0]
    evaluation_presets = {"default": TossConfig}  # noqa: RUF012
    metrics = {"toss": ()}  # noqa: RUF012
    code_version = "1"
    evaluation_version = "1.1"
    make_trial = load = load_network = score = lambda *_: None

    def train(self, order: Order[CoinConfig], stage: str | None = None) -> Manifest:
        """A folder that holds its seed, unless that seed is an unlucky one."""
        seed = order.config.training.seed
        recipe = {"config": order.config.relevant(), "code_version": "1", "inputs": order.inputs, "seed": seed}
        with artifact.build(order.folder, key=order.key, maker="tests.coins", **recipe) as part:
            _fate(seed)
            (part.path / "seed.txt").write_text(str(seed))
            for tracker in order.trackers:
                tracker.epoch({"epoch": 1, "train/loss": 0.5})
                tracker.close()
        return artifact.read_manifest(order.folder)

    def evaluate(self, order: Order[TossConfig]) -> Manifest:
        """As many hits of ten as the last digit of the seed."""
        hits = artifact.read_manifest(order.model).seed % 10
        recipe = {"config": order.config.relevant(), "code_version": "1.1", "inputs": order.inputs}
        with artifact.build(order.folder, key=order.key, maker="tests.coins", source="coins", **recipe) as part:
            items = [str(number) for number in range(10)]
            write_outcomes(part.path, Outcomes("accuracy", "val", items, items, np.arange(10) < hits), order.model)
            (part.path / "table.txt").write_text(f"{hits} of 10\n")
            part.metrics["accuracy"] = hits / 10
        enter_own(order.folder)
        return artifact.read_manifest(order.folder)


def _fate(seed: int) -> None:
    path = artifact.data_root() / UNLUCKY
    fate = path.read_text().partition(" ") if path.exists() else ("", "", "")
    if fate[0] == str(seed):
        if fate[2].startswith("gets "):
            _signalled(fate[2].removeprefix("gets "))
        errors = {"breaks": ZeroDivisionError("no such number"), "stops": InputError("the coin fell on its edge")}
        raise {**errors, "is cancelled": Interrupted("stopped in epoch 1"), "is killed": KeyboardInterrupt()}[fate[2]]


def _signalled(name: str) -> None:
    """SIGINT as it comes between two epochs, taken by Dagster; SIGTERM as within one, by a handler of the loop."""
    if name == "SIGINT":
        os.kill(os.getpid(), signal.SIGINT)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
    raise Interrupted("stopped in epoch 1")


def training(dataset: str, name: str) -> Training[CoinConfig, TossConfig]:
    """Learning from a bag of coins."""
    return Training(name, Coins(), (dataset,), "A coin.", "Its tosses.")


def bag(dataset: str) -> dg.AssetsDefinition:
    """The data, which are made on the spot."""

    @store.on_demand(dataset, lambda manifest, preset: False)
    def make(preset: str | None) -> Manifest:
        with artifact.build(store.folder(dataset), key=dataset, maker="tests", config={}, code_version="1"):
            pass
        return artifact.read_manifest(store.folder(dataset))

    @dg.asset(name=dataset, code_version="1")
    def asset() -> dg.MaterializeResult:
        return dg.MaterializeResult(data_version=dg.DataVersion(make(None).fingerprint))

    return asset


TRAININGS = [training(dataset, dataset) for dataset in DATASETS]
REPLICATES, TRIALS = replicates(TRAININGS), trials(TRAININGS)
BAGS = [bag(dataset) for dataset in DATASETS]
ASSETS = [*BAGS, *(each.asset() for each in REPLICATES + TRIALS)]
defs = dg.Definitions(ASSETS, executor=dg.in_process_executor)
