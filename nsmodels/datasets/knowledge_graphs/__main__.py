"""Command line of the knowledge graphs: `nsmodels knowledge_graphs generate | show | verify`."""

import sys
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.knowledge_graphs.config import PRESETS
from nsmodels.formats.graphs import commands

parser = partial(commands.parser, "knowledge_graphs", __doc__, PRESETS)
main = partial(cli.main, parser)

if __name__ == "__main__":
    sys.exit(cli.run(main))
