"""The figures, as PDF for the paper and PNG for the screen; each names its data source."""

from nsmodels.systems.visual.figures import CODE_VERSION
from pipeline.lib import figure

VISUAL = "nsmodels.systems.visual.figures"

training_curves = figure.asset(
    "training_curves", "clevr_mini_model", VISUAL, CODE_VERSION, "Losses of perception and parser by epoch."
)
reasoning_depth = figure.asset(
    "reasoning_depth",
    "clevr_mini_evaluation",
    VISUAL,
    CODE_VERSION,
    "How deep the questions are, by the longest path of their programs, and how accuracy depends on it.",
)
