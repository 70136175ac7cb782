"""Command line of the causal graphs: `nsmodels causal_graphs generate | show | verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nsmodels.core.cli import Parser, run
from nsmodels.datasets.causal_graphs.config import PRESETS
from nsmodels.formats.graphs import commands


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return commands.parser("causal_graphs", __doc__, PRESETS)


if __name__ == "__main__":
    sys.exit(run(main))
