"""The project's definitions, with every line of the schedules' table due each minute, for what learns from mazes."""

from dataclasses import replace

import dagster as dg

from pipeline import definitions, schedules


@dg.definitions
def defs() -> dg.Definitions:
    """What a real daemon is to run in a test that cannot wait until Sunday."""
    ours = definitions.defs()
    return dg.Definitions(
        assets=ours.assets,
        asset_checks=ours.asset_checks,
        jobs=ours.jobs,
        sensors=ours.sensors,
        resources=ours.resources,
        executor=ours.executor,
        schedules=[schedules.schedule(due(row)) for row in schedules.TABLE],
    )


def due(row: schedules.Row) -> schedules.Row:
    """A line of the table that comes soon and is soon over."""
    return replace(row, cron="* * * * *", takes=lambda training: training.dataset == "mazes" and row.takes(training))
