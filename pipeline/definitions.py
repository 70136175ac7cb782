"""Everything Dagster knows of this project. New assets and checks are found by folder: this file never grows."""

import dagster as dg

from pipeline import assets, jobs, schedules, sensors


@dg.definitions
def defs() -> dg.Definitions:
    """The one code location."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(assets),
        asset_checks=dg.load_asset_checks_from_package_module(assets),
        jobs=jobs.JOBS,
        schedules=schedules.SCHEDULES,
        sensors=sensors.SENSORS,
        executor=dg.in_process_executor,
    )
