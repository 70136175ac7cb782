"""Phases: several trainings of one artifact, each in a folder of its own, in this process or in several."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from nsmodels.core import disk
from nsmodels.core.artifact import Part
from nsmodels.core.config import Config, described, restored
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.engine import loop, tracking
from nsmodels.engine.config import SHARED, TrainingConfig
from nsmodels.engine.processes.following import MARK, Follower
from nsmodels.engine.processes.launch import is_launched, launch
from nsmodels.engine.tracking import METRICS, Tracker
from nsmodels.engine.trial import Trial
from nsmodels.evaluation import plots


@dataclass(frozen=True)
class Phases:
    """What the phases of an artifact share.

    Attributes:
        system: package whose `SYSTEM` makes the trial of each phase, as "nsmodels.systems.nav".
        config: the whole configuration.
        inputs: folders of data and parent, by role.
        folder: each phase trains in a folder of its name in here.
        num_processes: data-parallel processes, started with torchrun.
    """

    system: str
    config: Config
    inputs: Inputs
    folder: Path
    num_processes: int = 1

    def trial(self, phase: str) -> Trial:
        """The trial of a phase, the same in every process; it may read the phases before it."""
        inputs = replace(self.inputs, earlier=self.folder)
        return importlib.import_module(self.system).SYSTEM.make_trial(phase, self.config, inputs)

    def fit(self, phase: str, trackers: Sequence[Tracker] = ()) -> loop.Fit:
        """Train a phase, or resume it; raises `Interrupted` when asked to stop."""
        if self.num_processes > 1 and not is_launched():
            self._launch(phase, trackers)
        else:  # of an interrupted training in several processes: this one reports its epochs itself
            (self.folder / phase / MARK).unlink(missing_ok=True)
        # After several processes this finds the finished training and only reads it.
        return self.trial(phase).fit(self.folder / phase, trackers)

    def to_dict(self, phase: str) -> dict[str, Any]:
        """A phase as plain values: all that a launched process needs, in one JSON file."""
        return {
            "phase": phase,
            "system": self.system,
            "config": described(self.config),
            "inputs": self.inputs.to_dict(),
            "folder": str(self.folder.resolve()),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The phases that `to_dict` described."""
        config = restored(values["config"])
        return cls(values["system"], config, Inputs.from_dict(values["inputs"]), Path(values["folder"]))

    def _launch(self, phase: str, trackers: Sequence[Tracker]) -> None:
        epochs = Follower(self.folder / phase / METRICS, trackers)
        # Outside the artifact: a killed run must leave nothing there that would be sealed.
        with TemporaryDirectory(prefix="nsmodels-") as place:
            job = Path(place) / f"{phase}.json"
            disk.write_json(job, self.to_dict(phase))
            try:
                launch([str(job)], self.num_processes, module="nsmodels.engine.phase", on_poll=epochs.poll)
            except InputError as error:
                if not epochs.has_begun:
                    epochs.close()  # a training that fails at once leaves nothing
                raise InputError(f"{phase}: {error}") from None
        epochs.close()


def sharing(training: TrainingConfig, first: TrainingConfig) -> TrainingConfig:
    """`training` with seed, device, processes and trackers of the `first` training of the artifact."""
    return training.with_values({name: getattr(first, name) for name in SHARED})


def take(source: Path, place: Path) -> None:
    """Copy the folder of a finished phase, whole or not at all; where there is work already, it stays.

    `loop.fit` then finds a training that is over, and refuses one of a different configuration.
    """
    if place.exists():
        return
    beside = place.with_name(f".{place.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    beside.rename(place)


def prefixed(phase: str, fit: loop.Fit) -> dict[str, Any]:
    """The figures of a training for a manifest: of its best epoch, and what it cost."""
    figures = {k: v for k, v in fit.best.items() if isinstance(v, int | float)}
    figures |= {"cpu_seconds": fit.cpu_seconds, "seconds": fit.seconds, "samples_per_second": fit.samples_per_second}
    figures |= {f"{device}_joules": joules for device, joules in fit.joules.items()}
    names = {f"{phase}/device": fit.device, f"{phase}/precision": fit.precision}
    names |= {f"{phase}/metric": fit.best["metric"]} if fit.best else {}
    names |= {f"{phase}/energy_of": fit.energy_of} if fit.energy_of else {}
    return {f"{phase}/{key}": value for key, value in figures.items()} | names


def write_history(
    part: Part, phases: Sequence[str], also: Callable[[dict[str, Any]], Mapping[str, Any]] = dict
) -> None:
    """Write the epochs of the trained `phases` to one `history.json`, and their curves as figures.

    `also` maps the histories by phase to the content of the file.
    """
    folders = {name: part.path / name for name in phases if (part.path / name).is_dir()}
    history = {
        name: json.loads((folder / "history.json").read_text(encoding="utf-8")) for name, folder in folders.items()
    }
    disk.write_json(part.path / "history.json", also(history))
    for name, records in history.items():
        figure = plots.training_curves(records)
        plots.save_figure(figure, part.path / "figures" / f"{name}_curves", f"Training of the {name}", part.source)


def end_tracking(config: TrainingConfig, part: Part, phases: Sequence[str]) -> None:
    """Give the trackers of each phase its figures, and those of the first one the pictures of the whole training."""
    pictures = {path.stem: path for path in sorted((part.path / "figures").glob("*.png"))}
    for phase in phases:
        figures = {k.removeprefix(f"{phase}/"): v for k, v in part.metrics.items() if k.startswith(f"{phase}/")}
        tracking.end(config, part.path / phase, figures, pictures if phase == phases[0] else {})
