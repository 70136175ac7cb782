"""Partitioned trainings: a partition is a chain of trainings with a configuration of its own, and its evaluation."""

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import dagster as dg

from nsmodels.core import interrupts
from nsmodels.core.artifact import Manifest, read_manifest
from nsmodels.core.config import Config, flat
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.sealed import renamed
from pipeline.lib import reuse, staleness, step, store
from pipeline.lib.display import references, results
from pipeline.lib.display.epochs import EpochTracker
from pipeline.lib.launchpad import Chosen, Launchpad
from pipeline.lib.runs import slots
from pipeline.lib.training import Training

Given = Mapping[str, Any]
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True)
class Link:
    """One artifact of a partition: a model of the chain, or the evaluation at its end.

    Attributes:
        key: place below the data root, `<asset>/<partition>/<part>`.
        config: its configuration.
        code_version: of the library that builds it.
        inputs: what it is built from, by role.
        build: the call into the library.
        phases: names of its trainings, for the curves.
    """

    key: str
    config: Config
    code_version: str
    inputs: Inputs
    build: Callable[[Order[Any]], Manifest]
    phases: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it is sealed."""
        return store.folder(self.key)

    @property
    def recipe(self) -> reuse.Recipe:
        """Everything that decides its content."""
        return reuse.Recipe(self.config.relevant(), self.code_version, self.inputs)

    def make(self, context: dg.AssetExecutionContext, partition: str, force: bool) -> reuse.Result:
        """Build it, or reuse what is there."""
        trackers = (EpochTracker(context, self.phases, partition),) if self.phases else ()

        def build(folder: Path, is_forced: bool) -> Manifest:
            return self.build(Order(self.key, self.config, self.inputs, folder, is_forced, trackers))

        return reuse.make(context, self.recipe, force, build, self.folder)


@dataclass(frozen=True)
class Partitioned:
    """A training in partitions, each with a model and an evaluation in `data/<key>/<partition>`.

    Where the training starts from a parent, a partition runs the whole chain: each parent is in
    `data/<key>/<partition>/<parent>_model`, with the parent's own configuration and the seed of the partition.

    Attributes:
        key: of the asset.
        training: what is trained and scored.
        partitions: their keys.
        choose: the configuration of a partition from what was given in the launchpad.
        pad: what can be given for it.
        policy: group, pool and the like.
        description: of the asset.
    """

    key: str
    training: Training[Any, Any]
    partitions: dg.PartitionsDefinition
    choose: Callable[[str, Given], Chosen[Any]]
    pad: Launchpad[Any]
    policy: Mapping[str, Any]
    description: str

    def asset(self) -> dg.AssetsDefinition:
        """The partitioned asset."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster may still change what a backfill policy can be
            return self._asset()

    def _asset(self) -> dg.AssetsDefinition:
        system = type(self.training.system)

        @dg.asset(
            name=self.key,
            deps=list(self.training.all_datasets),
            partitions_def=self.partitions,
            tags=self.training.tags,
            code_version=self._version(),
            config_schema=self.pad.schema,
            description=self.description,
            metadata=references.to(system.make_trial, system.score),
            output_required=False,
            **self.policy,
        )
        def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            if step.is_left_out(context, self.training.all_datasets):
                return
            slots.acquire(context)
            with step.one_line_errors():
                yield from run(context, self)

        return cast(dg.AssetsDefinition, asset)

    def _version(self) -> str:
        """That of the last artifact, for Dagster: it changes with any default of any launchpad of the chain too."""
        last, system = self.training, self.training.system
        pads = {"model": last.model.version(system.code_version)}
        pads |= {each.name: each.model.version(each.system.code_version) for each in last.chain[:-1]}
        pads |= {"how": last.evaluation.version(system.evaluation_version)} if last.is_scored else {}
        return staleness.with_presets(system.evaluation_version, pads)

    def model_key(self, partition: str) -> str:
        """Place of the model of a partition below the data root."""
        return f"{self.key}/{partition}/model"

    def evaluation_key(self, partition: str) -> str:
        """Place of its evaluation."""
        return f"{self.key}/{partition}/evaluation"

    def to_do(self, partition: str, chosen: Chosen[Any], data: Mapping[str, Path]) -> list[str]:
        """Why a partition is not finished, in short lines; empty when it is."""
        return unfinished(self.links(partition, chosen, data))

    def links(self, partition: str, chosen: Chosen[Any], data: Mapping[str, Path]) -> list[Link]:
        """The artifacts of a partition in the order in which they are built; `data` are the folders of all datasets."""
        found: list[Link] = []
        shared = self.training.system.stage(self.training.stage).shares
        for each in self.training.chain:
            is_last = each is self.training
            key = self.model_key(partition) if is_last else f"{self.key}/{partition}/{each.model_key}"
            config = chosen.config if is_last else _of_parent(each, chosen, shared)
            parent = (found[-1].key, found[-1].folder) if found else None
            inputs = Inputs.of({name: data[name] for name in each.datasets}, parent=parent)
            phases = each.system.stage(each.stage).phases
            found.append(Link(key, config, each.system.code_version, inputs, each.train, phases))
        if self.training.is_scored:
            found.append(self._scoring(partition, chosen, data, found[-1]))
        return found

    def _scoring(self, partition: str, chosen: Chosen[Any], data: Mapping[str, Path], model: Link) -> Link:
        last, system = self.training, self.training.system
        inputs = Inputs.of({name: data[name] for name in last.datasets}, model=(model.key, model.folder))
        how = self._how(chosen)
        return Link(self.evaluation_key(partition), how, system.evaluation_version, inputs, system.evaluate)

    def _how(self, chosen: Chosen[Any]) -> Config:
        """The evaluation's own defaults, on the device of the training."""
        config = self.training.evaluation.resolve({}).config
        has_device = "device" in type(config).model_fields
        return config.with_values({"device": chosen.config.training.device}) if has_device else config


