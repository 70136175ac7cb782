"""Command line of the reasoner on natural images: `nsmodels natural train | evaluate`."""

from __future__ import annotations

from functools import partial

from nsmodels.engine import verbs
from nsmodels.systems.natural import SYSTEM

parser, main = partial(verbs.parser, SYSTEM), partial(verbs.main, SYSTEM)
