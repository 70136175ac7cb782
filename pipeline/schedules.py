"""Schedules: runs by the clock. Everything here is off until it is switched on in the UI.

A schedule trains models again that exist, each with its own configuration, on the data that it was trained on. It makes
neither a first model nor replaces data, unless `NSMODELS_UNATTENDED` allows it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.assets.studies import RANKING
from pipeline.assets.systems import trainings
from pipeline.jobs import reach, retrain
from pipeline.lib import store
from pipeline.lib.automation import retraining, unattended
from pipeline.lib.launchpad import Launchpad
from pipeline.lib.training import Training


@dataclass(frozen=True)
class Row:
    """When which trainings are made again; `takes` is asked at each tick, so that systems to come need no line here."""

    name: str
    cron: str
    timezone: str
    takes: Callable[[Training], bool]
    about: str


def is_small(training: Training) -> bool:
    """Whether it learns from subsets or generated data, which a step builds when they are missing."""
    return all(store.is_made_on_demand(key) for key in training.all_datasets)


def is_any(training: Training) -> bool:
    """Whole archives too, where somebody has fetched them."""
    return True


# Replicates are in none: they measure the effect of the seed, and a backfill builds them again on request.
TABLE = [
    Row("nightly", "0 2 * * *", "UTC", is_small, "Every night, again: the models of mini and generated data."),
    Row("weekly", "0 4 * * 0", "UTC", is_any, "Every Sunday, again: all models."),
]


def schedule(row: Row) -> dg.ScheduleDefinition:
    """A line of the table as a schedule of the job `retrain`."""

    @dg.schedule(
        job=retrain,
        name=row.name,
        cron_schedule=row.cron,
        execution_timezone=row.timezone,
        description=f"{row.about} Each with the configuration that it has; what did not change is reused in seconds.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            return _request(context, [each for each in trainings() if row.takes(each)])
        except InputError as error:
            return dg.SkipReason(str(error))

    return tick


def _request(context: dg.ScheduleEvaluationContext, those: list[Training]) -> dg.RunRequest:
    """A run that trains again what can be; raises `InputError` with the reasons when nothing can."""
    against = {each.model_key: line for each in those if (line := _obstacle(each))}
    possible = [each for each in those if each.model_key not in against]
    if not possible or context.repository_def is None:
        raise InputError("; ".join(dict.fromkeys(against.values())) or "no models")
    busy = retraining.under_way(context)  # a night that lasts into Sunday's run: two cannot make one artifact
    free = [each for each in possible if not busy.intersection(link.model_key for link in each.chain)]
    if not free:
        raise InputError("runs of every model are under way")
    pads, refused = _launchpads(free)
    for line in against.values():
        context.log.info(line)
    for line in refused.values():
        context.log.error(line)
    valid = [each for each in free if each.model_key in pads]
    if not valid:
        raise InputError("; ".join(refused.values()))
    left_out = [each for each in trainings() if each not in valid]
    keys = reach(context.repository_def.asset_graph, valid, left_out)
    apart = sorted(key for key in keys if key.to_user_string() not in busy)
    config = retraining.run_config({key: pad for key, pad in pads.items() if dg.AssetKey(key) in apart})
    return unattended.request(apart, config)


def _obstacle(training: Training) -> str:
    """Why a schedule leaves a model alone; empty when it trains it."""
    is_first = any(retraining.sealed(link.model_key) is None for link in training.chain)
    if is_first and unattended.FIRST_MODELS in unattended.allowed():
        return "" if retraining.is_possible(training) else f"{training.model_key}: its data are missing"
    return retraining.obstacle(training)


def _launchpads(those: list[Training]) -> tuple[retraining.Pads, dict[str, str]]:
    """What can be configured in a run of these; by model, why those are not trained that cannot be made as they are."""
    pads: dict[str, Launchpad] = {"leaderboard": RANKING}
    refused: dict[str, str] = {}
    for each in those:
        try:
            retraining.run_config(retraining.pads(each))
            pads |= retraining.pads(each)
        except InputError as error:
            refused[each.model_key] = f"{each.model_key} is left out: {error}"
    return pads, refused


SCHEDULES = [schedule(row) for row in TABLE]
