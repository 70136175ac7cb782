"""Lets `dagster asset materialize --select ...` find this project without further arguments, and all its history.

Runs while `dagster`, `dagster-webserver` or `dagster-daemon` starts (see `bare_command.pth` and ADR 0001): standard
library only, silent, and fatal in one case: a command that would begin a second history elsewhere.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import tomllib
import warnings
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType

from pipeline.lib.runs import history

VARIABLE = "DAGSTER_CLI_ASSET_MATERIALIZE_MODULE_NAME"
RUNS = {"materialize", "execute", "backfill", "launch"}  # the commands that start runs
POINTERS = ("-m", "--module-name", "-f", "--python-file", "--package-name")
REFUSALS = ("DagsterInvalidConfigError", "DagsterInvalidSubsetError", "DagsterInvalidAssetSelectionError")
# What Dagster says of partitions as failed checks of its own, and what to do.
PARTITIONS = {
    "no '--partition' option was provided": "some of these assets are partitioned: give --partition or "
    "--partition-range, or leave them out, as in "
    """--select 'key:"mazes"+ and not (group:"replicates" or group:"trials")'""",
    "Partition ranges with the CLI require": "a range goes for replicates alone, without RAY_ADDRESS: "
    "--select group:replicates --partition-range 0...4; give other assets a command of their own",
    "Invalid partition range format": "expected --partition-range FIRST...LAST, as in 0...4",
}


def module_name(project: Path) -> str | None:
    """The definitions module that `[tool.dagster]` of the pyproject.toml in `project` names, if any."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return None
    return settings.get("tool", {}).get("dagster", {}).get("module_name")


def point_dagster(project: Path, arguments: list[str], environment: MutableMapping[str, str]) -> None:
    """Name the project's definitions to `dagster asset materialize`, unless the command line names others."""
    has_pointer = any(a.split("=")[0] in POINTERS for a in arguments)
    name = None if has_pointer else module_name(project)
    if name and VARIABLE not in environment:
        environment[VARIABLE] = name


def prepare() -> None:
    """What a Dagster process started in this project needs; nothing anywhere else."""
    if line := history.astray(os.environ.get("DAGSTER_HOME")):
        _complain(line)
        os._exit(2)  # Python, still starting, would tell any exception as one of its own
    if (module_name(Path.cwd()) or "").split(".")[0] == "pipeline":
        point_dagster(Path.cwd(), sys.orig_argv[2:], os.environ)
        sys.excepthook = tell
        warnings.filterwarnings("ignore", message="Function `asset_materialize_command` is superseded")
        warnings.filterwarnings("ignore", message="Parameter `include_sources` of function")
        history.prepare(will_run=is_run(sys.orig_argv) or "dev" in sys.orig_argv[2:3])
        settle(Path.cwd(), os.environ)


def settle(project: Path, environment: MutableMapping[str, str]) -> None:
    """Let every command find the history beside `dagster.yaml`: `instance`, `run` and `backfill` ask for its place."""
    if (project / "dagster.yaml").exists():
        environment.setdefault("DAGSTER_HOME", str(project))


def is_run(words: list[str]) -> bool:
    """Whether the command line starts a run."""
    return not RUNS.isdisjoint(words[1:])


def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print what Dagster refuses of the user's input in short lines, anything else with its traceback."""
    known = [line for said, line in PARTITIONS.items() if said in str(error)]
    if kind.__name__ == "CheckError" and known:
        return print(f"error: {known[0]}", file=sys.stderr)
    if kind.__name__ not in REFUSALS:
        return sys.__excepthook__(kind, error, trace)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    for line in [line for line in lines if re.match(r"Error \d+:", line)] or lines[:1]:
        print(f"error: {shortened(line)}", file=sys.stderr)
    return None


def end_with(line: str) -> None:
    """Repeat the one line that tells a failure below Dagster's traceback, where a person at the terminal looks."""
    if is_run(sys.orig_argv):
        atexit.register(_complain, line)


def take_back() -> None:
    """Forget the lines of failures that a later try has made good."""
    atexit.unregister(_complain)


def _complain(line: str) -> None:
    print(f"error: {line}", file=sys.stderr, flush=True)


def shortened(line: str) -> str:
    """A complaint of Dagster about a configuration, with the names it would have taken instead of their types."""
    said, _, expected = re.sub(r"^Error \d+: ", "", line).partition(' Expected: "{')
    names = re.findall(r"(\w+)\?:", expected)
    return f"{said} Known: {', '.join(names)}" if names else said
