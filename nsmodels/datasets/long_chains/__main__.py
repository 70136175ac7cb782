"""Command line of the long chains: `nsmodels long_chains generate | show | verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nsmodels.core.cli import Parser, run
from nsmodels.datasets.long_chains.config import PRESETS
from nsmodels.formats.graphs import commands


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return commands.parser("long_chains", __doc__, PRESETS)


if __name__ == "__main__":
    sys.exit(run(main))
