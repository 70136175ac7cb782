"""Assets of generated datasets: one factory over the modules `config`, `prepare` and `checks` of a dataset."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import dagster as dg

from nsmodels.core import discover
from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.config import Config
from nsmodels.core.orders import Inputs, Order
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import results
from pipeline.lib.launchpad import Launchpad


def generated(
    name: str,
    about: str,
    verdicts: Mapping[str, str],
    warnings: tuple[str, ...] = (),
    show: Callable[[Path], results.Metadata] = results.pages,
    wanted: Callable[[Any], Mapping[str, Any]] = Config.relevant,
    kinds: frozenset[str] = frozenset({"numpy"}),
) -> tuple[dg.AssetsDefinition, list[dg.AssetChecksDefinition]]:
    """The asset of a generated dataset, built on demand by the steps that need it, and its checks.

    Args:
        name: of the dataset, and key of the asset.
        about: description of the asset.
        verdicts: description of each function in the dataset's `checks`, by name.
        warnings: those of them whose failure does not block what follows.
        show: metadata to look at, from the sealed folder.
        wanted: the configuration as the manifest records it.
        kinds: shown in the UI.
    """
    config = discover.module("datasets", name, "config")
    pad: Launchpad[Any] = Launchpad(
        config.PRESETS, "quick" if "quick" in config.PRESETS else next(iter(config.PRESETS))
    )
    sizes = list(config.PRESETS)

    def build(order: Order[Any]) -> Manifest:
        prepare = discover.module("datasets", name, "prepare").prepare
        return prepare(order.config, order.key, order.folder, is_forced=order.force)

    def is_too_small(manifest: Manifest, preset: str) -> bool:
        smaller = sizes[: sizes.index(preset)] if preset in sizes else []
        return any(manifest.config == wanted(config.PRESETS[each]()) for each in smaller)

    @store.on_demand(name, is_too_small)
    def make(preset: str | None) -> Manifest:
        chosen = config.PRESETS[preset if preset in sizes else pad.default]()
        return build(Order(name, chosen, Inputs({}), folder_of(name)))

    @dg.asset(
        name=name,
        description=about,
        tags={"dataset": name},
        code_version=pad.version(config.CODE_VERSION),
        config_schema=pad.schema,
        **policy.generated(kinds=set(kinds)),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, pad, config.CODE_VERSION, (), build, show, wanted=wanted)

    judges = [
        checks.check(name, check, text, checks.of_dataset(name, check), check in warnings, check not in warnings)
        for check, text in verdicts.items()
    ]
    return cast(dg.AssetsDefinition, asset), judges
