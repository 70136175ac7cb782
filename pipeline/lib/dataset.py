"""Assets of datasets, generated or released: factories over the modules `config`, `prepare` and `checks` of each."""

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
from nsmodels.engine.machine import SMALL
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
        return self.build(Order(self.name, self.config_for(preset), Inputs({}), folder_of(self.name)))

    def config_for(self, preset: str | None) -> Any:
        """The configuration of the data for a step with this preset."""
        return self.presets[preset if preset and preset in self.presets else self.pad.default]()

    def is_too_small(self, manifest: Manifest, preset: str) -> bool:
        """Whether the data are those of a smaller preset; data that a person configured are kept."""
        sizes = list(self.presets)
        smaller = sizes[: sizes.index(preset if preset in sizes else self.pad.default)]
        return any(manifest.config == self.wanted(self.presets[each]()) for each in smaller)

    def asset(self) -> dg.AssetsDefinition:
        """The asset, registered as one that is built on demand unless it is downloaded."""
        package = self.package or self.name
        if not self.is_downloaded:
            store.on_demand(self.name, self.is_too_small, self.config_for)(self.make)
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
        return _checks(self.name, self.package or self.name, self.verdicts, self.warnings)


@dataclass(frozen=True)
class Released:
    """A dataset with published archives: their record, the whole, and a subset that a step builds where it misses it.

    Attributes:
        name: key of the whole and name of the package; the others are `<name>_archive` and `<name>_mini`.
        about_archive: description of the record of the archives, which downloads nothing.
        about: description of the whole.
        about_mini: description of the subset, which may be the synthetic twin.
        verdicts: description of each function in the dataset's `checks`, by name.
        warnings: those of them whose failure does not block what follows.
        show: metadata to look at, from the sealed folder.
    """

    name: str
    about_archive: str
    about: str
    about_mini: str
    verdicts: Mapping[str, str]
    warnings: tuple[str, ...]
    show: Callable[[Path], results.Metadata]

    @cached_property
    def config(self) -> ModuleType:
        """The dataset's configuration module."""
        return discover.module("datasets", self.name, "config")

    @cached_property
    def full(self) -> Launchpad[Any]:
        """The launchpad of the archives and of the whole."""
        return Launchpad({"full": self.config.full}, default="full")

    @cached_property
    def mini(self) -> Launchpad[Any]:
        """The launchpad of the subset."""
        names = [name for name in ("mini", "quick", SMALL, "debug") if name in self.config.PRESETS]
        return Launchpad({name: self.config.PRESETS[name] for name in names}, default="mini")

    def inspect(self, order: Order[Any]) -> Manifest:
        """Look at the archives without downloading them."""
        return discover.module("datasets", self.name, "prepare").inspect_archives(order.config, order.folder)

    def build(self, order: Order[Any]) -> Manifest:
        """Fetch, cut or generate the data of an order."""
        prepare = discover.module("datasets", self.name, "prepare").prepare
        return prepare(order.config, order.key, order.folder, is_forced=order.force)

    def make_mini(self, preset: str | None) -> Manifest:
        """What a step that misses the subset makes, few images for its preset of few."""
        key = f"{self.name}_mini"
        return self.build(Order(key, self.config_for(preset), Inputs({}), folder_of(key)))

    def config_for(self, preset: str | None) -> Any:
        """The configuration of the subset for a step with this preset."""
        return self.mini.presets[self.preset_for(preset)]()

    def preset_for(self, preset: str | None) -> str:
        """The preset of the subset for a step with `preset`.

        Those of machines without a GPU are for data of their own size where there is a `small`; rendering and learning
        from `mini` would take them most of an hour.
        """
        own = ("debug", SMALL, "quick") if SMALL in self.mini.presets else ("debug",)
        return preset if preset is not None and preset in own else "mini"

    @property
    def _least_of_quick(self) -> int:
        """Number of training images, of which fewer are those of a preset below `quick`."""
        below = [self.config.PRESETS[name]().num_train for name in ("debug", SMALL) if name in self.config.PRESETS]
        return 1 + max(below)

    def is_too_small(self, manifest: Manifest, preset: str) -> bool:
        """Whether the data are generated, and those of `debug` or `small` for a larger preset, or too few for `base`.

        Fewer images of the archives or of a folder of one's own were somebody's choice and are kept.
        """
        num_train = manifest.config.get("num_train", 0)
        if preset in ("debug", SMALL, "quick"):
            least = {"debug": 0, SMALL: 1 + self.config.debug().num_train}.get(preset, self._least_of_quick)
            return manifest.config.get("source") == "synthetic" and num_train < least
        return manifest.config.get("source") == "synthetic" and num_train < self.config.mini().num_train

    def assets(self) -> list[dg.AssetsDefinition]:
        """Archives, whole and subset; the subset is registered as one that is built on demand."""
        store.on_demand(f"{self.name}_mini", self.is_too_small, self.config_for)(self.make_mini)
        return [
            self._asset("_archive", self.about_archive, self.full, self.inspect, results.pages, policy.archive()),
            self._asset("", self.about, self.full, self.build, self.show, policy.dataset()),
            self._asset("_mini", self.about_mini, self.mini, self.build, self.show, policy.dataset()),
        ]

    def _asset(
        self,
        ending: str,
        about: str,
        pad: Launchpad[Any],
        build: Callable[[Order[Any]], Manifest],
        show: Callable[[Path], results.Metadata],
        group: Mapping[str, Any],
    ) -> dg.AssetsDefinition:
        is_archive, version = ending == "_archive", self.config.CODE_VERSION
        modules = f"pipeline.assets.datasets.{self.name}", f"nsmodels.datasets.{self.name}.prepare"

        @dg.asset(
            name=f"{self.name}{ending}",
            description=about,
            tags={"dataset": self.name if is_archive else f"{self.name}{ending}"},
            deps=[] if is_archive else [f"{self.name}_archive"],
            code_version=pad.version(version),
            config_schema=pad.schema,
            metadata=references.to_module(*modules),
            **group,
        )
        def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return step.materialise(context, pad, version, (), build, show, wanted=_only_the_library_knows)

        return cast(dg.AssetsDefinition, asset)

    def checks(self) -> list[dg.AssetChecksDefinition]:
        """A check of the whole and of the subset per function of the dataset's `checks`."""
        return [
            check
            for key in (self.name, f"{self.name}_mini")
            for check in _checks(key, self.name, self.verdicts, self.warnings)
        ]


def _only_the_library_knows(config: Any) -> None:
    """Source `auto` is settled only when the data are made, so `prepare` decides whether to keep what is there."""


def _checks(
    key: str, package: str, verdicts: Mapping[str, str], warnings: tuple[str, ...]
) -> list[dg.AssetChecksDefinition]:
    return [
        checks.check(key, name, text, checks.of_dataset(package, name), name in warnings, name not in warnings)
        for name, text in verdicts.items()
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
