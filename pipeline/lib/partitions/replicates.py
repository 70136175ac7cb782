"""A training repeated with other seeds: the seed is the partition, the rest of the configuration the model's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.lib import policy
from pipeline.lib.launchpad import Chosen
from pipeline.lib.partitions.keys import SEEDS
from pipeline.lib.partitions.partitioned import Given, Partitioned
from pipeline.lib.training import Training

SEED = "training.seed"
ABOUT = """{keys} once more for each seed, the partition. `replication_report` shows mean and interval over them.

*Materialize* opens a dialog: choose the seeds, then what differs from the preset of the machine, under *Config* as
`ops: {{{key}: {{config: {{preset: quick, training: {{epochs: 5}}}}}}}}` or under *Tags*, which hold for every asset and
take precedence: `nsmodels/preset` = `quick`, `nsmodels/config` = `{{"training.epochs": 5}}`.
In Python: `nsmodels.load("{key}", "0")` is the model of seed 0."""


def replicates(trainings: list[Training[Any, Any]]) -> list[Partitioned]:
    """One per training, named after it."""
    return [_partitioned(f"{training.name}_replicates", training) for training in trainings]


def _partitioned(key: str, training: Training[Any, Any]) -> Partitioned:
    refusal = f"the seed is the partition; leave the field out, or give it to {training.model_key}"
    pad = replace(training.model, refused={SEED: refusal})

    def choose(partition: str, given: Given) -> Chosen[Any]:
        chosen = pad.resolve(given)
        return replace(chosen, config=chosen.config.with_values({SEED: int(partition)}))

    return Partitioned(
        key=key,
        training=training,
        partitions=SEEDS,
        choose=choose,
        pad=pad,
        policy=policy.replicates(),
        description=ABOUT.format(keys=training.keys, key=key),
    )
