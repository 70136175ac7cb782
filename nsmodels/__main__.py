"""The command line: `nsmodels <system or dataset> <verb> ...`, and commands beside them."""

from __future__ import annotations

import ast
import atexit
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nsmodels.core import hardware, interrupts

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

COMMANDS = "nsmodels.commands"
EXTRA = "pipeline"  # the packages of the commands that see Dagster


def main(argv: Sequence[str] | None = None) -> int:
    """Hand the arguments to what they name; print what there is when nothing is named."""
    if argv is not None:
        return interrupts.guarded(lambda: _main(list(argv)))
    atexit.register(interrupts.leave)
    interrupts.watch_until_exit()
    hardware.collect_rarely()
    status = interrupts.guarded(lambda: _status(sys.argv[1:]))
    interrupts.record_status(status)
    return status


def _status(arguments: list[str]) -> int:
    """The status of a command, also of one that argparse ends: after help, or at bad flags."""
    try:
        return _main(arguments)
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        return end.code


def _main(arguments: list[str]) -> int:
    # here: an interrupt while modules are loaded ends in one line, too
    from nsmodels.core import discover
    from nsmodels.core.cli import run
    from nsmodels.core.errors import near

    places = {name: f"nsmodels.systems.{name}" for name in discover.systems()}
    places |= {name: f"nsmodels.datasets.{name}" for name in discover.datasets()}
    if arguments and arguments[0] in places:
        return run(lambda: _run_in_place(places[arguments[0]], arguments[1:]))
    # Not before: they are looked for among all packages that are installed, which takes longer than all above.
    from importlib.metadata import entry_points, version

    commands = {point.name: point for point in entry_points(group=COMMANDS) if point.name not in places}
    if not arguments or arguments[0] in ("-h", "--help"):
        return run(lambda: print(_usage(places, commands)))
    if arguments[0] in ("-V", "--version"):
        return run(lambda: print(f"nsmodels {version('nsmodels')}"))
    name, *more = arguments
    if name in commands:
        return run(lambda: _load(commands[name])(more))
    known = [*places, *commands]
    line = f"no system, dataset or command '{name}'{near(name, known)} (there are: {', '.join(known)})"
    print(f"error: {line}", file=sys.stderr)
    return 2


def _run_in_place(place: str, words: list[str]) -> int:
    """Run a command line of a system or dataset; of a system, by the one whose checkpoint it names."""
    from nsmodels.commands.delegation import system_for
    from nsmodels.loading import SYSTEMS

    if place.startswith(SYSTEMS):
        place = f"{SYSTEMS}{system_for(place.removeprefix(SYSTEMS), words)}"
    return importlib.import_module(f"{place}.__main__").main(words)


def _load(command: EntryPoint) -> Callable[[list[str]], int]:
    from nsmodels.core.errors import InputError

    try:
        return command.load()
    except (ImportError, AttributeError) as error:
        name = getattr(error, "name", None) or ""
        remedy = f"pip install 'nsmodels[{EXTRA}]'" if name.startswith("dagster") else "is the installation complete?"
        raise InputError(f"nsmodels {command.name}: cannot be loaded ({error}); {remedy}") from None


def _usage(places: dict[str, str], commands: dict[str, EntryPoint]) -> str:
    width = max(map(len, [*places, *commands]))
    lines = ["usage: nsmodels <system or dataset> <verb> [--field value ...]", ""]
    lines += [f"  {name:<{width}}  {_first_line(place)}" for name, place in places.items()]
    lines += ["", "usage: nsmodels <command> [--option value ...]", ""] if commands else []
    lines += [f"  {name:<{width}}  {_first_line(point.module)}" for name, point in commands.items()]
    return "\n".join([*lines, "", "nsmodels <name> --help has more; nsmodels --version prints the version."])


def _first_line(module: str) -> str:
    """The first line of a module's docstring, read without importing it: one that is slow or broken may be listed."""
    try:
        found = importlib.util.find_spec(module)
        text = (
            ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8")))
            if found and found.origin
            else None
        )
    except (ImportError, OSError, SyntaxError) as error:
        return f"(cannot be loaded: {error})"
    return text.splitlines()[0] if text else "(cannot be loaded)" if found is None else ""


if __name__ == "__main__":
    sys.exit(main())
