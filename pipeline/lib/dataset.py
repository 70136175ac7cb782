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
from pipeline.lib.display import graphs, references, results
from pipeline.lib.launchpad import Launchpad


@dataclass(frozen=True)
class Generated:
    """A dataset that is generated, or read from files; a step that misses it builds it.

    Attributes:
        name: key of the asset.
        about: description of the asset.
        verdicts: description of each function in the dataset's `checks`, by name.
        warnings: those of them whose failure does not block what follows.
        show: metadata to look at, from the sealed folder.
        wanted: the configuration as the manifest records it; returns None where only `prepare` decides.
        kinds: shown in the UI.
        package: of the dataset; empty: `name`.
        preset: the default one; the launchpad has the presets with the same `source`. Empty: all, `quick` first.
        is_downloaded: whether its files are downloaded, so that no step builds it on demand, and failures are tried
            again.
    """

    name: str
    about: str
    verdicts: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    show: Callable[[Path], results.Metadata] = results.pages
    wanted: Callable[[Any], Mapping[str, Any] | None] = Config.relevant
    kinds: tuple[str, ...] = ("numpy",)
    package: str = ""
    preset: str = ""
    is_downloaded: bool = False

    @cached_property
    def config(self) -> ModuleType:
        """The dataset's configuration module."""
        return discover.module("datasets", self.package or self.name, "config")

    @cached_property
    def presets(self) -> Mapping[str, Callable[[], Any]]:
        """Presets of the asset: all, or those with the source of its default."""
        presets = self.config.PRESETS
        if not self.preset:
            return presets
        source = presets[self.preset]().source
        return {name: preset for name, preset in presets.items() if preset().source == source}

    @cached_property
    def pad(self) -> Launchpad[Any]:
        """The launchpad; `quick` is the default where no other is given and there is such a preset."""
        first = "quick" if "quick" in self.presets else next(iter(self.presets))
        return Launchpad(self.presets, self.preset or first)

    def build(self, order: Order[Any]) -> Manifest:
        """Generate the data of an order."""
        prepare = discover.module("datasets", self.package or self.name, "prepare").prepare
        return prepare(order.config, order.key, order.folder, is_forced=order.force)

    def make(self, preset: str | None) -> Manifest:
        """Generate the data for a step with this preset."""
        config = self.presets[preset if preset and preset in self.presets else self.pad.default]()
        return self.build(Order(self.name, config, Inputs({}), folder_of(self.name)))

    def is_too_small(self, manifest: Manifest, preset: str) -> bool:
        """Whether the data are those of a smaller preset; data that a person configured are kept."""
        sizes = list(self.presets)
        smaller = sizes[: sizes.index(preset)] if preset in sizes else []
        return any(manifest.config == self.wanted(self.presets[each]()) for each in smaller)

    def asset(self) -> dg.AssetsDefinition:
        """The asset, registered as one that is built on demand unless it is downloaded."""
        package = self.package or self.name
        if not self.is_downloaded:
            store.on_demand(self.name, self.is_too_small)(self.make)
        modules = f"pipeline.assets.datasets.{package}", f"nsmodels.datasets.{package}.prepare"
        group = policy.dataset if self.is_downloaded else policy.generated

        @dg.asset(
            name=self.name,
            description=self.about,
            tags={"dataset": package},
            code_version=self.pad.version(self.config.CODE_VERSION),
            config_schema=self.pad.schema,
            metadata=references.to_module(*modules),
            **group(kinds=set(self.kinds)),
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
            for judge in [checks.of_dataset(self.package or self.name, check)]
        ]


# Checks that every dataset of labelled graphs has.
OF_GRAPHS = {
    "schema": "Every id has a name, every edge ends in its graph, traces are as long as their rounds.",
    "twins_are_equal": "Twins have equal pooled counts, kinds and lengths, and opposite labels.",
    "twins_are_told_apart": "Message passing can tell every pair of twins apart.",
    "splits_are_disjoint": "No graph is in two splits, however its nodes are numbered.",
    "labels_are_balanced": "Which twin comes first does not tell the label.",
    "no_shortcut": "No classifier of counts or short-range colours is above the limit, on any kind of query.",
}


def graph_data(
    name: str, about: str, verdicts: Mapping[str, str], package: str = "", preset: str = "", is_downloaded: bool = False
) -> Generated:
    """A dataset of labelled graphs; `verdicts` describe its own checks, beside those that all of them have.

    `package` and `preset`: see `Generated`.
    """

    def wanted(config: Any) -> Mapping[str, Any]:
        return discover.module("datasets", package or name, "prepare").DATASET.recipe_of(config)

    kinds = ("parquet", "numpy")
    every = OF_GRAPHS | dict(verdicts)
    return Generated(name, about, every, (), graphs.show, wanted, kinds, package, preset, is_downloaded)
