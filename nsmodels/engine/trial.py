"""Trials: one training of one network, as the loop fits it. Torch-free to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nsmodels.core import interrupts
from nsmodels.core.errors import Interrupted
from nsmodels.engine.config import TrainingConfig

if TYPE_CHECKING:
    from nsmodels.engine.loop import Fit
    from nsmodels.engine.task import Task
    from nsmodels.engine.tracking import Tracker


@dataclass(frozen=True)
class Trial:
    """One training: what the loop needs to fit a network.

    Attributes:
        task: model, batches and loss.
        training: the options of the loop.
        initial_weights: checkpoint file to start from; modules that it lacks keep their own initialisation.
        freeze: names of submodules that are not trained.
    """

    task: Task
    training: TrainingConfig
    initial_weights: Path | None = None
    freeze: Sequence[str] = ()

    def fit(self, folder: Path, trackers: Sequence[Tracker] = ()) -> Fit:
        """Train in `folder`, or resume; raises `Interrupted` when asked to stop, InputError as `loop.fit`."""
        from nsmodels.engine import loop

        fit = loop.fit(self.task, self.training, folder, trackers, self.initial_weights, self.freeze)
        if fit.outcome == "interrupted":
            raise Interrupted(interrupts.LINE.replace("stopped", f"stopped in epoch {len(fit.history) + 1}"))
        return fit
