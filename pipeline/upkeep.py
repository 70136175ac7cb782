"""Disk usage of Dagster's history, and removal of old runs: `nsmodels upkeep [--older-than 30d]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from nsmodels.core.cli import Parser, ask
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable
from nsmodels.core.sealed.inventory import bytes_of
from pipeline.lib.runs import history, pruning
from pipeline.lib.runs.pruning import Plan

UNITS = {"h": 3600.0, "d": pruning.DAY, "w": 7 * pruning.DAY}  # seconds
LONGEST = 36_525 * pruning.DAY  # a hundred years


def main(argv: Sequence[str]) -> int:
    """Show sizes and removable runs, ask for confirmation, remove them and compact the databases.

    Raises `InputError` for an invalid age or count, without a history, and without a terminal to ask at.
    """
    arguments = _parser().parse_args(argv)
    seconds = _seconds(arguments.older_than)
    with history.current() as instance:
        _show_sizes(instance)
        plan = pruning.plan(instance, pruning.time_ago(seconds), arguments.keep)
        num_ticks = pruning.ticks(instance)
        _show_runs(instance, plan, arguments.older_than)
        print(f"ticks past the retention in dagster.yaml: {num_ticks:,}")
        if arguments.dry_run or not (plan.removable or plan.orphans or num_ticks):
            print("nothing was removed" if arguments.dry_run else "nothing to remove")
            return 0
        if not arguments.yes and not ask("Remove these?"):
            print("nothing was removed")
            return 1
        _remove(instance, plan)
        _show_sizes(instance)
    return 0


def _parser() -> Parser:
    parser = Parser(prog="nsmodels upkeep", description=__doc__)
    parser.add_argument(
        "--older-than", default="30d", metavar="AGE", help="finished runs to remove: 12h, 30d, 8w [30d]"
    )
    parser.add_argument(
        "--keep", type=_count, default=50, metavar="N",
        help="keep the runs of the last N materialisations of each asset and partition, whatever their age [50]",
    )  # fmt: skip
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    mode.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    return parser


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise InputError(f"--keep {text}: expected a whole number >= 1; the last materialisation is always kept")
    return number


def _seconds(age: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([hdw])", age)
    seconds = int(found[1]) * UNITS[found[2]] if found else LONGEST + 1
    if seconds > LONGEST:
        raise InputError(f"--older-than {age}: expected hours, days or weeks, as in 12h, 30d or 8w, at most 100 years")
    return seconds


def _show_sizes(instance: dg.DagsterInstance) -> None:
    for name, folders in pruning.locations(instance).items():
        size = readable(pruning.size_of(folders)) if folders else "-"
        where = ", ".join(_shown(folder) for folder in folders) or "not on this disk"
        print(f"{size:>10}  {name:<14}{where}")


def _shown(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def _show_runs(instance: dg.DagsterInstance, plan: Plan, age: str) -> None:
    old = len(plan.removable) + sum(map(len, plan.kept.values()))
    print(f"runs: {plan.num_runs:,}, of which {old:,} ended more than {age} ago")
    for reason, ids in plan.kept.items():
        print(f"{len(ids):>10,}  kept: {reason}")
    for ids, what in ((plan.removable, "to remove, with events and logs"), (plan.orphans, "logs of deleted runs")):
        size = bytes_of(path for run_id in ids for path in pruning.files_of_run(instance, run_id))
        print(f"{len(ids):>10,}  {what} ({readable(size)} of files)")


def _remove(instance: dg.DagsterInstance, plan: Plan) -> None:
    for run_id in [*plan.removable, *plan.orphans]:
        pruning.remove_run(instance, run_id)
    print(f"removed {len(plan.removable):,} runs and {pruning.ticks(instance, is_removed=True):,} ticks")
    busy = [path.name for path in pruning.databases(instance) if not pruning.compact(path)]
    if busy:
        print(f"in use, not compacted: {', '.join(busy)}; run this again while nothing else runs", file=sys.stderr)
