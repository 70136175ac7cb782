"""One training many times: a partition is a training with a configuration of its own, and its evaluation."""

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import dagster as dg

from nsmodels.core.artifact import Manifest, read_manifest
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError, Interrupted
from pipeline.lib import reuse, staleness, step, store
from pipeline.lib.display import references, results
from pipeline.lib.launchpad import Chosen, Launchpad
from pipeline.lib.runs import slots
from pipeline.lib.training import Training

Given = Mapping[str, Any]
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True)
class Made:
    """The model and the evaluation of a partition, and why each was made or kept."""

    model: reuse.Made
    evaluation: reuse.Made


@dataclass(frozen=True)
class Repeated:
    """A training in partitions, each with a model and an evaluation in `data/<key>/<partition>`.

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
        @dg.asset(
            name=self.key,
            deps=[self.training.dataset],
            partitions_def=self.partitions,
            tags=self.training.tags,
            code_version=self._version(),
            config_schema=self.pad.schema,
            description=self.description,
            metadata=references.to(self.training.train, self.training.evaluate),
            output_required=False,
            **self.policy,
        )
        def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            slots.acquire(context)
            with step.one_line_errors():
                yield from run(context, self)

        return cast(dg.AssetsDefinition, asset)

    def _version(self) -> str:
        """That of the evaluation, for Dagster: it changes with any default of either launchpad too."""
        each = self.training
        pads = {"model": each.model.version(each.code_version), "how": each.evaluation.version(each.evaluation_version)}
        return staleness.with_presets(each.evaluation_version, pads)

    def model_key(self, partition: str) -> str:
        """Where the model of a partition lies under the data root."""
        return f"{self.key}/{partition}/model"

    def evaluation_key(self, partition: str) -> str:
        """Where its evaluation lies."""
        return f"{self.key}/{partition}/evaluation"

    def to_do(self, partition: str, chosen: Chosen[Any], data: Path) -> list[str]:
        """Why a partition is not finished, in short lines; empty when it is."""
        model, evaluation = store.folder(self.model_key(partition)), store.folder(self.evaluation_key(partition))
        return unfinished(model, self._model(chosen, data)) or unfinished(evaluation, self._score(chosen, data, model))

    def make(self, context: dg.AssetExecutionContext, partition: str, chosen: Chosen[Any], data: Path) -> Made:
        """Train and score one partition, or keep what is there."""
        inputs: dict[str, Path] = {self.training.dataset: data}
        model_key, training = self.model_key(partition), self.training
        recipe = self._model(chosen, data)
        order = _Orders(context, partition, chosen.config, inputs, model_key)
        model = reuse.make(context, recipe, chosen.force, order.of(training.train), store.folder(model_key))
        scored = {model_key: store.folder(model_key), **inputs}
        order = _Orders(context, partition, self._how(chosen), scored, self.evaluation_key(partition))
        recipe = self._score(chosen, data, scored[model_key])
        place = store.folder(self.evaluation_key(partition))
        return Made(model, reuse.make(context, recipe, chosen.force, order.of(training.evaluate), place))

    def _model(self, chosen: Chosen[Any], data: Path) -> reuse.Recipe:
        return reuse.Recipe(chosen.config.relevant(), self.training.code_version, {self.training.dataset: data})

    def _score(self, chosen: Chosen[Any], data: Path, model: Path) -> reuse.Recipe:
        inputs = {"model": model, self.training.dataset: data}
        return reuse.Recipe(self._how(chosen).relevant(), self.training.evaluation_version, inputs)

    def _how(self, chosen: Chosen[Any]) -> Config:
        """The evaluation's own defaults, on the device of the training."""
        config = self.training.evaluation.resolve({}).config
        has_device = "device" in type(config).model_fields
        return config.with_values({"device": chosen.config.training.device}) if has_device else config


@dataclass(frozen=True)
class _Orders:
    context: dg.AssetExecutionContext
    partition: str
    config: Config
    inputs: Mapping[str, Path]
    key: str

    def of(self, build: Callable[[step.Order[Any]], Manifest]) -> Callable[[Path, bool], Manifest]:
        """`build` as `reuse.make` calls it."""

        def call(folder: Path, is_forced: bool) -> Manifest:
            where = (self.key, self.config, self.inputs, folder)
            return build(step.Order(*where, force=is_forced, context=self.context, partition=self.partition))

        return call


def named(trainings: list[Training[Any, Any]], word: str) -> list[tuple[str, Training[Any, Any]]]:
    """`<dataset>_<word>` for each training; where several share a data set, all but the first go by their own name."""
    found: dict[str, Training[Any, Any]] = {}
    for training in trainings:
        key = f"{training.dataset}_{word}"
        found[f"{training.name}_{word}" if key in found else key] = training
    return list(found.items())


