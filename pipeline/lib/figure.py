"""Assets that are figures: one input, one function of the library that draws it, no configuration."""

import importlib
from typing import cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from pipeline.lib import policy, step
from pipeline.lib.launchpad import Launchpad

PAD = Launchpad({"default": Config}, default="default")


def asset(name: str, made_from: str, module: str, code_version: str, description: str) -> dg.AssetsDefinition:
    """The figure `name`, drawn from the asset `made_from` by the function of that name in `module`."""

    def draw(order: step.Order[Config]) -> Manifest:
        function = getattr(importlib.import_module(module), name)  # not before: it may import torch
        return function(order.inputs[made_from], order.folder, made_from)

    @dg.asset(
        name=name,
        deps=[made_from],
        description=description,
        code_version=code_version,
        config_schema=PAD.schema,
        **policy.figure(),
    )
    def drawn(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, PAD, code_version, (made_from,), draw)

    return cast(dg.AssetsDefinition, drawn)
