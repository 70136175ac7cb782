"""Definitions module and run history of `dagster asset materialize --select ...`, set without further arguments.

Executed while `dagster`, `dg`, `dagster-webserver` or `dagster-daemon` starts (see `bare_command.pth` and ADR 0001):
standard library only, no output, and fatal in one case: a command that would create a second history elsewhere.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType

from nsmodels.core import hardware, interrupts
from nsmodels.core.errors import near
from nsmodels.engine.processes import lifeline
from pipeline.lib.runs import imports

ON_CLUSTER = 75.0  # seconds for the steps on a cluster to save their checkpoints
# By these Dagster's commands that know neither pyproject.toml nor workspace.yaml are told a module.
VARIABLES = ("DAGSTER_CLI_ASSET_MATERIALIZE_MODULE_NAME", "DAGSTER_CLI_ASSET_LIST_MODULE_NAME")
RUNS = {"materialize", "execute", "backfill", "launch"}  # the commands that start runs
POINTERS = ("-m", "--module-name", "-f", "--python-file", "--package-name")
INPUT_ERRORS = ("InputError", "TryLater", "Busy")  # by name: their module need not be loaded
REFUSALS = ("DagsterInvalidConfigError", "DagsterInvalidSubsetError", "DagsterInvalidAssetSelectionError")

_printed: set[str] = set()


def module_name(project: Path) -> str | None:
    """Definitions module in `[tool.dagster]` of the pyproject.toml in `project`; None if there is none."""
    import tomllib

    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return settings.get("tool", {}).get("dagster", {}).get("module_name")


def point_dagster(project: Path, arguments: list[str], environment: MutableMapping[str, str]) -> None:
    """Set the definitions module for `dagster asset materialize` and `list`, unless the command line contains one."""
    has_pointer = any(a.split("=")[0] in POINTERS for a in arguments)
    name = None if has_pointer else module_name(project)
    if name:
        for variable in VARIABLES:
            environment.setdefault(variable, name)


@functools.cache  # Python reads the .pth files of a virtual environment twice
def prepare() -> None:
    """Set up a Dagster process started in this project, once; no effect elsewhere.

    Exits with status 2 and one line on stderr when the command would create a second history.
    """
    is_ours = (module_name(Path.cwd()) or "").split(".")[0] == "pipeline"
    if is_ours and Path(sys.orig_argv[1]).name == "dg":  # it starts `dagster`, which is set up in its turn
        return set_home(Path.cwd(), os.environ)
    if is_ours:
        hardware.collect_rarely()
    if is_ours and is_run(sys.orig_argv):
        watch_stops()
    try:
        if is_ours:
            lifeline.end_with_named_parent()
        return _prepare(is_ours)
    except KeyboardInterrupt:  # during start-up Python would report it as a fatal error
        os._exit(interrupts.report())


def _prepare(is_ours: bool) -> None:
    from pipeline.lib.runs import history, webserver  # here: imports that take longer than the rest of this module

    if webserver.is_of_project(sys.orig_argv[2:], os.environ.get("DAGSTER_HOME")):
        imports.after("dagster_webserver.cli", webserver.protect)
    if line := history.location_error(os.environ.get("DAGSTER_HOME")):
        _print_error(line)
        os._exit(2)  # during start-up Python would report an exception as an error in the .pth file
    if is_ours:
        point_dagster(Path.cwd(), sys.orig_argv[2:], os.environ)
        if "materialize" in sys.orig_argv and "--help" not in sys.orig_argv and sys.stderr.isatty():
            print(
                "nsmodels: loading Dagster and the asset graph, some seconds; Ctrl-C stops", file=sys.stderr, flush=True
            )
        sys.excepthook = report_exception
        check_commands()
        warnings.filterwarnings("ignore", message="Function `asset_materialize_command` is superseded")
        warnings.filterwarnings("ignore", message="Parameter `include_sources` of function")
        history.prepare(will_run=is_run(sys.orig_argv) or "dev" in sys.orig_argv[2:3])
        set_home(Path.cwd(), os.environ)


def check_commands() -> None:
    """Check the options of Dagster's commands once it has imported them; Dagster itself is slow to import."""

    def checked(name: str) -> imports.Action:
        return lambda module: getattr(importlib.import_module("pipeline.lib.runs.commands"), name)(module)

    imports.after("dagster._cli.asset", checked("assets"))
    imports.after("dagster._cli.job", checked("jobs"))


