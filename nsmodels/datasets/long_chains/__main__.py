"""Command line of the long chains: `nsmodels long_chains generate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.long_chains.config import PRESETS


def parser() -> argparse.ArgumentParser:
    """The parser of this command line."""
    from nsmodels.datasets.long_chains.prepare import prepare

    return cli.generator("long_chains", __doc__, PRESETS, prepare)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb; returns the exit status."""
    return cli.main(parser, argv)


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
