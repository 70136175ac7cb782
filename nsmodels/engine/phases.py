"""Several trainings of one command, each a phase in a folder of its own, in this process or in several."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError, Interrupted
from nsmodels.engine import loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.processes import worker
from nsmodels.engine.processes.following import MARK, Follower
from nsmodels.engine.processes.launch import is_launched, launch
from nsmodels.engine.task import Task
from nsmodels.engine.tracking import METRICS, Tracker
from nsmodels.evaluation import plots

# What the first training of a command decides for all of them.
SHARED = ("seed", "device", "num_processes", "use_tensorboard", "use_wandb", "wandb_project")
C = TypeVar("C", bound=Config)
Made = tuple[Task, TrainingConfig]


@dataclass(frozen=True)
class Phases:
    """What the phases of a command share.

    Attributes:
        module: started by torchrun for a phase in several processes; it calls `run_launched`.
        config: the whole configuration.
        data: folder of the data.
        folder: each phase trains in a folder of its name in here.
        num_processes: data-parallel processes.
    """

    module: str
    config: Config
    data: Path
    folder: Path
    num_processes: int = 1

    def fit(self, phase: str, make_task: Callable[[], Made], trackers: Sequence[Tracker] = ()) -> loop.Fit:
        """Train a phase, or go on with it; `InputError` when it is interrupted."""
        if self.num_processes > 1 and not is_launched():
            self._launch(phase, trackers)
        else:  # of an interrupted training in several processes: this one tells its epochs itself
            (self.folder / phase / MARK).unlink(missing_ok=True)
        # After several processes this finds the finished training and only reads it.
        task, training = make_task()
        return finished(loop.fit(task, training, self.folder / phase, trackers))

    def _launch(self, phase: str, trackers: Sequence[Tracker]) -> None:
        epochs = Follower(self.folder / phase / METRICS, trackers)
        # Outside the artifact: a killed run must leave nothing there that would be sealed.
        with TemporaryDirectory(prefix="nsmodels-") as place:
            settings = Path(place) / f"{phase}.json"
            settings.write_text(self.config.model_dump_json())
            arguments = [phase, str(settings), str(self.data), str(self.folder)]
            try:
                launch(arguments, self.num_processes, module=self.module, look=epochs.look)
            except InputError as error:
                if not epochs.has_begun:
                    epochs.close()  # a training that fails at once leaves nothing
                raise InputError(f"{phase}: {error}") from None
        epochs.close()


def sharing(training: TrainingConfig, first: TrainingConfig) -> TrainingConfig:
    """`training` with seed, device, processes and trackers of the `first` training of the command."""
    return training.with_values({name: getattr(first, name) for name in SHARED})


def run_launched(argv: Sequence[str], config: type[C], make_task: Callable[[str, C, Path], Made]) -> int:
    """One of the processes of a phase: phase, configuration file (JSON), data folder, checkpoint folder."""
    phase, settings, data, folder = argv
    try:
        task, training = make_task(phase, config.model_validate_json(Path(settings).read_text()), Path(data))
        finished(loop.fit(task, training, Path(folder) / phase))
    except InputError as error:
        worker.leave(error)
        raise
    return 0


def finished(fit: loop.Fit) -> loop.Fit:
    """`fit` itself unless it was interrupted: then `Interrupted`, which says how to go on."""
    if fit.outcome == "interrupted":
        raise Interrupted(f"stopped in epoch {len(fit.history) + 1}; run the same command again to go on from there")
    return fit


def prefixed(phase: str, fit: loop.Fit) -> dict[str, Any]:
    """The figures of a training for a manifest: of its best epoch, and what it cost."""
    figures = {k: v for k, v in fit.best.items() if isinstance(v, int | float)}
    figures |= {"cpu_seconds": fit.cpu_seconds, "seconds": fit.seconds, "samples_per_second": fit.samples_per_second}
    return {f"{phase}/{key}": value for key, value in figures.items()} | {f"{phase}/device": fit.device}


def write_history(part: Part, phases: Sequence[str], also: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> None:
    """The epochs of all phases that were trained in one `history.json`, and their curves as figures.

    `also` turns the histories by phase into what the file holds.
    """
    folders = {name: part.path / name for name in phases if (part.path / name).is_dir()}
    history = {name: json.loads((folder / "history.json").read_text()) for name, folder in folders.items()}
    artifact.write_json(part.path / "history.json", also(history))
    for name, records in history.items():
        figure = plots.training_curves(records)
        plots.save_figure(figure, part.path / "figures" / f"{name}_curves", f"Training of the {name}", part.source)
