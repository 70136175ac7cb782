"""What of Dagster's history may go: old finished runs that nothing shown rests on, and ticks past their retention."""

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
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES  # no public name
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.tags import BACKFILL_ID_TAG, RUN_KEY_TAG

from nsmodels.core.inventory import bytes_of, files_in

FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
SHOWN = "show one of the last materialisations of an asset or partition, or the last result of a check"
REMEMBERED = "keep a sensor from asking twice (run key)"
UNFINISHED = "belong to a backfill that is not finished"
ANCESTOR = "were re-executed by a run that stays"
DAY = 86_400.0


@dataclass(frozen=True)
class History:
    """Runs by what is to become of them; `orphans` are ids of runs of which only logs are left."""

    num_runs: int
    gone: list[str]
    kept: Mapping[str, list[str]]
    orphans: list[str]


# --- runs ------------------------------------------------------------------------------------------------------------


def judge(instance: dg.DagsterInstance, before: datetime, num_kept: int) -> History:
    """Which runs that finished before a moment may go; `num_kept` materialisations per asset or partition stay."""
    logged = set(_logged(instance))  # first: a run that begins now is in the list of runs by then
    runs = {run.run_id: run for run in instance.get_runs()}
    old = instance.get_runs(dg.RunsFilter(statuses=list(FINISHED), updated_before=before))
    candidates = {run.run_id: run for run in old}
    kept: dict[str, list[str]] = {}

    def keep(reason: str, ids: Iterable[str]) -> None:
        if found := sorted(id for id in ids if candidates.pop(id, None)):
            kept[reason] = [*kept.get(reason, []), *found]

    keep(SHOWN, _materialising(instance, num_kept) if candidates else ())
    keep(SHOWN, [id for id in candidates if _holds_a_last_check(instance, id)])
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
    return History(len(runs), sorted(candidates), kept, sorted(logged - runs.keys()))


def _materialising(instance: dg.DagsterInstance, num_kept: int) -> set[str]:
    """The runs behind the last points of every plot."""
    found = set()
    for key in instance.get_asset_keys():
        partitions = sorted(instance.get_materialized_partitions(key))
        for chosen in ([partition] for partition in partitions) if partitions else (None,):
            wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=chosen)
            found |= {record.run_id for record in instance.fetch_materializations(wanted, limit=num_kept).records}
        if last := instance.get_latest_materialization_event(key):
            found.add(last.run_id)
    return found


def _holds_a_last_check(instance: dg.DagsterInstance, run_id: str) -> bool:
    found = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in found]
    keys = {event.asset_check_evaluation_data.asset_check_key for event in events if event}
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(keys)) if keys else {}
    return any(record.run_id == run_id for record in last.values())


def _unfinished_backfills(instance: dg.DagsterInstance) -> set[str]:
    found = instance.get_backfills()
    return {backfill.backfill_id for backfill in found if backfill.status not in BULK_ACTION_TERMINAL_STATUSES}


def remove_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events and compute logs; Dagster itself leaves the files of both."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if instance.get_run_by_id(run_id):
        instance.delete_run(run_id)
    for path in _shards(instance, run_id):
        path.unlink(missing_ok=True)


def files_of_run(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """What a run has on this disk: its event log, where that is a file, and its compute logs."""
    logs = compute_logs(instance)
    folder = logs / run_id if logs else None
    return [*_shards(instance, run_id), *(files_in(folder) if folder and folder.is_dir() else [])]


# --- ticks -----------------------------------------------------------------------------------------------------------


def ticks(instance: dg.DagsterInstance, is_removed: bool = False) -> int:
    """How many ticks are past the retention that dagster.yaml states; with `is_removed` they are deleted.

    The daemon does so only for what ticks: those of a schedule or sensor that is switched off would stay for ever.
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


def places(instance: dg.DagsterInstance) -> dict[str, list[Path]]:
    """Where history, compute logs and stored values lie on this disk; nothing for what lies in a database server."""
    index, logs = _index(instance), compute_logs(instance)
    history = [index.parents[1], index.parents[2] / "schedules"] if index else []
    return {
        "history": history,
        "compute logs": [logs] if logs else [],
        "stored values": [Path(instance.storage_directory())],
    }


def size_of(folders: Iterable[Path]) -> int:
    """Bytes below these folders, as far as they exist."""
    return sum(bytes_of(files_in(folder)) for folder in folders if folder.is_dir())


def databases(instance: dg.DagsterInstance) -> list[Path]:
    """The SQLite files that many runs share."""
    index = _index(instance)
    found = [index, index.parents[1] / "runs.db", index.parents[2] / "schedules" / "schedules.db"] if index else []
    return [path for path in found if path.exists()]


def compact(database: Path) -> bool:
    """Give the room of deleted rows back to the disk; False when a process has the file in use."""
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
    """The folder of what runs print, where it is one."""
    kept_by = instance.compute_log_manager
    is_local = isinstance(kept_by, LocalComputeLogManager)
    return Path(kept_by.get_captured_local_path(["any"], "out")).parent if is_local else None


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


def moment(seconds_ago: float) -> datetime:
    """A moment so long ago, as Dagster's filters take it."""
    return datetime.fromtimestamp(time.time() - seconds_ago, UTC)