def unfinished(folder: Path, recipe: reuse.Recipe) -> list[str]:
    """What is to be made in `folder`, and why."""
    try:
        return reuse.changes(read_manifest(folder), recipe)
    except InputError:
        return ["there is none yet"]


def run(context: dg.AssetExecutionContext, repeated: Repeated) -> Iterator[dg.MaterializeResult]:
    """Every partition of the run; each is recorded as it ends, and one that fails does not keep others from theirs.

    Dagster knows one result per run, so that several partitions are records in its log and a single one is a result.
    Raises InputError that names the partitions that failed, each with its reason.
    """
    wanted = _wanted(context, repeated)
    failed: dict[str, str] = {}
    for partition, (chosen, data) in wanted.items():
        context.log.info(f"{repeated.key} {partition}: preset {chosen.preset} ({chosen.reason})")
        with _noting(context, partition, failed):
            made = repeated.make(context, partition, chosen, data)
            if len(wanted) == 1:
                version = dg.DataVersion(made.evaluation.manifest.fingerprint)
                yield dg.MaterializeResult(metadata=_shown(chosen, made), data_version=version)
            else:
                context.log_event(_record(context, partition, _shown(chosen, made), made.evaluation.manifest))
    if failed:
        raise InputError(_told(repeated.key, failed, len(wanted)))


def _wanted(context: dg.AssetExecutionContext, repeated: Repeated) -> dict[str, tuple[Chosen[Any], Path]]:
    """The configuration and the data of each partition of the run, those that are finished first.

    What a later crash leaves without a record is then just what was not finished.
    """
    if not context.partition_keys:
        asked = "...".join(context.run.tags.get(name, "") for name in RANGE)
        raise InputError(f"partition range {asked}: there is nothing in it; give the smaller one first")
    given = repeated.pad.given(context)
    chosen = {partition: repeated.choose(partition, given) for partition in context.partition_keys}
    wanted = {partition: (each, _data(context, repeated, each)) for partition, each in chosen.items()}
    return dict(sorted(wanted.items(), key=lambda item: bool(repeated.to_do(item[0], *item[1]))))


def _data(context: dg.AssetExecutionContext, repeated: Repeated, chosen: Chosen[Any]) -> Path:
    key, presets = repeated.training.dataset, repeated.training.model.presets
    return store.ready(context, [key], chosen.preset if "debug" in presets else None)[key]


@contextmanager
def _noting(context: dg.AssetExecutionContext, partition: str, failed: dict[str, str]) -> Iterator[None]:
    """Note what goes wrong with a partition and go on with the next; a cancel ends the whole run."""
    try:
        yield
    except Interrupted:
        raise
    except Exception as error:
        line, is_told = " ".join(str(error).split()), isinstance(error, InputError)
        failed[partition] = line if is_told else f"{type(error).__name__}: {line}"
        context.log.error(f"{partition}: {line if is_told else traceback.format_exc()}")


def _told(key: str, failed: Mapping[str, str], num_wanted: int) -> str:
    lines = "; ".join(f"{partition}: {line}" for partition, line in failed.items())
    kept = num_wanted - len(failed)
    rest = f" ({kept} other{'s' * (kept != 1)} finished and kept)" if kept else ""
    return f"{key}: {len(failed)} of {num_wanted} failed{rest}: {lines}"


def _record(
    context: dg.AssetExecutionContext, partition: str, shown: results.Metadata, manifest: Manifest
) -> dg.AssetMaterialization:
    tags = staleness.tags(context, context.asset_key, manifest)
    return dg.AssetMaterialization(context.asset_key, partition=partition, metadata=shown, tags=tags)


def _shown(chosen: Chosen[Any], made: Made) -> results.Metadata:
    model, evaluation = made.model.manifest, made.evaluation.manifest
    table = store.folder(evaluation.key) / "table.txt"
    return {
        **results.metadata(evaluation),
        **({"table": results.text(table.read_text())} if table.is_file() else {}),
        "seed": model.seed if model.seed is not None else "none",
        "configuration": dg.MetadataValue.json(model.config),
        "preset": f"{chosen.preset} ({chosen.reason})",
        "training/wall_seconds": model.wall_seconds,
        "training/cpu_seconds": model.cpu_seconds,
        "is_reused": made.model.is_reused and made.evaluation.is_reused,
        "reason": f"model {made.model.reason}; evaluation {made.evaluation.reason}",
    }