def watch_stops() -> None:
    """After SIGINT or SIGTERM, print the same line as `nsmodels` and exit with the status of the signal.

    Dagster and click end a run that was stopped in several ways, each with a message and status of its own.
    """
    if logging.lastResort:  # libraries without a handler log the exception that Dagster raises within them
        logging.lastResort.addFilter(lambda _: not interrupts.requested())
    interrupts.watch_until_exit(ON_CLUSTER if os.environ.get("RAY_ADDRESS") else None)
    atexit.register(interrupts.leave)  # the first one registered is the last one called
    atexit.register(_exit_as_stopped)


def _exit_as_stopped() -> None:
    if interrupts.requested():
        sys.stdout.flush()
        os._exit(interrupts.report())


def set_home(project: Path, environment: MutableMapping[str, str]) -> None:
    """Set DAGSTER_HOME to the folder of `dagster.yaml` if unset: `instance`, `run` and `backfill` require it."""
    if (project / "dagster.yaml").exists():
        environment.setdefault("DAGSTER_HOME", str(project))


def is_run(arguments: list[str]) -> bool:
    """Whether the command line starts a run."""
    return not RUNS.isdisjoint(arguments[1:])


def is_implied(key: str, arguments: list[str] | None = None) -> bool:
    """Whether the command line selects an asset without naming it, as what others lead to: `nav_model*`.

    False for a selection without operators (`group:figures`), and where the command selects nothing.
    """
    words = sys.orig_argv if arguments is None else arguments
    given = [value for word, value in zip(words, [*words[1:], ""], strict=True) if word in ("--select", "-s")]
    given += [word.partition("=")[2] for word in words if word.startswith("--select=")]
    return any(re.search(r"[*+]", each) and key not in re.findall(r"[\w/]+", each) for each in given)


def report_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print invalid user input in one line per error, any other exception with its traceback."""
    if interrupts.requested():
        return None  # its line is the last one
    if line := user_error(error):
        return _print_error(line)
    lines = refusals(error)
    if not lines:
        return sys.__excepthook__(kind, error, trace)
    for line in lines:
        _print_error(line)
    return None


def refusals(error: BaseException) -> list[str]:
    """A line for each fault in input that Dagster refuses; empty for any other exception."""
    if type(error).__name__ not in REFUSALS:
        return []
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return [shortened(line) for line in [line for line in lines if re.match(r"Error \d+:", line)] or lines[:1]]


def user_error(error: BaseException | None) -> str | None:
    """The line of the `InputError` that caused `error`, if any: for errors while the definitions are loaded."""
    while error is not None and type(error).__name__ not in INPUT_ERRORS:
        error = error.__cause__ or error.__context__
    return str(error) if error else None


def report_at_exit(line: str) -> None:
    """Print the line of a failure once more when the process exits, below Dagster's traceback."""
    if is_run(sys.orig_argv):
        atexit.register(_print_error, line)


def discard_reports() -> None:
    """Discard the lines registered by `report_at_exit`, for a step that is retried."""
    atexit.unregister(_print_error)


def has_reported() -> bool:
    """Whether an error was printed: what the command made is then not its last word."""
    return bool(_printed)


def _print_error(line: str) -> None:
    """Print a line once, whether it is reported by an exception, at the exit, or both."""
    if line not in _printed:
        _printed.add(line)
        print(f"error: {line}", file=sys.stderr, flush=True)


def shortened(line: str) -> str:
    """A configuration error of Dagster with the names of the known fields in place of their types."""
    message, _, expected = re.sub(r"^Error \d+: ", "", line).partition(' Expected: "{')
    names = list(_field_names(expected))
    entry = re.search(r'config entry "([^"]*)"', message)
    proposed = near(entry[1], names).replace("; did", " Did") if entry else ""
    return f"{message}{proposed} Known: {', '.join(names)}" if names else message


def _field_names(expected: str) -> Iterator[str]:
    """Names of the fields of a type as Dagster prints it, without those of the fields inside."""
    depth = 0
    for found in re.finditer(r"([{}])|(\w+)\?:", expected):
        depth += {"{": 1, "}": -1}.get(found[1], 0)
        if found[2] and depth == 0:
            yield found[2]
