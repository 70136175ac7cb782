"""Training of the navigator, then of the plain networks beside it; sealed as one checkpoint folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.phases import Phases, prefixed, write_history
from nsmodels.engine.tracking import Tracker
from nsmodels.systems.nav import phases
from nsmodels.systems.nav.config import CODE_VERSION, NavConfig
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.training.diagnosis import chance, diagnose
from nsmodels.systems.nav.training.plain import NAMES, load_plain

MAKER = "nsmodels.systems.nav"
log = logging.getLogger(__name__)
# The columns of a history as one finds them elsewhere, beside the record of each epoch.
COLUMNS = {
    "train_loss": "train/loss",
    "train_acc": "train/accuracy",
    "val_loss": "val/loss",
    "val_acc": "val/accuracy",
}


def train(
    config: NavConfig,
    data: Path,
    folder: Path,
    key: str = "nav_model",
    data_key: str = "data",
    trackers: Sequence[Tracker] = (),
    is_forced: bool = False,
) -> Manifest:
    """Train on the maps in `data` and seal the checkpoint in `folder`; reuse an equal one.

    A stopped run continues where it was. Raises `InputError` for bad data, and when the run was interrupted.
    """
    recipe: Any = {"config": config.relevant(), "code_version": CODE_VERSION, "seed": config.training.seed}
    recipe["inputs"] = {data_key: data}
    if found := artifact.kept(folder, is_forced, **recipe):
        return found
    with artifact.build(folder, key=key, maker=MAKER, **recipe) as part:
        fit = fit_navigator(config, data, part.path, trackers)
        part.metrics |= prefixed(phases.NAVIGATOR, fit) | _told(diagnose(fit.history, chance(data)))
        part.metrics |= {"train_cpu_seconds": fit.cpu_seconds, "train_wall_seconds": fit.seconds}
        part.metrics |= fit_baselines(config, data, part.path, trackers)
        part.metrics |= _sizes(part.path)
        write_history(part, (phases.NAVIGATOR, *NAMES), with_columns)
    return artifact.read_manifest(folder)


def fit_navigator(config: NavConfig, data: Path, folder: Path, trackers: Sequence[Tracker] = ()) -> loop.Fit:
    """Train the navigator alone in `folder/navigator`, or go on with it; a finished training is only read."""
    return _fit(phases.NAVIGATOR, config, data, folder, trackers)


def fit_baselines(config: NavConfig, data: Path, folder: Path, trackers: Sequence[Tracker] = ()) -> dict[str, Any]:
    """Train the MLP and the CNN, unless they are switched off; their figures by name."""
    names = NAMES if config.baselines.is_enabled else ()
    fits = [prefixed(name, _fit(name, config, data, folder, trackers)) for name in names]
    return {key: value for figures in fits for key, value in figures.items()}


def with_columns(history: dict[str, Any]) -> dict[str, Any]:
    """The epochs of each phase, and the navigator's once more as columns."""
    records = history[phases.NAVIGATOR]
    return history | {name: [row[key] for row in records if key in row] for name, key in COLUMNS.items()}


def _fit(phase: str, config: NavConfig, data: Path, folder: Path, trackers: Sequence[Tracker]) -> loop.Fit:
    shared = Phases("nsmodels.systems.nav.phases", config, data, folder, config.training.num_processes)
    return shared.fit(phase, lambda: phases.make_task(phase, config, data), trackers)


def _told(troubles: list[str]) -> dict[str, list[str]]:
    for line in troubles:
        log.warning("%s", line)
    return {"diagnosis": troubles} if troubles else {}


def _sizes(folder: Path) -> dict[str, int]:
    path = folder / phases.NAVIGATOR / checkpoint.BEST
    navigator = Navigator.from_checkpoint(checkpoint.load(path), str(path))
    sizes = {"num_parameters": navigator.num_parameters, "trained_steps": navigator.trained_steps}
    plain = {f"{name}/num_parameters": network.num_parameters for name, network in load_plain(folder, "cpu").items()}
    return sizes | plain
