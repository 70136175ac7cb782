"""Command line of the causal graphs: `nsmodels causal_graphs generate | show | verify`."""

import sys
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.causal_graphs.config import PRESETS
from nsmodels.formats.graphs import commands

parser = partial(commands.parser, "causal_graphs", __doc__, PRESETS)
main = partial(cli.main, parser)

if __name__ == "__main__":
    sys.exit(cli.run(main))
