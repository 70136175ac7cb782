"""Verbs of every dataset of labelled graphs: generate | show | verify."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nsmodels.formats.graphs.files as files
from nsmodels.core import disk
from nsmodels.core.artifact import require_files
from nsmodels.core.cli import Parser, Presets, add_config_flags, add_making, agree, config_from
from nsmodels.core.errors import InputError, near
from nsmodels.formats.graphs.tables import Graphs

SHOWN = 10  # faults of a check that are printed
Check = Callable[[Path], list[str]]
# Draws rows of a table, as twins beside each other, into a picture whose format is the suffix of the path.
Draw = Callable[[Graphs, Sequence[int], Path], None]