def _of_parent(training: Training[Any, Any], chosen: Chosen[Any], sections: Sequence[str]) -> Config:
    """The configuration of a parent: its preset of the same name, with the fields of the child in `sections`.

    The options of its training are its own, but for seed and device.
    Raises InputError where the parent has no such preset.
    """
    presets = training.model.presets
    if chosen.preset not in presets:
        raise InputError(f"{training.model_key}: no preset '{chosen.preset}' (available: {', '.join(presets)})")
    config = presets[chosen.preset]()
    known, wanted = flat(config.model_dump()), flat(chosen.config.model_dump())
    shared = {name: value for name, value in wanted.items() if name in known and name.split(".")[0] in sections}
    shared |= {f"training.{name}": wanted[f"training.{name}"] for name in ("seed", "device")}
    return config.with_values(shared)


def unfinished(links: list[Link]) -> list[str]:
    """Why the first artifact of `links` that has to be built has to be; empty when none has."""
    for link in links:
        try:
            reasons = reuse.changes(read_manifest(link.folder), link.recipe)
        except InputError:
            reasons = reuse.changes(None, link.recipe)
        if reasons:
            return reasons
    return []


def run(context: dg.AssetExecutionContext, partitioned: Partitioned) -> Iterator[dg.MaterializeResult]:
    """Build every partition of the run; each is recorded as it ends, and one that fails does not stop the others.

    Dagster takes one result per run, so that several partitions are records in its log and a single one is a result.
    Raises InputError that names the partitions that failed, each with its reason.
    """
    renamed.take_over(partitioned.key)
    wanted = _wanted(context, partitioned)
    failed: dict[str, str] = {}
    for partition, (chosen, links) in wanted.items():
        context.log.info(f"{partitioned.key} {partition}: preset {chosen.preset} ({chosen.reason})")
        with _noting(context, partition, failed):
            made = [link.make(context, partition, chosen.force) for link in links]
            shown, manifest = _shown(chosen, links, made), made[-1].manifest
            if len(wanted) == 1:
                yield dg.MaterializeResult(metadata=shown, data_version=dg.DataVersion(manifest.fingerprint))
            else:
                context.log_event(_record(context, partition, shown, manifest))
    if failed:
        raise InputError(_summary(partitioned.key, failed, len(wanted)))


