"""Assets of generated datasets: one factory over the modules `config`, `prepare` and `checks` of a dataset."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import dagster as dg

from nsmodels.core import discover
from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.config import Config
from nsmodels.core.orders import Inputs, Order
from pipeline.lib import checks, policy, step, store
from pipeline.lib.display import references, results
from pipeline.lib.launchpad import Launchpad


@dataclass(frozen=True)
class Generated:
    """A generated dataset; a step that misses it builds it.

    Attributes:
        name: of the dataset, and key of the asset.
        about: description of the asset.
        verdicts: description of each function in the dataset's `checks`, by name.
        warnings: those of them whose failure does not block what follows.
        show: metadata to look at, from the sealed folder.
        wanted: the configuration as the manifest records it; returns None where only `prepare` decides.
        kinds: shown in the UI.
    """

    name: str
    about: str
    verdicts: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    show: Callable[[Path], results.Metadata] = results.pages
    wanted: Callable[[Any], Mapping[str, Any] | None] = Config.relevant
    kinds: tuple[str, ...] = ("numpy",)

    @cached_property
    def config(self) -> ModuleType:
        """The dataset's configuration module."""
        return discover.module("datasets", self.name, "config")

    @cached_property
    def pad(self) -> Launchpad[Any]:
        """The launchpad; `quick` is the default where there is such a preset."""
        presets = self.config.PRESETS
        return Launchpad(presets, "quick" if "quick" in presets else next(iter(presets)))

    def build(self, order: Order[Any]) -> Manifest:
        """Generate the data of an order."""
        prepare = discover.module("datasets", self.name, "prepare").prepare
        return prepare(order.config, order.key, order.folder, is_forced=order.force)

    def make(self, preset: str | None) -> Manifest:
        """Generate the data for a step with this preset."""
        presets = self.config.PRESETS
        config = presets[preset if preset in presets else self.pad.default]()
        return self.build(Order(self.name, config, Inputs({}), folder_of(self.name)))

    def is_too_small(self, manifest: Manifest, preset: str) -> bool:
        """Whether the data are those of a smaller preset; data that a person configured are kept."""
        sizes = list(self.config.PRESETS)
        smaller = sizes[: sizes.index(preset)] if preset in sizes else []
        return any(manifest.config == self.wanted(self.config.PRESETS[each]()) for each in smaller)

    def asset(self) -> dg.AssetsDefinition:
        """The asset, registered as one that is built on demand."""
        store.on_demand(self.name, self.is_too_small)(self.make)
        modules = f"pipeline.assets.datasets.{self.name}", f"nsmodels.datasets.{self.name}.prepare"

        @dg.asset(
            name=self.name,
            description=self.about,
            tags={"dataset": self.name},
            code_version=self.pad.version(self.config.CODE_VERSION),
            config_schema=self.pad.schema,
            metadata=references.to_module(*modules),
            **policy.generated(kinds=set(self.kinds)),
        )
        def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            version = self.config.CODE_VERSION
            return step.materialise(context, self.pad, version, (), self.build, self.show, wanted=self.wanted)

        return cast(dg.AssetsDefinition, asset)

    def checks(self) -> list[dg.AssetChecksDefinition]:
        """A check of the asset per function of the dataset's `checks`."""
        return [
            checks.check(self.name, check, text, judge, check in self.warnings, check not in self.warnings)
            for check, text in self.verdicts.items()
            for judge in [checks.of_dataset(self.name, check)]
        ]
