"""Pruning of Dagster's history: old finished runs that nothing in the UI depends on, and ticks past their retention."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import dagster as dg

from nsmodels.core.sealed.inventory import bytes_of, files_in
from pipeline.internals import (
    BACKFILL_ID_TAG,
    BULK_ACTION_TERMINAL_STATUSES,
    RUN_KEY_TAG,
    LocalComputeLogManager,
    SqliteEventLogStorage,
)

FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
# Reasons to keep a run.
SHOWN = "one of the last materialisations of an asset or partition, or the last result of a check"
REMEMBERED = "run key of a sensor, which prevents a second request"
UNFINISHED = "part of a backfill that is not finished"
ANCESTOR = "re-executed by a run that is kept"
DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Plan:
    """Ids of the runs to remove and, by reason, of those to keep; `orphans` are runs of which only logs are left."""

    num_runs: int
    removable: list[str]
    kept: Mapping[str, list[str]]
    orphans: list[str]


# --- runs ------------------------------------------------------------------------------------------------------------


def plan(instance: dg.DagsterInstance, before: datetime, num_kept: int) -> Plan:
    """Plan to remove runs that finished before `before`, except those of the last `num_kept` points of any plot.

    A plot contains the materialisations of an asset or of one of its partitions.
    """
    logged = set(_logged(instance))  # first: a run that starts now is then in the list of runs
    runs = {run.run_id: run for run in instance.get_runs()}
    old = instance.get_runs(dg.RunsFilter(statuses=list(FINISHED), updated_before=before))
    candidates = {run.run_id: run for run in old}
    kept: dict[str, list[str]] = {}

    def keep(reason: str, ids: Iterable[str]) -> None:
        if found := sorted(id for id in ids if candidates.pop(id, None)):
            kept[reason] = [*kept.get(reason, []), *found]

    keep(SHOWN, _latest_materialising(instance, num_kept) if candidates else ())
    keep(SHOWN, [id for id in candidates if _has_latest_check(instance, id)])
    keep(REMEMBERED, [id for id, run in candidates.items() if RUN_KEY_TAG in run.tags])
    backfills = _unfinished_backfills(instance)
    keep(UNFINISHED, [id for id, run in candidates.items() if run.tags.get(BACKFILL_ID_TAG) in backfills])
    while (
        ancestors := {
            id
            for run in runs.values()
            if run.run_id not in candidates
            for id in (run.root_run_id, run.parent_run_id)
            if id
        }
        & candidates.keys()
    ):
        keep(ANCESTOR, ancestors)
    return Plan(len(runs), sorted(candidates), kept, sorted(logged - runs.keys()))


def _latest_materialising(instance: dg.DagsterInstance, num_kept: int) -> set[str]:
    """Ids of the runs of the last `num_kept` points of every plot."""
    found = set()
    for key in instance.get_asset_keys():
        partitions = sorted(instance.get_materialized_partitions(key))
        for chosen in ([partition] for partition in partitions) if partitions else (None,):
            wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=chosen)
            found |= {record.run_id for record in instance.fetch_materializations(wanted, limit=num_kept).records}
        if last := instance.get_latest_materialization_event(key):
            found.add(last.run_id)
    return found


def _has_latest_check(instance: dg.DagsterInstance, run_id: str) -> bool:
    found = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in found]
    keys = {event.asset_check_evaluation_data.asset_check_key for event in events if event}
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(keys)) if keys else {}
    return any(record.run_id == run_id for record in last.values())


def _unfinished_backfills(instance: dg.DagsterInstance) -> set[str]:
    found = instance.get_backfills()
    return {backfill.backfill_id for backfill in found if backfill.status not in BULK_ACTION_TERMINAL_STATUSES}


def remove_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events and compute logs; Dagster itself does not delete the files."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if instance.get_run_by_id(run_id):
        instance.delete_run(run_id)
    for path in _shards(instance, run_id):
        path.unlink(missing_ok=True)


def files_of_run(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """Files of a run on this disk: its event log, if it is a file, and its compute logs."""
    logs = compute_logs(instance)
    folder = logs / run_id if logs else None
    return [*_shards(instance, run_id), *(files_in(folder) if folder and folder.is_dir() else [])]


# --- ticks -----------------------------------------------------------------------------------------------------------


def ticks(instance: dg.DagsterInstance, is_removed: bool = False) -> int:
    """Number of ticks past the retention in dagster.yaml; `is_removed` also deletes them.

    The daemon deletes only the ticks of schedules and sensors that are running.
    """
    num = 0
    for state in instance.all_instigator_state():
        retention = instance.get_tick_retention_settings(state.instigator_type)
        for status, days in retention.items():
            if days <= 0:
                continue
            where = (state.instigator_origin_id, state.selector_id)
            before = time.time() - days * DAY
            num += len(instance.get_ticks(*where, before=before, statuses=[status]))
            if is_removed:
                instance.purge_ticks(*where, before=before, tick_statuses=[status])
    return num


# --- files -----------------------------------------------------------------------------------------------------------


def locations(instance: dg.DagsterInstance) -> dict[str, list[Path]]:
    """Folders of history, compute logs and stored values on this disk; none for what a database server stores."""
    index, logs = _index(instance), compute_logs(instance)
    history = [index.parents[1], index.parents[2] / "schedules"] if index else []
    return {
        "history": history,
        "compute logs": [logs] if logs else [],
        "stored values": [Path(instance.storage_directory())],
    }


def size_of(folders: Iterable[Path]) -> int:
    """Total size of the existing ones of these folders, in bytes."""
    return sum(bytes_of(files_in(folder)) for folder in folders if folder.is_dir())


def databases(instance: dg.DagsterInstance) -> list[Path]:
    """Existing SQLite files that many runs share."""
    index = _index(instance)
    found = [index, index.parents[1] / "runs.db", index.parents[2] / "schedules" / "schedules.db"] if index else []
    return [path for path in found if path.exists()]


def compact(database: Path) -> bool:
    """Return the space of deleted rows to the file system; False if the file is in use by a process."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            return False
        raise
    return True


def compute_logs(instance: dg.DagsterInstance) -> Path | None:
    """Folder of the compute logs (stdout and stderr of runs); None if they are not stored locally."""
    manager = instance.compute_log_manager
    is_local = isinstance(manager, LocalComputeLogManager)
    return Path(manager.get_captured_local_path(["any"], "out")).parent if is_local else None


def _index(instance: dg.DagsterInstance) -> Path | None:
    storage = instance.event_log_storage
    return Path(storage.path_for_shard("index")) if isinstance(storage, SqliteEventLogStorage) else None


def _shards(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    index = _index(instance)
    return sorted(index.parent.glob(f"{run_id}.db*")) if index else []


def _logged(instance: dg.DagsterInstance) -> Iterable[str]:
    """Ids of runs that have log files."""
    index, logs = _index(instance), compute_logs(instance)
    names = [path.name.partition(".db")[0] for path in index.parent.glob("*.db")] if index else []
    names += [path.name for path in logs.iterdir() if path.is_dir()] if logs and logs.is_dir() else []
    return filter(_is_run_id, names)


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def time_ago(seconds: float) -> datetime:
    """The time `seconds` before now, in UTC, as Dagster's filters expect it."""
    return datetime.fromtimestamp(time.time() - seconds, UTC)
