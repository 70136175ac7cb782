"""Command line of the visual reasoner: `nsmodels visual train | evaluate | answer | export | baselines`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nsmodels.core.cli import Parser, run
from nsmodels.engine import verbs
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.command import add_verbs


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, add_verbs)


if __name__ == "__main__":
    sys.exit(run(main))
