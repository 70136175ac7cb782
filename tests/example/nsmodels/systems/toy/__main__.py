"""Command line of the toy: `nsmodels toy train | evaluate`."""

from functools import partial

from nsmodels.engine.commands import verbs
from nsmodels.systems.toy import SYSTEM

parser, main = partial(verbs.parser, SYSTEM), partial(verbs.main, SYSTEM)
