"""Command line of the planning graphs: `nsmodels planning_graphs generate | show | verify`."""

import sys
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.planning_graphs.config import PRESETS
from nsmodels.formats.graphs import commands

parser = partial(commands.parser, "planning_graphs", __doc__, PRESETS)
main = partial(cli.main, parser)

if __name__ == "__main__":
    sys.exit(cli.run(main))
