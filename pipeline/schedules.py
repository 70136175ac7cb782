"""What runs by the clock. Everything here is off until it is switched on in the UI."""

import dagster as dg

from pipeline.jobs import retrain

nightly = dg.ScheduleDefinition(
    name="nightly_clevr_mini",
    job=retrain,
    cron_schedule="0 2 * * *",
    description="Every night at two; costs seconds when nothing changed, since equal fingerprints are reused.",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
SCHEDULES = [nightly]
