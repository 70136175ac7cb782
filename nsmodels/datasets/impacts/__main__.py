"""Command line of the impacts: `nsmodels impacts generate | show | verify`."""

import sys
from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.impacts.config import PRESETS
from nsmodels.formats.clips import commands

parser = partial(commands.parser, "impacts", __doc__, PRESETS)
main = partial(cli.main, parser)

if __name__ == "__main__":
    sys.exit(cli.run(main))
