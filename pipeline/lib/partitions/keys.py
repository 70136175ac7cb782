"""Partition keys: the seed of a training, the trial of a sweep."""

import dagster as dg

NUM_SEEDS = 10
SEEDS = dg.StaticPartitionsDefinition([str(seed) for seed in range(NUM_SEEDS)])


def trials_of(key: str) -> dg.DynamicPartitionsDefinition:
    """The trials of the asset `key`, which `nsmodels sweep` adds."""
    return dg.DynamicPartitionsDefinition(name=key)
