"""What a run was requested for, checked where it starts: by the web UI, a schedule, a sensor or a program."""

from __future__ import annotations

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.internals import IMPLICIT_ASSET_JOB_NAME
from pipeline.lib.runs.requests.options import unknown_names


def require_assets(run: dg.DagsterRun) -> None:
    """Raise `InputError` for a run whose selection of assets is empty, which Dagster takes for all of them."""
    if run.asset_selection or run.asset_check_selection:
        return
    if run.asset_selection is not None or (run.job_name == IMPLICIT_ASSET_JOB_NAME and not run.op_selection):
        raise InputError("this run selects no asset, and Dagster would build all of them; select what is to be built")


def require_known_configuration(run: dg.DagsterRun, job: dg.JobDefinition) -> None:
    """Raise `InputError` for a configuration of assets that do not exist, which Dagster ignores.

    That of assets outside of the run is ignored: a backfill has one configuration for all its runs.
    """
    whole = job
    while whole.asset_selection_data:
        whole = whole.asset_selection_data.parent_job_def
    if whole.op_selection is None:
        unknown_names(run.run_config, [node.name for node in whole.nodes], "launchpad")
