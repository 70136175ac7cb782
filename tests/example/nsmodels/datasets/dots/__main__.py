"""Command line of the dots: `nsmodels dots generate`."""

from functools import partial

from nsmodels.core import cli
from nsmodels.datasets.dots.config import PRESETS
from nsmodels.datasets.dots.prepare import prepare

parser = partial(cli.generator, "dots", __doc__, PRESETS, prepare)
main = partial(cli.main, parser)
