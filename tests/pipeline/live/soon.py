"""The project's definitions, with the lines of the schedules' table due in turns, for what learns from mazes."""

from dataclasses import replace

import dagster as dg

from pipeline import definitions, schedules


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions for a real daemon in a test that cannot wait until Sunday."""
    ours = definitions.defs()
    return dg.Definitions(
        assets=ours.assets,
        asset_checks=ours.asset_checks,
        jobs=ours.jobs,
        sensors=ours.sensors,
        resources=ours.resources,
        executor=ours.executor,
        schedules=[schedules.schedule(due(row, number)) for number, row in enumerate(schedules.TABLE)],
    )


def due(row: schedules.Row, number: int) -> schedules.Row:
    """A line of the table that comes soon, while no other is under way, and is soon over."""
    minutes = f"{number}-59/{len(schedules.TABLE)} * * * *"
    return replace(row, cron=minutes, takes=lambda training: training.datasets == ("mazes",) and row.takes(training))
