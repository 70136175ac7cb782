"""What is trained next, by a sampler of Optuna, and its pruners.

A draw depends on the seed, the number of the trial and the trials before it, never on the state of a generator: that is
what makes a resumed search equal to an uninterrupted one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from nsmodels.core.config import fingerprint
from nsmodels.studies.search.config import SearchConfig
from nsmodels.studies.search.storage import NAME, distributions
from nsmodels.studies.search.target import Target, Values

ATTEMPTS = 50  # draws of a trial, until one differs from all before


def next_values(
    target: Target, config: SearchConfig, study: optuna.Study, axes: dict[str, Any], grid: Sequence[Values] = ()
) -> Values | None:
    """The values of the next trial; None when all have been entered.

    `axes`: those of `Target.axes`; `grid`: of a grid, the trials of `Target.combinations`.
    """
    trials = study.get_trials(deepcopy=False)
    number = len(trials)
    if config.sampler == "grid":
        return grid[number] if number < len(grid) else None
    if number >= target.num_trials(config, axes):
        return None
    if number == 0:
        return target.unchanged(config, axes)
    known = [trial.params for trial in trials]
    widened, drawn = target.widened(config, axes), None
    for attempt in range(ATTEMPTS):
        drawn = _draw(config, study, trials, widened, f"{config.sampler_seed}/{number}/{attempt}")
        if drawn not in known:
            return drawn
    # A range without a list of values has none that is left: it is trained again with the last draw.
    return _first_left(widened, known) if all(axis.listed for axis in widened.values()) else drawn


def pruner_of(config: SearchConfig, num_epochs: int) -> optuna.pruners.BasePruner:
    """The pruner of a search over trainings of so many epochs."""
    first = max(1, math.ceil(config.prune_after * num_epochs))
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(config.min_finished, n_warmup_steps=first)
    if config.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=first, max_resource=max(first, num_epochs))
    return optuna.pruners.NopPruner()


def _draw(
    config: SearchConfig, study: optuna.Study, trials: Sequence[FrozenTrial], axes: dict[str, Any], mark: str
) -> Values:
    """Values from a copy of the study in memory, where a draw that is not used leaves nothing behind."""
    seed = int(fingerprint(mark)[:8], 16)
    made = optuna.samplers.RandomSampler if config.sampler == "random" else optuna.samplers.TPESampler
    copy = optuna.create_study(sampler=made(seed=seed), pruner=study.pruner, direction=study.direction, study_name=NAME)
    copy.add_trials(trials)
    return dict(copy.ask(distributions(axes)).params)


def _first_left(axes: dict[str, Any], known: Sequence[Values]) -> Values | None:
    """The first combination of lists that was not entered, where the draws were all known; None without one."""
    every = itertools.product(*(axis.listed or () for axis in axes.values()))
    return next((values for each in every if (values := dict(zip(axes, each, strict=True))) not in known), None)
