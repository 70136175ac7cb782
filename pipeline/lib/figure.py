"""Factory of figure assets: inputs, one function of the library that draws the figure, no configuration."""

import importlib
from collections.abc import Iterator
from typing import cast

import dagster as dg

from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config
from nsmodels.core.orders import Order
from pipeline.lib import policy, step
from pipeline.lib.display import references
from pipeline.lib.launchpad import Launchpad

PAD = Launchpad({"default": Config}, default="default")


def asset(
    name: str, made_from: str, module: str, code_version: str, description: str, function: str = ""
) -> dg.AssetsDefinition:
    """The figure `name`, drawn from the assets `made_from` ("model, data") by a function in `module`.

    `function`: its name; empty: that of the figure. Its arguments are the folders of these assets, the folder of the
    figure, and the keys of the assets.
    """
    keys = tuple(key.strip() for key in made_from.split(","))

    def draw(order: Order[Config]) -> Manifest:
        drawing = getattr(importlib.import_module(module), function or name)  # here: it may import torch
        return drawing(*(order.inputs[key] for key in keys), order.folder, *keys)

    @dg.asset(
        name=name,
        deps=keys,
        description=description,
        code_version=PAD.version(code_version),
        config_schema=PAD.schema,
        tags={"system": module.split(".")[2]},
        metadata=references.to_module(module),
        output_required=False,
        **policy.figure(),
    )
    def drawn(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        if not step.is_left_out(context, keys):
            yield step.materialise(context, PAD, code_version, keys, draw)

    return cast(dg.AssetsDefinition, drawn)
