"""Command line of the toy: `nsmodels toy train | evaluate`."""

from functools import partial

from nsmodels.systems.toy import SYSTEM

from nsmodels.engine import verbs

parser, main = partial(verbs.parser, SYSTEM), partial(verbs.main, SYSTEM)
