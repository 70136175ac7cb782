"""A grid of configurations as queued runs, or run here one after the other: `nsmodels sweep`.

A trial is a partition, a sweep a backfill over them, which the web UI shows, cancels and retries. Uses private names of
Dagster: there is no public function that adds a backfill. The version is pinned and tested.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from nsmodels.core import interrupts
from nsmodels.core.cli import Parser, run
from nsmodels.core.config import help, spaces
from nsmodels.core.config.spaces import MOST, Choices
from nsmodels.core.errors import InputError, near
from nsmodels.core.sealed import renamed
from pipeline.assets.systems import trainings
from pipeline.internals import (
    BULK_ACTION_TERMINAL_STATUSES,
    NOT_FINISHED_STATUSES,
    PARTITION_NAME_TAG,
    AssetGraphSubset,
    AssetKeyPartitionKey,
    PartitionBackfill,
    get_daemon_statuses,
)
from pipeline.lib import store
from pipeline.lib.partitions import trials
from pipeline.lib.partitions.partitioned import Partitioned
from pipeline.lib.partitions.trials import Trial
from pipeline.lib.runs import forecast, history
from pipeline.lib.training import Training

SEED = "training.seed"
DAEMONS = ("BACKFILL", "QUEUED_RUN_COORDINATOR")
FINISHED, RUNNING, TO_DO = "finished", "queued or running", "to do"
POLL, TOP = 2.0, 5  # seconds between two checks; rows of the leaderboard
NO_DAEMON = "not started yet: no Dagster daemon is running; start it with make ui, or use --local"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # Dagster logs a failure as two tracebacks
EPILOG = """examples:
  nsmodels sweep nav_model --preset quick training.lr=1e-3,3e-3 model.dim=32,64 --seeds 0...2
  nsmodels sweep nav_model --preset quick lr=1e-3,3e-3 --dry-run
