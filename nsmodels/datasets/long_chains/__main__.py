"""Command line of the long chains: `nsmodels long_chains generate | show | verify`."""

import sys
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.long_chains.config import PRESETS
from nsmodels.formats.graphs import commands

parser = partial(commands.parser, "long_chains", __doc__, PRESETS)
main = partial(cli.main, parser)

if __name__ == "__main__":
    sys.exit(cli.run(main))
