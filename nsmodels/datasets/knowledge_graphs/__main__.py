"""Command line of the knowledge graphs: `nsmodels knowledge_graphs generate | show | verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from nsmodels.core import cli
from nsmodels.core.cli import Parser
from nsmodels.datasets.knowledge_graphs.config import PRESETS
from nsmodels.formats.graphs import commands


def parser() -> Parser:
    """The parser of this command line."""
    return commands.parser("knowledge_graphs", __doc__, PRESETS)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    return cli.main(parser, argv)


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