The same command resumes the sweep: finished trials are kept, failed ones are queued again."""


def project() -> dg.Definitions:
    """Definitions of this project; loaded after the command line has been checked."""
    from pipeline.definitions import defs

    return defs()


@dataclass(frozen=True)
class Sweep:
    """The trials of one training, by the name of their partition, and the definitions that contain them."""

    partitioned: Partitioned
    trials: Mapping[str, Trial]
    definitions: Callable[[], dg.Definitions] = project

    @property
    def asset(self) -> dg.AssetKey:
        """Key of the asset that is partitioned by trial."""
        return dg.AssetKey(self.partitioned.key)

    def to_do(self, name: str) -> list[str]:
        """Reasons why a trial is not finished; empty if it is."""
        training = self.partitioned.training
        try:
            chosen = trials.chosen(training, self.trials[name])
            data = {key: store.folder(key) for key in training.all_datasets}
            return self.partitioned.to_do(name, chosen, data)
        except InputError:
            return ["its data are missing"]


def main(argv: Sequence[str] | None = None) -> int:
    """Plan, show and queue a sweep; returns the exit status."""
    arguments = _parser().parse_intermixed_args(sys.argv[1:] if argv is None else argv)
    return run(lambda: _sweep(arguments))


def plan(target: str, preset: str | None, words: Sequence[str], seeds: Sequence[int] = ()) -> Sweep:
    """The trials of a grid, each validated; `words` are "field=value,value".

    Raises `InputError` for an unknown training, preset or field, a field that occurs twice, and a value out of bounds.
    """
    partitioned = _trials_of(target)
    renamed.take_over(partitioned.key)
    training = partitioned.training
    name = _preset(training, preset)
    default = training.model.presets[name]()
    axes: dict[str, Any] = spaces.axes_of(default, spaces.split(words, "sweep"), "sweep")
    if seeds and SEED in axes:
        raise InputError(f"sweep: expected each field once, got {SEED} and --seeds; give the seeds once")
    axes |= {SEED: Choices(tuple(seeds))} if seeds else {}
    short = {full: name for name, full in spaces.full_names(default).items()}
    found: dict[str, Trial] = {}
    for _, config in spaces.combinations(default, axes, "sweep"):
        trial = Trial(name, {field: spaces.plain_value(config, field) for field in sorted(axes, key=_seed_last)})
        found[trial.name(short)] = trial
    return Sweep(partitioned, found)


def states(sweep: Sweep, instance: dg.DagsterInstance) -> dict[str, str]:
    """State of each trial: finished, queued or running, or to do and the reason; closes dead runs first."""
    history.close_dead(instance)
    _list_finished(sweep, instance)
    active = _active(sweep, instance)
    found = {}
    for name in sweep.trials:
        reasons = sweep.to_do(name)
        found[name] = FINISHED if not reasons else RUNNING if name in active else f"{TO_DO}: {reasons[0]}"
    return found


def _list_finished(sweep: Sweep, instance: dg.DagsterInstance) -> None:
    """Add the partitions of trials that are finished on disk, also where this history has never seen them."""
    finished = [name for name in sweep.trials if not sweep.to_do(name)]
    if finished:
        instance.add_dynamic_partitions(sweep.partitioned.key, finished)


def check(sweep: Sweep, names: Sequence[str]) -> None:
    """Raise InputError for the first of the trials that cannot be trained here."""
    training = sweep.partitioned.training
    for name in names:
        try:
            training.check_config(trials.chosen(training, sweep.trials[name]).config)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None


def queue(sweep: Sweep, names: Sequence[str], instance: dg.DagsterInstance) -> str:
    """Write the trials, add their partitions and queue a backfill for the daemon; returns the id of the backfill."""
    backfill_id = uuid.uuid4().hex[:8]
    _write(sweep, names, instance)
    keys = {AssetKeyPartitionKey(sweep.asset, name) for name in names}
    graph = sweep.definitions().get_repository_def().asset_graph
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=backfill_id,
        backfill_timestamp=time.time(),
        tags={"nsmodels/sweep": sweep.partitioned.key},
        dynamic_partitions_store=instance,
        asset_graph_subset=AssetGraphSubset.from_asset_partition_set(keys, graph),
        title=f"sweep of {sweep.partitioned.training.model_key}, {len(names)} trials",
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return backfill_id


def execute(sweep: Sweep, names: Sequence[str], instance: dg.DagsterInstance) -> dict[str, str]:
    """Run the trials in this process, one after the other; returns the error of each one that failed.

    Raises KeyboardInterrupt after SIGINT or SIGTERM, once the current trial has stopped.
    """
    failed: dict[str, str] = {}
    _write(sweep, names, instance)
    job = sweep.definitions().get_repository_def().get_implicit_job_def_for_assets([sweep.asset])
    assert job is not None
    options = {"asset_selection": [sweep.asset], "instance": instance, "run_config": QUIET, "raise_on_error": False}
    with interrupts.watch():
        for number, name in enumerate(names, 1):
            print(f"[{number}/{len(names)}] {name}", flush=True)
            done = job.execute_in_process(partition_key=name, **options)
            if interrupts.requested():
                raise KeyboardInterrupt
            if not done.success:
                failed[name] = _error(done.failure_data_for_node(sweep.partitioned.key))
                print(f"  {failed[name]}", flush=True)
    return failed


def _error(failure: Any) -> str:
    error = failure.user_failure_data if failure else None
    return error.description if error else "its run failed; its log has the reason (make ui)"


def _sweep(arguments: argparse.Namespace) -> int:
    sweep = plan(arguments.target, arguments.preset, arguments.fields, _seeds(arguments.seeds))
    with history.current() as instance:
        found = states(sweep, instance)
        _show(sweep, found)
        names = [name for name, state in found.items() if state.startswith(TO_DO)]
        if arguments.dry_run:
            _show_inputs(sweep)
            return 0
        check(sweep, names)
        if arguments.local:
            return _finish(sweep, execute(sweep, names, instance) | _skipped(sweep, found))
        if names:
            backfill_id = queue(sweep, names, instance)
            print(f"queued {len(names)} of {len(found)} as backfill {backfill_id}")
        if arguments.wait:
            return _wait(sweep, instance)
        if (names or RUNNING in found.values()) and not _is_daemon_alive(instance):
            print(NO_DAEMON, file=sys.stderr)
        return 0


def _skipped(sweep: Sweep, found: Mapping[str, str]) -> dict[str, str]:
    """Unfinished trials that were not run here because they are queued or running elsewhere."""
    names = [name for name, state in found.items() if state == RUNNING and sweep.to_do(name)]
    return dict.fromkeys(names, "skipped: queued or running elsewhere")


def _wait(sweep: Sweep, instance: dg.DagsterInstance) -> int:
    """Wait until no trial is queued or running; print a line whenever the counts or the state of the daemon change."""
    printed = "", False
    while True:
        found = Counter(state.split(":")[0] for state in states(sweep, instance).values())
        line = ", ".join(f"{found[name]} {name}" for name in (FINISHED, RUNNING) if found[name])
        is_stuck = bool(found[RUNNING]) and not _is_daemon_alive(instance)
        if (line, is_stuck) != printed:
            printed = line, is_stuck
            print(line, flush=True)
            if is_stuck:
                print(NO_DAEMON, file=sys.stderr)
        if not found[RUNNING]:
            left = [name for name in sweep.trials if sweep.to_do(name)]
            return _finish(sweep, dict.fromkeys(left, "not finished; the log of its run has the reason (make ui)"))
        time.sleep(POLL)


def _finish(sweep: Sweep, failed: Mapping[str, str]) -> int:
    for name, line in failed.items():
        print(f"error: {name}: {line}", file=sys.stderr)
    if failed:
        print("run the same command again to retry the failed trials only", file=sys.stderr)
    _show_best(sweep.partitioned.training)
    return 1 if failed else 0


def _show_best(training: Training[Any, Any]) -> None:
    """Print the top of the leaderboard if it has entries for these data."""
    from nsmodels.evaluation import leaderboard, ledger

    ledger.scan()
    dataset = "+".join(training.datasets)
    if any(entry.dataset == dataset for entry in ledger.entries()):
        leaderboard.main(["--dataset", dataset, "--limit", str(TOP)])


def _show_inputs(sweep: Sweep) -> None:
    """Print what would be made before the trials, as their runs make it."""
    training, preset = sweep.partitioned.training, next(iter(sweep.trials.values())).preset
    for key in training.all_datasets:
        if line := forecast.input_line(key, preset if "debug" in training.model.presets else None):
            print(line)


def _show(sweep: Sweep, found: Mapping[str, str]) -> None:
    width = max(map(len, found))
    for name, state in found.items():
        print(f"{name:<{width}}  {state}")
    many, training = "s" * (len(found) != 1), sweep.partitioned.training
    print(f"{len(found)} trial{many} of {training.model_key} on {', '.join(training.datasets)}")


# --- the command line ------------------------------------------------------------------------------------------------


def _trials_of(target: str) -> Partitioned:
    """The trials of the training whose model, dataset or name is `target`."""
    known = trials.trials(trainings())
    exact = [each for each in known if target in (each.training.model_key, each.training.name)]
    found = exact or [each for each in known if target in each.training.datasets]
    if len(found) == 1:
        return found[0]
    names = [each.training.model_key for each in found or known]
    what, proposed = ("several models for data set", "") if found else ("no model or data set", near(target, names))
    raise InputError(f"sweep: {what} '{target}'{proposed}; give one of: {', '.join(names)}")


def _preset(training: Training[Any, Any], name: str | None) -> str:
    if name is None:
        return training.model.resolve({}).preset
    if name not in training.model.presets:
        known = f"{near(name, training.model.presets)} (there are: {', '.join(training.model.presets)})"
        raise InputError(f"sweep: no preset '{name}'{known}")
    return name


def _seed_last(field: str) -> tuple[bool, str]:
    return field == SEED, field


def _seeds(text: str | None) -> list[int]:
    """Seeds from "0...2" or "0,3,5"; raises `InputError`."""
    if text is None:
        return []
    first, dots, last = text.partition("...")
    try:
        found = range(int(first), int(last) + 1) if dots else [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found[: MOST + 1]) > MOST:
        raise InputError(f"--seeds {text}: expected at most {MOST:,} seeds")
    if len(set(found)) < len(found):
        raise InputError(f"--seeds {text}: expected each value once")
    if not found or min(found) < 0:
        raise InputError(f"--seeds: expected whole numbers as in 0...4 or 0,3,5, the smaller first, got '{text}'")
    return list(found)


# --- the instance ----------------------------------------------------------------------------------------------------


def _write(sweep: Sweep, names: Sequence[str], instance: dg.DagsterInstance) -> None:
    for name in names:
        trials.write(sweep.partitioned.key, name, sweep.trials[name])
    instance.add_dynamic_partitions(sweep.partitioned.key, list(names))


def _active(sweep: Sweep, instance: dg.DagsterInstance) -> set[str]:
    """Partitions of unfinished runs and backfills."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
    asset, graph = sweep.asset, sweep.definitions().get_repository_def().asset_graph
    found = {
        run.tags[PARTITION_NAME_TAG]
        for run in runs
        if asset in (run.asset_selection or ()) and PARTITION_NAME_TAG in run.tags
    }
    for backfill in instance.get_backfills():
        if backfill.status not in BULK_ACTION_TERMINAL_STATUSES and asset in (backfill.asset_selection or ()):
            data = backfill.get_asset_backfill_data(graph)
            left = data.target_subset - data.materialized_subset - data.failed_and_downstream_subset
            found |= set(left.get_partitions_subset(asset).get_partition_keys())
    return found


def _is_daemon_alive(instance: dg.DagsterInstance) -> bool:
    required = [name for name in DAEMONS if name in instance.get_required_daemon_types()]
    return all(status.healthy for status in get_daemon_statuses(instance, required, ignore_errors=True).values())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="nsmodels sweep",
        description=(__doc__ or "").splitlines()[0],
        epilog=EPILOG,
        formatter_class=help.WithExamples,
    )
    parser.add_argument("target", metavar="MODEL", help="model or data set, as in nav_model or mazes")
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE,VALUE", help="fields of its configuration")
    parser.add_argument("--preset", help="named configuration that the fields change [by the machine]")
    parser.add_argument("--seeds", metavar="0...4", help="run every combination with each of these seeds")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="only show the trials and their states")
    mode.add_argument(
        "--wait", action="store_true", help="wait until all trials end; then show the top of the leaderboard"
    )
    mode.add_argument("--local", action="store_true", help="run the trials here one after the other, without a daemon")
    return parser


if __name__ == "__main__":
    sys.exit(main())
