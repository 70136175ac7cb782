"""Functions of the notebooks, one per cell; for Jupyter, VS Code and hosted notebooks, and plain Python."""

from __future__ import annotations

from nsmodels.notebook.choice import Choice, choose
from nsmodels.notebook.demonstration import Sample, change, demonstrate, explain, own
from nsmodels.notebook.machine import begin, diagnose
from nsmodels.notebook.results import calibration, classes, compare, evaluate, export
from nsmodels.notebook.speed import speed
from nsmodels.notebook.taking import take
from nsmodels.notebook.training import checkpoints, gradients, layers, networks, prepare, train

__all__ = [
    "Choice",
    "Sample",
    "begin",
    "calibration",
    "change",
    "checkpoints",
    "choose",
    "classes",
    "compare",
    "demonstrate",
    "diagnose",
    "evaluate",
    "explain",
    "export",
    "gradients",
    "layers",
    "networks",
    "own",
    "prepare",
    "speed",
    "take",
    "train",
]
