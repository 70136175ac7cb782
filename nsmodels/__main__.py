"""The command line: `nsmodels <system or dataset> <verb> ...`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from nsmodels.core import discover
from nsmodels.core.cli import run


def main(argv: Sequence[str] | None = None) -> int:
    """Hand the arguments to the named system or dataset; print what there is when none is named."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    places = {name: f"nsmodels.systems.{name}" for name in discover.systems()}
    places |= {name: f"nsmodels.datasets.{name}" for name in discover.datasets()}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(places))
        return 0
    if arguments[0] not in places:
        print(f"error: no system or dataset '{arguments[0]}' (there are: {', '.join(places)})", file=sys.stderr)
        return 2
    entry = importlib.import_module(f"{places[arguments[0]]}.__main__")
    return run(lambda: entry.main(arguments[1:]))


def _usage(places: dict[str, str]) -> str:
    lines = ["usage: nsmodels <system or dataset> <verb> [--field value ...]", ""]
    for name, place in places.items():
        doc = (importlib.import_module(place).__doc__ or "").strip().splitlines()
        lines.append(f"  {name:<10} {doc[0] if doc else ''}")
    return "\n".join([*lines, "", "nsmodels <name> --help lists its verbs."])


if __name__ == "__main__":
    sys.exit(main())
