"""Jobs of a few assets, for runs in the process of a test."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME


def job_of(definitions: dg.Definitions, keys: Iterable[str]) -> dg.JobDefinition:
    """The job in which Dagster runs selected assets, with these alone.

    Of the one with all assets each run would first describe every asset in its history: a second, for a run that
    needs less.
    """
    job = dg.define_asset_job(IMPLICIT_ASSET_JOB_NAME, dg.AssetSelection.assets(*keys))
    graph = definitions.get_repository_def().asset_graph
    return job.resolve(asset_graph=graph).with_logger_defs(definitions.loggers or {})
