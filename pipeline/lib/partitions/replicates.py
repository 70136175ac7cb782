"""A training repeated with other seeds: the seed is the partition, the rest of the configuration the model's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nsmodels.core.errors import InputError
from pipeline.lib import policy
from pipeline.lib.launchpad import Chosen
from pipeline.lib.partitions.keys import SEEDS
from pipeline.lib.partitions.partitioned import Given, Repeated, named
from pipeline.lib.training import Training

SEED = "training.seed"


def replicates(trainings: list[Training[Any, Any]]) -> list[Repeated]:
    """One per training, by the name of its data set."""
    return [_repeated(key, training) for key, training in named(trainings, "replicates")]


def _repeated(key: str, training: Training[Any, Any]) -> Repeated:
    def choose(partition: str, given: Given) -> Chosen[Any]:
        chosen = training.model.resolve(given)
        if SEED in chosen.changed:
            raise InputError(
                f"launchpad: field '{SEED}': the seed is the partition; leave the field out, or give it to "
                f"{training.model_key}"
            )
        return replace(chosen, config=chosen.config.with_values({SEED: int(partition)}))

    return Repeated(
        key=key,
        training=training,
        partitions=SEEDS,
        choose=choose,
        pad=training.model,
        policy=policy.replicates(),
        description=f"`{training.model_key}` and `{training.evaluation_key}` once more for each seed, the partition.",
    )
