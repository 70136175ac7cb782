"""Command line of the world model: `nsmodels world train | evaluate`."""

from functools import partial

from nsmodels.engine import verbs
from nsmodels.systems.world import SYSTEM

parser, main = partial(verbs.parser, SYSTEM), partial(verbs.main, SYSTEM)
