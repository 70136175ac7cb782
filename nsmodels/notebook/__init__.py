"""Functions of the dashboard notebook, one per cell; for Jupyter, VS Code and hosted notebooks, and plain Python."""

from __future__ import annotations

from nsmodels.notebook.choice import Choice, choose
from nsmodels.notebook.imagination import imagine
from nsmodels.notebook.machine import begin, diagnose
from nsmodels.notebook.results import calibration, classes, compare, evaluate, export
from nsmodels.notebook.training import checkpoints, gradients, layers, networks, prepare, train

__all__ = [
    "Choice",
    "begin",
    "calibration",
    "checkpoints",
    "choose",
    "classes",
    "compare",
    "diagnose",
    "evaluate",
    "export",
    "gradients",
    "imagine",
    "layers",
    "networks",
    "prepare",
    "train",
]
