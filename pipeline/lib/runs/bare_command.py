"""Definitions module and run history of `dagster asset materialize --select ...`, set without further arguments.

Executed while `dagster`, `dagster-webserver` or `dagster-daemon` starts (see `bare_command.pth` and ADR 0001): standard
library only, no output, and fatal in one case: a command that would create a second history in another directory.
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
# Messages that Dagster raises about partitions as internal check errors, and the line that replaces each.
PARTITIONS = {
    "no '--partition' option was provided": "some of the selected assets are partitioned: add --partition or "
    "--partition-range, or exclude them, as in "
    """--select 'key:"mazes"+ and not (group:"replicates" or group:"trials")'""",
    "Partition ranges with the CLI require": "a range is accepted for replicates only, without RAY_ADDRESS: "
    "--select group:replicates --partition-range 0...4; use a separate command for other assets",
    "Invalid partition range format": "expected --partition-range FIRST...LAST, as in 0...4",
}


def module_name(project: Path) -> str | None:
    """Definitions module in `[tool.dagster]` of the pyproject.toml in `project`; None if there is none."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return settings.get("tool", {}).get("dagster", {}).get("module_name")


def point_dagster(project: Path, arguments: list[str], environment: MutableMapping[str, str]) -> None:
    """Set the definitions module for `dagster asset materialize`, unless the command line contains one."""
    has_pointer = any(a.split("=")[0] in POINTERS for a in arguments)
    name = None if has_pointer else module_name(project)
    if name and VARIABLE not in environment:
        environment[VARIABLE] = name


def prepare() -> None:
    """Set up a Dagster process started in this project; no effect elsewhere.

    Exits with status 2 and one line on stderr when the command would create a second history.
    """
    if line := history.location_error(os.environ.get("DAGSTER_HOME")):
        _print_error(line)
        os._exit(2)  # during start-up Python would report an exception as an error in the .pth file
    if (module_name(Path.cwd()) or "").split(".")[0] == "pipeline":
        point_dagster(Path.cwd(), sys.orig_argv[2:], os.environ)
        sys.excepthook = report_exception
        warnings.filterwarnings("ignore", message="Function `asset_materialize_command` is superseded")
        warnings.filterwarnings("ignore", message="Parameter `include_sources` of function")
        history.prepare(will_run=is_run(sys.orig_argv) or "dev" in sys.orig_argv[2:3])
        set_home(Path.cwd(), os.environ)


def set_home(project: Path, environment: MutableMapping[str, str]) -> None:
    """Set DAGSTER_HOME to the folder of `dagster.yaml` if unset: `instance`, `run` and `backfill` require it."""
    if (project / "dagster.yaml").exists():
        environment.setdefault("DAGSTER_HOME", str(project))


def is_run(arguments: list[str]) -> bool:
    """Whether the command line starts a run."""
    return not RUNS.isdisjoint(arguments[1:])


def report_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print invalid user input in one line per error, any other exception with its traceback."""
    known = [line for message, line in PARTITIONS.items() if message in str(error)]
    if kind.__name__ == "CheckError" and known:
        return print(f"error: {known[0]}", file=sys.stderr)
    if kind.__name__ not in REFUSALS:
        return sys.__excepthook__(kind, error, trace)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    for line in [line for line in lines if re.match(r"Error \d+:", line)] or lines[:1]:
        print(f"error: {shortened(line)}", file=sys.stderr)
    return None


def report_at_exit(line: str) -> None:
    """Print the line of a failure once more when the process exits, below Dagster's traceback."""
    if is_run(sys.orig_argv):
        atexit.register(_print_error, line)


def discard_reports() -> None:
    """Discard the lines registered by `report_at_exit`, for a step that is retried."""
    atexit.unregister(_print_error)


def _print_error(line: str) -> None:
    print(f"error: {line}", file=sys.stderr, flush=True)


def shortened(line: str) -> str:
    """A configuration error of Dagster with the names of the known fields in place of their types."""
    message, _, expected = re.sub(r"^Error \d+: ", "", line).partition(' Expected: "{')
    names = re.findall(r"(\w+)\?:", expected)
    return f"{message} Known: {', '.join(names)}" if names else message