Wanted = dict[str, tuple[Chosen[Any], list[Link]]]


def _wanted(context: dg.AssetExecutionContext, partitioned: Partitioned) -> Wanted:
    """The configuration and the artifacts of each partition of the run, those that are finished first.

    What a later crash leaves without a record is then exactly what was not finished.
    """
    if not context.partition_keys:
        asked = "...".join(context.run.tags.get(name, "") for name in RANGE)
        raise InputError(f"partition range {asked}: it is empty; give the smaller one first")
    given = partitioned.pad.given(context)
    wanted: Wanted = {}
    for partition in context.partition_keys:
        chosen = partitioned.choose(partition, given)
        if len(context.partition_keys) == 1:  # of several, one that fails does not stop the others
            step.check_unless_built(partitioned.model_key(partition), chosen.config, partitioned.training.check_config)
        wanted[partition] = chosen, partitioned.links(partition, chosen, _data(context, partitioned.training, chosen))
    return dict(sorted(wanted.items(), key=lambda item: bool(unfinished(item[1][1]))))


def _data(context: dg.AssetExecutionContext, training: Training[Any, Any], chosen: Chosen[Any]) -> dict[str, Path]:
    presets = training.model.presets
    return store.ready(context, training.all_datasets, chosen.preset if "debug" in presets else None)


@contextmanager
def _noting(context: dg.AssetExecutionContext, partition: str, failed: dict[str, str]) -> Iterator[None]:
    """Record the failure of a partition and continue with the next; a cancel ends the whole run."""
    try:
        yield
    except Interrupted:
        raise
    except Exception as error:
        if interrupts.requested():  # a process of the partition died of the signal, too
            raise
        line, is_input = " ".join(str(error).split()), isinstance(error, InputError)
        failed[partition] = line if is_input else f"{type(error).__name__}: {line}"
        context.log.error(f"{partition}: {line if is_input else traceback.format_exc()}")


def _summary(key: str, failed: Mapping[str, str], num_wanted: int) -> str:
    lines = "; ".join(f"{partition}: {line}" for partition, line in failed.items())
    kept = num_wanted - len(failed)
    rest = f" ({kept} other{'s' * (kept != 1)} finished and kept)" if kept else ""
    return f"{key}: {len(failed)} of {num_wanted} failed{rest}: {lines}"


def _record(
    context: dg.AssetExecutionContext, partition: str, shown: results.Metadata, manifest: Manifest
) -> dg.AssetMaterialization:
    tags = staleness.tags(context, context.asset_key, manifest)
    return dg.AssetMaterialization(context.asset_key, partition=partition, metadata=shown, tags=tags)


def _shown(chosen: Chosen[Any], links: list[Link], made: list[reuse.Result]) -> results.Metadata:
    """Metadata of a partition: figures of its last artifact, seed, configuration and cost of its model."""
    last, table = made[-1].manifest, links[-1].folder / "table.txt"
    models = [result.manifest for link, result in zip(links, made, strict=True) if link.phases]
    model = models[-1]
    reasons = [f"{link.key.rpartition('/')[2]} {result.reason}" for link, result in zip(links, made, strict=True)]
    shown = {"table": results.text(table.read_text(encoding="utf-8"))} if table.is_file() else {}
    seed = model.seed if model.seed is not None else "none"
    return {
        **results.page(last, {**shown, "seed": seed, "preset": f"{chosen.preset} ({chosen.reason})"}),
        "seed": seed,
        "configuration": dg.MetadataValue.json(model.config),
        "training/wall_seconds": sum(each.wall_seconds for each in models),
        "training/cpu_seconds": sum(each.cpu_seconds for each in models),
        "is_reused": all(result.is_reused for result in made),
        "reason": "; ".join(reasons),
    }
