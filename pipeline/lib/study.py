"""Factory of study assets: many trainings for one report, in the pool of the models."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import Order
from nsmodels.engine import machine
from pipeline.lib import policy, step
from pipeline.lib.display import references
from pipeline.lib.launchpad import Launchpad


def asset(
    name: str,
    inputs: Mapping[str, str],
    function: str,
    presets: Mapping[str, Callable[[], Any]],
    code_version: str,
    description: str,
) -> dg.AssetsDefinition:
    """The study `name`; its preset is chosen by the machine.

    Args:
        name: key of the asset.
        inputs: role of each input, by key.
        function: of the library, "package.module:name"; it takes an `Order` and returns the manifest.
        presets: of its configuration.
        code_version: of the library that makes it.
        description: for its page.
    """
    module, _, called = function.partition(":")
    pad: Launchpad[Any] = Launchpad(presets, default="base", automatic=machine.fitting_preset)

    def run(order: Order[Any]) -> Manifest:
        return getattr(importlib.import_module(module), called)(order)  # here: it imports torch

    @dg.asset(
        name=name,
        deps=list(inputs),
        description=description,
        code_version=pad.version(code_version),
        config_schema=pad.schema,
        tags={"system": module.split(".")[2]},
        metadata=references.to_module(module),
        **policy.study(),
    )
    def study(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, pad, code_version, inputs, run, roles=inputs, phases=("trials",))

    return cast(dg.AssetsDefinition, study)
