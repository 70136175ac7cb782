"""The contract of a system: one class that library, command line, assets, ledger and tests read. Torch-free.

A package `nsmodels.systems.<name>` exports one instance, `SYSTEM`. What needs torch is imported inside of methods.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.config import Config, read_yaml
from nsmodels.core.config.spaces import Space
from nsmodels.core.errors import Busy, InputError, Interrupted
from nsmodels.core.orders import PARENT, Inputs, Order
from nsmodels.core.sealed import equal
from nsmodels.engine.config import FURTHER, EvaluationConfig, require_metric
from nsmodels.engine.trial import Trial
from nsmodels.evaluation import sealing
from nsmodels.evaluation.sealing import EvaluationResult

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.evaluation.demonstration import Demonstration

DATASETS = "nsmodels.datasets"
C = TypeVar("C", bound=Config)
E = TypeVar("E", bound=Config)


@dataclass(frozen=True)
class Stage:
    """Phases that are trained into one checkpoint folder, with one configuration.

    Attributes:
        phases: networks of the checkpoint, a folder each, in the order of training.
        presets: named configurations, each with a section `training` (`TrainingConfig`).
        name: word of the command line, `nsmodels <system> train <name>`; empty for the only stage of a system.
        starts_from: name of the stage whose checkpoint this one starts from.
        shares: sections of the configuration that mean the same in the stages before it: where a chain is trained at
            once, these take over the fields of the later one. Others of equal names are independent.
        scored: phases whose size and cost are those of the model; baselines are left out. Empty: all.
    """

    phases: tuple[str, ...]
    presets: Mapping[str, Callable[[], Any]]
    name: str = ""
    starts_from: str | None = None
    shares: tuple[str, ...] = ()
    scored: tuple[str, ...] = ()


class Domain(NamedTuple):
    """What a system learns in one of its domains: key of the data, presets for them."""

    data_key: str
    presets: Mapping[str, Callable[[], Any]]


class System(ABC, Generic[C, E]):
    """Networks that are trained, scored and loaded together. Subclasses are final.

    C is the configuration of the trainings, E that of the evaluation.

    Attributes:
        name: folder below nsmodels/systems and first word of the command line.
        stages: what can be trained, in order; most systems have one stage.
        datasets: datasets on which it can be trained, each alone.
        data_key: asset key of the data that it is usually trained on.
        domains: by name, for a system that learns each of several alone; the first is that of `data_key`.
        reports: presets of studies that have no verb, by asset key.
        metrics: by phase, what its training reports beside the loss: terms of the loss by name ("accuracy", reported
            as train/accuracy and val/accuracy), what only validation measures by its whole name ("val/success").
        sections: by phase, the section of the configuration with its training where that is not `training`.
        settings: by dataset, values of the configuration with which it is trained there, where presets have others.
        spaces: by name of the stage, what a search varies in it and by what it compares.
        later_phases: phases that read networks of the phases before them, and so cannot be trained from data alone.
        has_curriculum: whether its networks can begin with easy samples (`training.curriculum`).
        has_answers: whether its models answer questions about images, by the verb of `formats.images.commands`.
        evaluation_presets: named configurations of the evaluation; the first is the default.
        code_version: a change makes every artifact again.
        evaluation_version: a change makes every evaluation again.
    """

    name: ClassVar[str]
    stages: ClassVar[tuple[Stage, ...]]
    datasets: ClassVar[tuple[str, ...]]
    data_key: ClassVar[str]
    domains: ClassVar[Mapping[str, Domain]] = {}
    reports: ClassVar[Mapping[str, Mapping[str, Callable[[], Any]]]] = {}
    metrics: ClassVar[Mapping[str, tuple[str, ...]]]
    sections: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    spaces: ClassVar[Mapping[str, Space]] = {}
    later_phases: ClassVar[tuple[str, ...]] = ()
    has_curriculum: ClassVar[bool] = False
    has_answers: ClassVar[bool] = False
    evaluation_presets: ClassVar[Mapping[str, Callable[[], Any]]] = {"default": EvaluationConfig}
    code_version: ClassVar[str]
    evaluation_version: ClassVar[str]

    # --- what a system must have -------------------------------------------------------------------------------------

    @abstractmethod
    def make_trial(self, phase: str, config: C, inputs: Inputs) -> Trial:
        """The training of one phase, the same in every process. Raises InputError for bad data."""

    @abstractmethod
    def load_network(self, path: Path, device: str = "auto") -> Any:
        """The `torch.nn.Module` in one checkpoint file, whose folder is named after its phase, in evaluation mode."""

    @abstractmethod
    def score(self, order: Order[E]) -> EvaluationResult:
        """The scores of `order.model` on `order.data`, baselines and chance beside them; nothing is written."""

    # --- what it may add ---------------------------------------------------------------------------------------------

    def load(self, folder: Path, device: str = "auto") -> Any:
        """The trained model in a checkpoint folder, ready for inference; by default the network of its last phase.

        Raises InputError for a broken checkpoint.
        """
        found = [phase for phase in self.phases if (folder / phase / "best.pt").is_file()]
        if not found:
            raise InputError(f"{folder}: no checkpoint of {self.name}; expected folders named {', '.join(self.phases)}")
        return self.load_network(folder / found[-1] / "best.pt", device)

    def load_checkpoint(self, path: Path, device: str = "auto") -> Any:
        """What `nsmodels.load(name, checkpoint=...)` returns for one checkpoint file; by default its network."""
        return self.load_network(path, device)

    def read_config(self, path: Path, stage: Stage, preset: C, inputs: Inputs) -> Mapping[str, Any]:
        """Values of a configuration file for a stage, which override `preset`; a system may take other layouts, too.

        Raises InputError for an unreadable file.
        """
        return read_yaml(path)

    def presets_for(
        self, stage: Stage, values: Mapping[str, Any], data: Collection[str]
    ) -> Mapping[str, Callable[[], Any]] | None:
        """The presets of a training with these values on data of these keys; None where they cannot be told."""
        if not self.domains:
            return stage.presets
        return next((domain.presets for domain in self.domains.values() if domain.data_key in data), None)

    def check_networks(self, config: C) -> None:
        """Raise InputError for networks that cannot be built or trained on this machine."""

    def check(self, order: Order[C]) -> None:
        """Raise InputError for data that would fail only after hours of training."""

    def metrics_of(self, phase: str, config: C) -> tuple[str, ...]:
        """What the training of a phase reports beside the loss with this configuration; by default `metrics`."""
        return self.metrics[phase]

    def enabled(self, stage: Stage, config: C) -> tuple[str, ...]:
        """The phases of a stage that the configuration does not switch off."""
        return stage.phases

    def after_phase(self, phase: str, fit: Fit, order: Order[C], part: Part) -> dict[str, Any]:
        """Further figures of a trained phase for the manifest; may write files into `part.path`."""
        return {}

    def after_training(self, order: Order[C], part: Part) -> dict[str, Any]:
        """Further figures of the whole checkpoint for the manifest; may write files into `part.path`."""
        return {}

    def history(self, phases: dict[str, Any]) -> Mapping[str, Any]:
        """Content of `history.json`, from the epochs by phase."""
        return phases

    def call_compiled(self, data: Path) -> None:
        """Call the functions that are compiled at first use and that no step of a training calls, on debug data."""

    def export(self, model: Any, path: Path) -> Path:
        """Write a loaded model as an ONNX graph. Raises InputError where a system has no such export."""
        raise InputError(f"{self.name}: has no ONNX export")

    def demonstrate(self, model: Any, data: Path, num: int, seed: int = 0) -> Demonstration:
        """A loaded model at work on at most `num` held-out inputs, drawn by chance and equal for equal seeds.

        Raises InputError for data that do not fit, and where a system has no demonstration.
        """
        raise InputError(f"{self.name}: has no demonstration")

    # --- what it gets ------------------------------------------------------------------------------------------------

    @property
    def package(self) -> str:
        """Dotted name of the package, recorded as maker of its artifacts."""
        return type(self).__module__

    @property
    def phases(self) -> tuple[str, ...]:
        """All phases of all stages."""
        return tuple(phase for stage in self.stages for phase in stage.phases)

    @property
    def presets(self) -> Mapping[str, Callable[[], C]]:
        """Presets of the last stage, which is the whole model."""
        return self.stages[-1].presets

    def stage(self, name: str | None = None) -> Stage:
        """The stage of that name, the last one by default. Raises InputError for an unknown name."""
        found = [stage for stage in self.stages if name in (None, stage.name)]
        if not found:
            known = ", ".join(stage.name for stage in self.stages)
            raise InputError(f"{self.name}: no stage '{name}' (available: {known})")
        return found[-1]

    def check_config(self, config: C, stage: str | None = None) -> None:
        """Raise InputError for a configuration that cannot be trained here, before its data are read or made.

        That is: a `monitor` that no training reports, a curriculum where there is none, a device or a tracker that is
        not there, and what `check_networks` finds.
        """
        for phase in self.enabled(self.stage(stage), config):
            section = self.sections.get(phase, "training")
            require_metric(getattr(config, section), self.metrics_of(phase, config), section)
        training = config.training  # type: ignore[attr-defined]
        if training.curriculum and not self.has_curriculum:
            raise InputError(f"training.curriculum: {self.name} has none; leave it out")
        if training.device not in ("auto", "cpu"):
            from nsmodels.engine import runtime

            runtime.require_devices(training)
        if training.use_wandb or training.use_mlflow:
            from nsmodels.engine import tracking

            tracking.require(training)
        self.check_networks(config)

    def check_datasets(self, inputs: Inputs) -> None:
        """Raise InputError for data of a dataset that this system does not take; a plain folder is taken as is."""
        for folder in inputs.datasets.values():
            package, _, dataset = artifact.maker_of(folder).rpartition(".")
            if package == DATASETS and dataset not in self.datasets:
                known = " or ".join(self.datasets)
                raise InputError(
                    f"{folder}: holds data of {dataset}; {self.name} takes data of {known}: give a folder of these"
                )

    def check_device(self, config: E) -> None:
        """Raise InputError for an evaluation on a device that is not there, before its data are read or made."""
        if getattr(config, "device", "auto") not in ("auto", "cpu"):
            from nsmodels.engine import runtime

            runtime.resolve_device(config.device)  # type: ignore[attr-defined]

    def train(self, order: Order[C], stage: str | None = None, taken: Mapping[str, Path] | None = None) -> Manifest:
        """Train a stage and seal it as one checkpoint folder; resume a stopped training, keep an equal checkpoint.

        What was trained elsewhere under the data root from the same (a seed of the replicates is the model of that
        seed) is copied, unless `order.force`.
        `taken`: folders, by phase, of those that were trained elsewhere with equal configuration, seed and data; they
        are copied and not trained again. Raises InputError for bad inputs, and `Interrupted` when asked to stop.
        """
        chosen, seed = self.stage(stage), order.config.training.seed  # type: ignore[attr-defined]
        recipe: Any = {"config": order.config.relevant(), "code_version": self.code_version, "seed": seed}
        recipe["inputs"] = order.inputs
        if found := artifact.kept(order.folder, order.force, **recipe):
            return found
        disk.require_folder(order.folder)
        recipe |= {"key": order.key, "maker": self.package, "kind": _kind(chosen)}
        if found := self._copied(order, chosen, recipe):
            return found
        self.check_config(order.config, stage)
        artifact.require_replaceable(order.folder, order.key, self.package, _kind(chosen))
        artifact.require_inputs(order.inputs)
        self.check_datasets(order.inputs)
        if chosen.starts_from is not None and not order.inputs.has(PARENT):
            raise InputError(f"{order.key}: starts from a trained stage '{chosen.starts_from}'; give its folder")
        if chosen.starts_from is not None:
            self.check_parent(chosen, order.parent)
        self.check(order)
        with artifact.build(order.folder, **recipe) as part:
            self._fill(chosen, order, part, taken or {})
        return artifact.read_manifest(order.folder)

    def _fill(self, stage: Stage, order: Order[C], part: Part, taken: Mapping[str, Path]) -> None:
        from nsmodels.engine.phases import Phases, end_tracking, prefixed, take, write_history

        training, phases = order.config.training, self.enabled(stage, order.config)  # type: ignore[attr-defined]
        shared = Phases(self.package, order.config, order.inputs, part.path, training.num_processes)
        for phase in phases:
            if phase in taken:
                take(taken[phase], part.path / phase)
            fit = shared.fit(phase, order.trackers)
            part.metrics |= prefixed(phase, fit)
            part.metrics |= self.after_phase(phase, fit, order, part)
        scored = [phase for phase in phases if phase in (stage.scored or phases)]
        part.metrics |= self.size_and_cost(scored, part)
        # Last: a training that fails at once writes nothing, and its folder is then removed.
        part.metrics |= self.after_training(order, part)
        write_history(part, phases, self.history)
        end_tracking(training, part, phases)

    def twins(self, order: Order[C], stage: str | None = None) -> Iterator[Path]:
        """Folders of what was trained elsewhere under the data root from the same.

        None with `order.force`, and where a training is to report to a service; those without further checkpoints are
        none where it is to keep some.
        """
        training = order.config.training  # type: ignore[attr-defined]
        if order.force or training.use_wandb or training.use_mlflow:
            return
        recipe = order.config.relevant(), self.code_version, order.inputs, training.seed
        for twin in equal.find(order.folder, self.package, _kind(self.stage(stage)), *recipe):
            if not training.save_interval or any(twin.glob(f"*/{FURTHER}")):
                yield twin

    def _copied(self, order: Order[C], stage: Stage, recipe: Any) -> Manifest | None:
        """The manifest of a copy of an equal training; None where there is none that can be copied."""
        for twin in self.twins(order, stage.name):
            try:
                with artifact.copying(twin, order.folder, **recipe) as part:
                    self._replay(stage, order, part)
            except (InputError, FileNotFoundError) as error:
                if isinstance(error, Interrupted | Busy):
                    raise
                print(f"{order.key}: not copied from {twin}: {error}", file=sys.stderr, flush=True)
                continue
            print(f"{order.key}: copied from {twin}, which was trained from the same", file=sys.stderr, flush=True)
            return artifact.read_manifest(order.folder)
        return None

    def _replay(self, stage: Stage, order: Order[C], part: Part) -> None:
        """Give the trackers the epochs of a training that was copied."""
        for phase in self.enabled(stage, order.config):
            path = part.path / phase / "history.json"
            for record in json.loads(path.read_text(encoding="utf-8")) if path.exists() else []:
                for tracker in order.trackers:
                    tracker.epoch(record)
            for tracker in order.trackers:
                tracker.close()

    def size_and_cost(self, phases: Sequence[str], part: Part) -> dict[str, Any]:
        """Number of parameters of the networks of `phases`, CPU and wall seconds of their training."""
        from nsmodels.engine.checkpoint import BEST

        networks = [self.load_network(part.path / phase / BEST, "cpu") for phase in phases]
        seconds = {"train_cpu_seconds": "cpu_seconds", "train_wall_seconds": "seconds"}
        return {
            "num_parameters": sum(p.numel() for network in networks for p in network.parameters()),
            **{name: sum(part.metrics[f"{phase}/{key}"] for phase in phases) for name, key in seconds.items()},
        }

    def evaluate(self, order: Order[E]) -> Manifest:
        """Score a model and seal report, table, outcomes and figures; enter it into the ledger, keep an equal one."""
        self.check_device(order.config)
        return sealing.seal(order, self.package, self.evaluation_version, self.score)

    def check_parent(self, stage: Stage, folder: Path) -> None:
        """Raise InputError unless `folder` is a checkpoint of the stage that `stage` starts from."""
        if stage.starts_from is None:
            return
        wanted, maker = self.stage(stage.starts_from).phases, artifact.read_manifest(folder).maker
        missing = [phase for phase in wanted[:1] if not (folder / phase / "best.pt").is_file()]
        if maker != self.package or missing:
            raise InputError(f"{folder}: not a checkpoint of {self.name}, stage '{stage.starts_from}'; give its folder")


def _kind(stage: Stage) -> str:
    return f"training {stage.name}".strip()
