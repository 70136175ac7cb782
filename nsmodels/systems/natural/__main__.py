"""Command line of the reasoner on natural images: `nsmodels natural train | evaluate | answer | baselines`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nsmodels.core.cli import Parser, run
from nsmodels.engine import verbs
from nsmodels.systems.natural import SYSTEM
from nsmodels.systems.natural.command import add_verbs


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb."""
    arguments = parser().parse_args(argv)
    return arguments.verb(arguments)


def parser() -> Parser:
    """The parser of this command line."""
    return verbs.parser(SYSTEM, add_verbs)


if __name__ == "__main__":
    sys.exit(run(main))
