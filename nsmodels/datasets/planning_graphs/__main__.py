"""Command line of the planning graphs: `nsmodels planning_graphs generate | show | verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from nsmodels.core import cli
from nsmodels.core.cli import Parser
from nsmodels.datasets.planning_graphs.config import PRESETS
from nsmodels.formats.graphs import commands


def parser() -> Parser:
    """The parser of this command line."""
    return commands.parser("planning_graphs", __doc__, PRESETS)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    return cli.main(parser, argv)


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
