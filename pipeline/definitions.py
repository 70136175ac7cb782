"""Everything Dagster knows of this project. New assets and checks are found by folder: this file never grows."""

from functools import cache

import dagster as dg

from pipeline import assets, jobs, schedules, sensors
from pipeline.lib import staleness
from pipeline.lib.automation import freshness, seals
from pipeline.lib.automation.webhook import Webhook
from pipeline.lib.cluster import executor
from pipeline.lib.display import references
from pipeline.lib.runs import console


@dg.definitions
def defs() -> dg.Definitions:
    """The one code location."""
    console.install()
    return _made(executor.executor())


@cache
def _made(runs: dg.ExecutorDefinition) -> dg.Definitions:
    """The definitions with an executor of all jobs, once in a process: Dagster asks several times in every run."""
    found = dg.load_assets_from_package_module(assets)
    sealed = seals.checks(found)
    return dg.Definitions(
        assets=dg.map_asset_specs(freshness.apply, staleness.spread(references.with_references(found))),
        asset_checks=[*dg.load_asset_checks_from_package_module(assets), *sealed],
        jobs=[*jobs.JOBS, seals.job(sealed)],
        schedules=[*schedules.SCHEDULES, seals.nightly],
        sensors=sensors.SENSORS,
        resources={"webhook": Webhook()},
        loggers={"console": console.console},
        executor=runs,
    )
